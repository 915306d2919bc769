// The body of both programs: reads the command line and runs a tool, the stdio server, or HTTP.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/env.h"
#include "server/dispatcher.h"
#include "server/server_definition.h"

namespace server {

// `serve --http …`, as the command line gave it.
struct HttpSettings {
  std::string address;     // "127.0.0.1:8765"
  std::string token_file;  // empty: the token comes from the environment, if at all
  // Where neither has one, and on loopback: a token of our own, which the first start makes.
  bool keep_token = false;
  bool no_token = false;  // none is wanted, so none may be set
  std::string name;       // of the server, as clients may call it
  std::vector<std::string> allowed_origins;
};

// A command that is no tool, such as `run NAME`, which schedulers start.
struct ExtraCommand {
  std::string name;
  std::string usage;        // "run NAME [--if-due]"
  std::string description;  // one line for --help
  // Gets the words after the name, uninterpreted; prints; returns the exit code. SIGINT and SIGTERM
  // request a stop.
  std::function<int(const std::vector<std::string>& words, const core::Env&, std::stop_token)> run;
};

// What a program is made of; main.cpp alone fills it in.
struct ProgramParts {
  std::string name;
  std::string version;
  // The server over these tools.
  std::function<ServerDefinition(const core::Env&, const ServerLimits&)> define;
  // Command-line verbs of tools that are not just their names with hyphens: {"list",
  // "list_snapshots"}.
  std::vector<std::pair<std::string, std::string>> verbs;
  std::vector<ExtraCommand> commands;
  // Serves HTTP until a signal ends it; returns the exit code. Empty: this program has no HTTP
  // and hands over to `<name>-http` beside it.
  std::function<int(const HttpSettings&, Dispatcher&, const core::Env&)> http;
};

// Returns the exit code. Reads and writes the standard streams.
int run_program(int argc, char** argv, const ProgramParts& parts);

}  // namespace server
