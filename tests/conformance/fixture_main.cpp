// Serves the fixture over HTTP: `conformance_fixture [host:port]`, until SIGTERM.
#include <cstdio>

#include "core/base/env.h"
#include "fixture.h"
#include "server/http/http_server.h"
#include "server/mcp/dispatcher.h"

namespace {

server::ServerDefinition definition() {
  server::ServerDefinition out;
  out.name = "conformance-fixture";
  out.version = BPD_VERSION;
  out.title = "Conformance fixture";
  out.instructions = "Tools to test the protocol with.";
  out.lists_change = true;
  for (auto tools : {fixture::content_tools(), fixture::question_tools(), fixture::task_tools(),
                     fixture::change_tools(out.changes)}) {
    out.tools.insert(out.tools.end(), tools.begin(), tools.end());
  }
  out.resources = fixture::resources();
  out.prompts = fixture::prompts();
  out.complete = [](const server::CompletionRequest&) {
    return std::vector<std::string>{"paris", "park", "party"};
  };
  out.skills = fixture::skills();
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const auto places = core::system_places();
  if (!places) {
    std::fprintf(stderr, "%s\n", places.error().message.c_str());
    return 1;
  }
  const core::Env env{core::system_clock(), core::system_files(), core::system_commands(), *places};
  const server::ServerDefinition fixture = definition();
  server::DispatcherOptions options;
  options.check_output = true;
  server::Dispatcher dispatcher(fixture, env.clock, std::move(options));
  server::HttpSettings settings;
  settings.address = argc > 1 ? argv[1] : "127.0.0.1:0";
  return server::serve_http(settings, dispatcher, env);
}
