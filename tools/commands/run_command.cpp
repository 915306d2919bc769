#include "tools/commands/run_command.h"

#include "core/schedule/run_job.h"
#include "server/base/printable.h"
#include "server/cli/command_line.h"
#include "server/mcp/tool.h"

namespace tools {

namespace {

constexpr const char* kUsage = "run NAME [--if-due]";  // --scheduled is for schedulers

int usage() {
  std::fprintf(stderr, "Usage: backup-plugin-db %s\n", kUsage);
  return server::kExitUsage;
}

int run(const std::vector<std::string>& words, const core::Env& env, const server::Speech& speech,
        std::stop_token stop) {
  core::RunOptions options;
  std::string name;
  for (const std::string& word : words) {
    if (word == "--scheduled") {
      options.scheduled = true;
    } else if (word == "--if-due") {
      options.if_due = true;
    } else if (name.empty() && !word.starts_with('-')) {
      name = word;
    } else {
      return usage();
    }
  }
  if (name.empty()) return usage();
  core::NoProgress no_progress;
  const auto outcome = core::run_job(name, options, env, no_progress, stop);
  if (!outcome) {
    server::print_error(speech(server::error_text(outcome.error())));
    return server::exit_code(outcome.error().code);
  }
  const std::string report = speech(core::report_of(*outcome, options));
  return server::print_output(server::printable(report));
}

}  // namespace

server::ExtraCommand run_command() {
  return {"run", kUsage, "Run a schedule's job: what a scheduler does", run};
}

}  // namespace tools
