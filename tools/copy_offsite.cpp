#include "tools/copy_offsite.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/shell_word.h"
#include "core/offsite/recovery_sheet.h"
#include "core/schedule/run_job.h"
#include "core/schedule/run_offsite.h"
#include "server/base/printable.h"
#include "server/cli/shell_speech.h"
#include "tools/base/limits.h"
#include "tools/base/next_step.h"
#include "tools/encode.h"
#include "tools/schedules/schedule_names.h"
#include "tools/schema.h"

namespace tools {

using core::ErrorCode;
using server::Json;

namespace {

// A run that just ends is worth a short wait.
constexpr std::chrono::milliseconds kLockTimeout{2'000};

std::string_view word_of(core::OffsiteCopy::What what) {
  switch (what) {
    case core::OffsiteCopy::What::sent:
      return "sent";
    case core::OffsiteCopy::What::unchanged:
      return "unchanged";
    case core::OffsiteCopy::What::waiting:
      return "waiting";
  }
  return "sent";
}

Json encode(const core::OffsiteCopy& copy, const std::string& schedule) {
  Json entry{{"schedule", schedule},
             {"source", copy.source},
             {"copy", copy.copy},
             {"what", word_of(copy.what)},
             {"taken_at", core::format_instant(copy.taken_at)},
             {"bytes", copy.bytes},
             {"copies", copy.copies}};
  if (!copy.removed.empty()) entry["removed"] = encode_expired(copy.removed);
  return entry;
}

// The jobs that have copies elsewhere: those that are named, or all.
core::Expected<std::vector<core::BackupJob>> jobs_of(const Arguments& arguments,
                                                     const Setting& setting,
                                                     const std::stop_token& stop) {
  auto names = arguments.texts("schedule");
  const bool all = names.empty() || (names.size() == 1 && means_all(names.front(), setting));
  if (all) {
    BPD_TRY_AS(every, all_schedules(setting, stop));
    names = std::move(*every);
  }
  std::vector<core::BackupJob> jobs;
  for (const auto& name : names) {
    BPD_TRY(check_schedule(name, setting));
    auto job = core::read_job(name, setting.world.places, setting.world.files);
    if (!job && all) continue;  // the status tells of one that cannot be read
    if (!job) return core::fail(job.error());
    if (job->offsite) {
      jobs.push_back(std::move(*job));
    } else if (!all) {
      return core::fail(ErrorCode::invalid_argument,
                        "'" + name + "' takes no copies off this machine.",
                        "Give it a remote: " +
                            core::say(core::Action::install_schedule,
                                      {{"name", name}, {"offsite", std::string("remote:path")}}) +
                            ".");
    }
  }
  if (!jobs.empty()) return jobs;
  return core::fail(
      ErrorCode::not_found, "No schedule takes copies off this machine.",
      core::say(core::Action::install_schedule, {{"offsite", std::string("remote:path")}}) +
          " makes one do so.");
}

// For a machine that has nothing yet, where the program lies in PATH.
core::SheetRemote on_sheet(const core::RemotePath& remote) {
  const core::Call call{std::string(core::to_string(core::Action::bring_home)),
                        {{"destination", core::text_of(remote)}}};
  return {remote, core::shell_command(
                      server::shell_words(step_of(call), "backup-plugin-db", "restore-all"))};
}

core::Expected<Json> write_sheet(const core::fs::path& path,
                                 const std::vector<core::BackupJob>& jobs, const Setting& setting,
                                 const std::stop_token& stop) {
  std::vector<core::SheetRemote> remotes;
  std::vector<core::fs::path> beside;
  for (const auto& job : jobs) {
    beside.push_back(job.snapshot.destination);
    const auto& remote = job.offsite->remote;
    const bool has = std::any_of(remotes.begin(), remotes.end(),
                                 [&](const auto& one) { return one.remote == remote; });
    if (!has) remotes.push_back(on_sheet(remote));
  }
  BPD_TRY(core::write_recovery_sheet(path, jobs.front().offsite->rclone, remotes, beside,
                                     setting.world, stop));
  return Json{{"copies", Json::array()},
              {"dry_run", false},
              {"recovery_sheet", core::text_of(path)},
              {"warnings", Json::array({core::text_of(path) +
                                        " holds passwords. Print it or put it into a password "
                                        "manager, away from the copies and from this machine, and "
                                        "remove the file."})}};
}

// What came of one schedule.
void copy_one_off(const core::BackupJob& job, bool dry_run, Json& structured,
                  const Setting& setting, server::CallContext& context) {
  const auto note_error = [&](const std::string& source, const core::Error& error) {
    structured["copies"].push_back(
        {{"schedule", job.name}, {"source", source}, {"error", server::error_text(error)}});
  };
  const auto lock = core::lock_run(job.name, kLockTimeout, setting.world, context.stop());
  if (!lock) return note_error(core::text_of(job.place()), lock.error());
  const auto run = core::run_offsite(job, {/*all=*/true, dry_run}, setting.world,
                                     context.progress(), context.stop());
  if (!run) return note_error(core::text_of(job.place()), run.error());
  for (const auto& copy : run->copies) {
    structured["copies"].push_back(encode(copy, job.name));
    for (const auto& warning : copy.warnings) structured["warnings"].push_back(warning);
  }
  for (const auto& failure : run->failures) note_error(failure.source, failure.error);
}

std::string copy_line(const Json& entry, bool dry_run) {
  const auto text = [&](const char* key) { return entry.at(key).get<std::string>(); };
  if (entry.contains("error")) {
    return text("source") + " (" + text("schedule") + ") failed: " + text("error") + "\n";
  }
  std::string line = text("source") + ": ";
  if (text("what") == "sent") {
    line += (dry_run ? "would send " : "sent and read back ") +
            format_bytes(entry.at("bytes").get<std::uint64_t>()) + ", " + text("copy");
  } else if (text("what") == "unchanged") {
    line += "unchanged, stands as " + text("copy");
  } else {
    line += "today's copy is the only one, and stays: " + text("copy") + "; the next goes tomorrow";
  }
  const auto copies = entry.at("copies").get<std::uint64_t>();
  line += ", " + std::to_string(copies) + (copies == 1 ? " copy\n" : " copies\n");
  if (entry.contains("removed")) line += format_expired(entry.at("removed"), dry_run);
  return line;
}

std::string copy_offsite_text(const Json& structured) {
  std::string text = format_warnings(structured);
  if (structured.contains("recovery_sheet")) {
    return text + "Wrote " + structured.at("recovery_sheet").get<std::string>() + "\n";
  }
  const bool dry_run = structured.at("dry_run").get<bool>();
  for (const auto& entry : structured.at("copies")) text += copy_line(entry, dry_run);
  return text;
}

std::optional<ErrorCode> offsite_news(const Json& structured) {
  const auto& copies = structured.at("copies");
  const bool failed = std::any_of(copies.begin(), copies.end(),
                                  [](const Json& entry) { return entry.contains("error"); });
  return failed ? std::optional(ErrorCode::damaged) : std::nullopt;
}

core::Expected<> check_sheet(const Setting& setting) {
  if (setting.may_call()) return {};
  return core::fail(ErrorCode::permission_denied,
                    "A recovery sheet holds passwords, which a server limited to folders must not "
                    "tell its client.",
                    "Write it from the command line.");
}

}  // namespace

server::Tool copy_offsite(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    const auto jobs = jobs_of(arguments, setting, context.stop());
    if (!jobs) return jobs.error();
    const auto sheet = arguments.path("recovery_sheet");
    if (!sheet) return sheet.error();
    if (*sheet) {
      if (auto may = check_sheet(setting); !may) return may.error();
      auto written = write_sheet(**sheet, *jobs, setting, context.stop());
      if (!written) return written.error();
      return std::move(*written);
    }
    const bool dry_run = arguments.flag("dry_run");
    Json structured{{"copies", Json::array()}, {"dry_run", dry_run}, {"warnings", Json::array()}};
    for (const auto& job : *jobs) {
      copy_one_off(job, dry_run, structured, setting, context);
      if (context.stop().stop_requested()) {
        return core::Error{ErrorCode::cancelled, "Stopped; what stands by then stands.", ""};
      }
    }
    return structured;
  };
  auto tool = server::make_tool(schema_of("copy_offsite"), handler);
  tool.verb = "offsite";
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = copy_offsite_text;
  tool.bad_news = offsite_news;
  return tool;
}

}  // namespace tools
