// What a program is made of.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/base/env.h"
#include "server/cli/shell_knowledge.h"
#include "server/http/http_settings.h"
#include "server/mcp/dispatcher.h"
#include "server/mcp/server_definition.h"

namespace server {

// A command that is no tool, such as `run NAME`, which schedulers start.
struct ExtraCommand {
  std::string name;
  std::string usage;        // "run NAME [--if-due]"
  std::string description;  // one line for --help
  // Gets the words after the name, uninterpreted; prints, texts that name calls in the words of
  // `speech`; returns the exit code. SIGINT and SIGTERM request a stop.
  std::function<int(const std::vector<std::string>& words, const core::Env&, const Speech& speech,
                    std::stop_token)>
      run;
};

// What a program is made of; app/main_parts.h alone fills it in.
struct ProgramParts {
  std::string name;
  std::string version;
  std::string commit;  // of a release, in hexadecimal; empty where somebody built it
  // The server over these tools.
  std::function<ServerDefinition(const core::Env&, const ServerLimits&)> define;
  std::vector<ExtraCommand> commands;
  // What spares people typing; the world must outlive it. Empty: nothing does.
  std::function<ShellKnowledge(const core::Env&)> shell;
  // Serves HTTP until a signal ends it; returns the exit code. Empty: this program has no HTTP
  // and hands over to `<name>-http` beside it.
  std::function<int(const HttpSettings&, Dispatcher&, const core::Env&)> http;
};

}  // namespace server
