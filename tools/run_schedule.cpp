#include "tools/run_schedule.h"

#include <algorithm>

#include "core/base/call.h"
#include "server/base/printable.h"
#include "tools/base/limits.h"
#include "tools/encode.h"
#include "tools/schedules/schedule_names.h"
#include "tools/schema.h"
#include "tools/snapshot_resources.h"

namespace tools {

using server::Json;

namespace {

bool is_of_folder(const core::ProvenRun& run) {
  return run.record.kind == core::kFolderRun;
}

Json encode_proven(const core::ProvenSnapshot& snapshot) {
  const core::RunRecord& record = snapshot.record;
  Json entry{{"snapshot", record.snapshot}, {"bytes", record.bytes}};
  if (snapshot.verification) entry["verdict"] = core::to_string(snapshot.verification->verdict);
  if (!record.ok) entry["error"] = record.error;
  return entry;
}

std::string written(const Json& entry) {
  return "wrote " + entry.at("snapshot").get<std::string>() + ", " +
         format_bytes(entry.at("bytes").get<std::uint64_t>()) + ", " +
         entry.at("verdict").get<std::string>();
}

// What stands off this machine after the run.
std::string format_offsite(const Json& run) {
  std::string text;
  for (const auto& copy : run.value("offsite", Json::array())) {
    const bool sent = copy.at("bytes").get<std::uint64_t>() > 0;
    text += std::string(sent ? "Copied off this machine and read back: "
                             : "Stands off this machine: ") +
            copy.at("copy").get<std::string>() + "\n";
  }
  return text;
}

}  // namespace

Json encode_run(const core::ProvenRun& run) {
  Json structured = Json::object();
  if (is_of_folder(run)) {
    structured["databases"] = Json::array();
    for (const core::ProvenSnapshot& snapshot : run.snapshots) {
      Json entry = encode_proven(snapshot);
      entry["source"] = snapshot.record.source;
      structured["databases"].push_back(std::move(entry));
    }
  } else {
    structured = encode_proven(run.snapshots.front());
  }
  structured["started_at"] = core::format_instant(run.record.started_at);
  structured["finished_at"] = core::format_instant(run.record.finished_at);
  structured["how"] = run.how;
  for (const core::RunRecord& copy : run.offsite) {
    structured["offsite"].push_back({{"copy", copy.snapshot}, {"bytes", copy.bytes}});
  }
  return structured;
}

std::vector<std::string> warnings_of(const core::ProvenRun& run) {
  std::vector<std::string> warnings = core::texts_of(run.record.warnings);
  for (const core::ProvenSnapshot& snapshot : run.snapshots) {
    const std::string whose = is_of_folder(run) ? snapshot.record.source + ": " : "";
    if (is_of_folder(run)) {
      for (const auto& warning : snapshot.record.warnings) warnings.push_back(whose + warning.text);
    }
    if (snapshot.verification &&
        snapshot.verification->verdict == core::VerifyReport::Verdict::inconclusive) {
      warnings.push_back(whose + "Not every check of the snapshot could be made; " +
                         core::say(core::Action::verify) + " says why.");
    }
  }
  for (const core::RunRecord& copy : run.offsite) {
    for (const auto& warning : copy.warnings) warnings.push_back(warning.text);
    if (!copy.ok) warnings.push_back(copy.error);
  }
  return warnings;
}

std::string format_run(const Json& run) {
  const std::string how = "Ran through its scheduler (" + run.at("how").get<std::string>() + ")";
  if (!run.contains("databases")) return how + ": " + written(run) + "\n" + format_offsite(run);
  std::string good, failed;
  std::size_t count = 0;
  for (const auto& entry : run.at("databases")) {
    const auto source = entry.at("source").get<std::string>();
    if (entry.contains("error")) {
      failed += "  " + source + " failed: " + entry.at("error").get<std::string>() + "\n";
    } else {
      ++count;
      good += "  " + source + ": " + written(entry) + "\n";
    }
  }
  return how + ": " + std::to_string(count) + " of " +
         format_count(run.at("databases").size(), "database") + " backed up\n" + failed + good +
         format_offsite(run);
}

std::vector<std::string> uris_of(const Json& run, const Json& expired, const Setting& setting) {
  if (!run.contains("databases")) {
    return uris_of_run(run.at("snapshot").get<std::string>(), expired, setting);
  }
  auto uris = uris_of_removed(expired);
  for (const auto& entry : run.at("databases")) {
    const auto more = uris_of_snapshot(entry.at("snapshot").get<std::string>(), setting);
    uris.insert(uris.end(), more.begin(), more.end());
  }
  return uris;
}

namespace {

core::Expected<Json> run_one(const std::string& name, const Setting& setting,
                             const std::stop_token& stop) {
  BPD_TRY_AS(run, core::run_schedule(name, setting.world, stop));
  Json structured = encode_run(*run);
  structured["name"] = name;
  structured["expired"] = encode_expired(run->expired);
  structured["warnings"] = warnings_of(*run);
  return structured;
}

// One after the other; what is wrong with one keeps no other from its run.
server::ToolOutcome<Json> run_each(const std::vector<std::string>& names, const Setting& setting,
                                   const std::stop_token& stop) {
  Json structured{{"name", kAllSchedules},
                  {"how", "each through its own scheduler"},
                  {"schedules", Json::array()},
                  {"expired", Json::array()},
                  {"warnings", Json::array()}};
  for (const auto& name : names) {
    auto run = run_one(name, setting, stop);
    if (stop.stop_requested()) {
      return core::Error{core::ErrorCode::cancelled, "Stopped; what had run by then has run.", ""};
    }
    if (!run) {
      structured["schedules"].push_back(
          {{"name", name}, {"error", server::error_text(run.error())}});
      continue;
    }
    for (const auto& expired : run->at("expired")) structured["expired"].push_back(expired);
    structured["schedules"].push_back(std::move(*run));
  }
  return structured;
}

std::string run_schedule_text(const Json& structured) {
  if (!structured.contains("schedules")) {
    return format_warnings(structured) + format_run(structured) +
           format_expired(structured.at("expired"), /*dry_run=*/false);
  }
  std::string failed, good;
  for (const auto& entry : structured.at("schedules")) {
    const std::string head = entry.at("name").get<std::string>() + ": ";
    if (entry.contains("error")) {
      failed += head + "failed: " + entry.at("error").get<std::string>() + "\n";
    } else {
      good += head + run_schedule_text(entry);
    }
  }
  return failed + good;
}

bool has_failed(const Json& run) {
  if (run.contains("error")) return true;
  const auto databases = run.find("databases");
  return databases != run.end() &&
         std::any_of(databases->begin(), databases->end(),
                     [](const Json& entry) { return entry.contains("error"); });
}

// For scripts: something was not backed up.
std::optional<core::ErrorCode> runs_that_failed(const Json& structured) {
  const auto schedules = structured.find("schedules");
  const bool failed = schedules == structured.end()
                          ? has_failed(structured)
                          : std::any_of(schedules->begin(), schedules->end(), has_failed);
  return failed ? std::optional(core::ErrorCode::damaged) : std::nullopt;
}

}  // namespace

server::Tool run_schedule(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const std::string name = Arguments(json, setting).text("name").value_or("");
    if (means_all(name, setting)) {
      const auto names = all_schedules(setting, context.stop());
      if (!names) return names.error();
      return run_each(*names, setting, context.stop());
    }
    if (auto checked = check_schedule(name, setting); !checked) return checked.error();
    auto run = run_one(name, setting, context.stop());
    if (!run) return run.error();
    return std::move(*run);
  };
  auto tool = server::make_tool(schema_of("run_schedule"), handler);
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = run_schedule_text;
  tool.bad_news = runs_that_failed;
  tool.changed_resources = [setting](const Json& structured) {
    const auto schedules = structured.find("schedules");
    if (schedules == structured.end()) {
      return uris_of(structured, structured.at("expired"), setting);
    }
    std::vector<std::string> uris;
    for (const auto& run : *schedules) {
      if (run.contains("error")) continue;
      const auto more = uris_of(run, run.at("expired"), setting);
      uris.insert(uris.end(), more.begin(), more.end());
    }
    return uris;
  };
  return tool;
}

}  // namespace tools
