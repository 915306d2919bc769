#include "core/schedule/scheduler.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/platform/ownership.h"
#include "core/schedule/quoting.h"

namespace core {

namespace {

// What is quoted of a program's complaint.
constexpr std::size_t kMaxComplaintBytes = 1000;

std::string trimmed_complaint(const CommandResult& result) {
  std::string text = result.error_output.empty() ? result.output : result.error_output;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text.substr(0, kMaxComplaintBytes);
}

Expected<> judge(const RunCommand& step, const CommandResult& result) {
  const bool complained = !step.forbidden_complaint.empty() &&
                          result.error_output.find(step.forbidden_complaint) != std::string::npos;
  if (!complained && (step.may_fail || (result.exit_code == 0 && !result.timed_out))) return {};
  if (result.timed_out) {
    return fail(ErrorCode::timed_out, "`" + shell_command(step.argv) + "` did not end in time.",
                "Run it by hand to see why.");
  }
  return fail(ErrorCode::io,
              "`" + shell_command(step.argv) + "` failed (exit code " +
                  std::to_string(result.exit_code) + "): " + trimmed_complaint(result),
              "Run it by hand to see why.");
}

Expected<> apply_command(const RunCommand& step, const Env& env, std::stop_token stop) {
  Command command{step.argv, step.input, step.environment, step.timeout};
  Expected<> outcome;
  for (int attempt = 1; attempt <= step.attempts; ++attempt) {
    const auto result = env.commands.run(command, stop);
    if (stop.stop_requested()) {
      return fail(ErrorCode::cancelled,
                  "Stopped while running `" + shell_command(step.argv) + "`.");
    }
    outcome = result ? judge(step, *result)
                     : (step.may_fail ? Expected<>{} : Expected<>(fail(result.error())));
    if (outcome || attempt == step.attempts) break;
    if (!env.clock.sleep_for(kAttemptPause, stop)) break;
  }
  return outcome;
}

Expected<> apply_write(const WriteFile& step, const Env& env) {
  BPD_TRY(env.files.make_folders(step.path.parent_path(), 0755));
  if (!step.utf16) return env.files.write_atomically(step.path, step.text, step.mode);
  BPD_TRY_AS(text, utf16le_with_bom(step.text));
  return env.files.write_atomically(step.path, *text, step.mode);
}

Expected<> apply_remove(const RemoveFile& step, const Env& env) {
  auto removed = env.files.remove(step.path);
  if (!removed && removed.error().code == ErrorCode::not_found) return {};
  return removed;
}

}  // namespace

std::string describe(const PlanStep& step) {
  if (const auto* write = std::get_if<WriteFile>(&step)) {
    return "write " + text_of(write->path) + " (mode " + mode_text(write->mode) + ")";
  }
  if (const auto* remove = std::get_if<RemoveFile>(&step)) return "remove " + text_of(remove->path);
  return "run " + shell_command(std::get<RunCommand>(step).argv);
}

Expected<> apply(const SchedulePlan& plan, const Env& env, std::stop_token stop) {
  for (const PlanStep& step : plan.steps) {
    if (stop.stop_requested())
      return fail(ErrorCode::cancelled, "Stopped before: " + describe(step));
    const auto done = std::visit(
        [&](const auto& value) -> Expected<> {
          using Step = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<Step, WriteFile>) {
            return apply_write(value, env);
          } else if constexpr (std::is_same_v<Step, RemoveFile>) {
            return apply_remove(value, env);
          } else {
            return apply_command(value, env, stop);
          }
        },
        step);
    if (!done) return done;
  }
  return {};
}

bool holds_entry(const Scheduler& scheduler, const std::string& name, const HostFacts& facts) {
  const auto names = scheduler.entries(facts);
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string wsl_warning() {
  return "This is WSL: nothing runs while the distribution is shut down; missed runs are caught up "
         "when it starts.";
}

std::vector<std::string> entries_in(const HostFacts& facts, const fs::path& folder,
                                    std::string_view prefix, std::string_view suffix) {
  std::vector<std::string> names;
  for (const auto& [path, text] : facts.files) {
    const std::string file = text_of(path.filename());
    if (path.parent_path() != folder || !file.starts_with(prefix) || !file.ends_with(suffix) ||
        file.size() <= prefix.size() + suffix.size()) {
      continue;
    }
    const std::string name =
        file.substr(prefix.size(), file.size() - prefix.size() - suffix.size());
    if (check_schedule_name(name)) names.push_back(name);
  }
  return names;
}

std::optional<SchedulePlan> plan_former_files(SchedulerKind kind,
                                              const std::vector<fs::path>& paths,
                                              const HostFacts& before,
                                              const std::vector<RunCommand>& commands) {
  SchedulePlan plan{kind, {}, {}};
  for (const fs::path& path : paths) {
    const auto found = before.files.find(path);
    if (found == before.files.end()) return std::nullopt;
    plan.steps.emplace_back(WriteFile{path, found->second});
  }
  plan.steps.insert(plan.steps.end(), commands.begin(), commands.end());
  return plan;
}

EntryCheck check_files(const Expected<SchedulePlan>& install, const HostFacts& facts) {
  if (!install) return EntryCheck::edited;
  EntryCheck worst = EntryCheck::as_written;
  for (const PlanStep& step : install->steps) {
    const auto* write = std::get_if<WriteFile>(&step);
    if (write == nullptr) continue;
    const auto found = facts.files.find(write->path);
    if (found == facts.files.end()) return EntryCheck::missing;
    if (found->second != write->text) worst = EntryCheck::edited;
  }
  return worst;
}

}  // namespace core
