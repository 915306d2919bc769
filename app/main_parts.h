// The pieces both programs are made of; included by the two mains only, the one place where server
// meets tools.
#pragma once

#include "server/cli/program.h"
#include "tools/commands/run_command.h"
#include "tools/commands/self_test_command.h"
#include "tools/shell/shell_words.h"
#include "tools/tools.h"

namespace server {

inline ProgramParts main_parts() {
  ProgramParts parts;
  parts.name = "backup-plugin-db";
  parts.version = BPD_VERSION;
  parts.commit = BPD_COMMIT;
  parts.define = tools::define_server;
  parts.commands = {tools::run_command(), tools::self_test_command()};
  parts.shell = tools::shell_knowledge;
  return parts;
}

}  // namespace server
