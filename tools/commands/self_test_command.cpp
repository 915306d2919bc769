#include "tools/commands/self_test_command.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/status/self_test.h"
#include "server/base/exit_codes.h"
#include "server/base/printable.h"
#include "server/cli/command_line.h"
#include "server/mcp/tool.h"
#include "server/platform/system_name.h"

namespace tools {

namespace {

constexpr const char* kSelfTestUsage = "self-test [FOLDER]";
constexpr std::size_t kOutcomeWidth = 9, kNameWidth = 33;  // characters

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

std::string line_of(const core::SelfTestStep& step) {
  if (step.error) {
    return padded("FAILED", kOutcomeWidth) + padded(step.name, kNameWidth) +
           server::error_text(*step.error);
  }
  if (!step.skipped.empty()) {
    return padded("skipped", kOutcomeWidth) + padded(step.name, kNameWidth) + step.skipped;
  }
  return padded("ok", kOutcomeWidth) + padded(step.name, kNameWidth) + step.found + " (" +
         std::to_string(static_cast<std::int64_t>(step.elapsed_ms)) + " ms)";
}

int run_self_test(const std::vector<std::string>& words, const core::Env& env,
                  const server::Speech& speech, std::stop_token stop) {
  if (words.size() > 1 || (!words.empty() && words[0].starts_with('-'))) {
    return server::usage_error(std::string("Usage: backup-plugin-db ") + kSelfTestUsage);
  }
  const auto fail = [&speech](const core::Error& error) {
    server::print_error(speech(server::error_text(error)));
    return server::exit_code(error.code);
  };
  core::fs::path within = env.places.state;
  if (!words.empty()) {
    within = env.places.current_folder / core::path_of(words[0]);
  } else if (auto made = env.files.make_folders(within, core::kPrivateFolder); !made) {
    return fail(made.error());
  }
  const auto test = core::self_test(within, env, std::move(stop));
  if (!test) return fail(test.error());
  std::string report = "backup-plugin-db " BPD_VERSION ", SQLite " + test->sqlite_version + "\n" +
                       server::system_name() + "\nin " + core::text_of(test->folder) + "\n\n";
  const core::SelfTestStep* failed = nullptr;
  for (const core::SelfTestStep& step : test->steps) {
    report += speech(line_of(step)) + "\n";
    if (step.error && failed == nullptr) failed = &step;
  }
  report += failed == nullptr ? "\nEverything that was tried works." : "\nIt does not work here.";
  const int printed = server::print_output(server::printable(report));
  return failed == nullptr ? printed : server::exit_code(failed->error->code);
}

}  // namespace

server::ExtraCommand self_test_command() {
  return {"self-test", kSelfTestUsage, "Try everything out with a database made for it",
          run_self_test};
}

}  // namespace tools
