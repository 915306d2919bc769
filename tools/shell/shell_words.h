// What the shell knows of our tools.
#pragma once

#include "core/base/env.h"
#include "server/cli/shell_knowledge.h"

namespace tools {

// `env` must outlive it.
server::ShellKnowledge shell_knowledge(const core::Env& env);

}  // namespace tools
