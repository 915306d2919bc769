#include "tools/drill.h"

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/restore/choose_snapshot.h"
#include "core/restore/drill.h"
#include "core/schedule/folder_members.h"
#include "core/schedule/job.h"
#include "server/base/printable.h"
#include "tools/base/limits.h"
#include "tools/encode.h"
#include "tools/verify_snapshot.h"

namespace tools {

using core::Error;
using core::ErrorCode;
using core::fs::path;
using server::Json;

namespace {

Json encode(const core::DrillResult& result) {
  Json entry{{"source", result.source},
             {"snapshot", core::text_of(result.snapshot)},
             {"taken_at", core::format_instant(result.taken_at)},
             {"verdict", core::to_string(result.verdict)},
             {"tables", result.tables},
             {"rows", result.rows}};
  if (!result.searched.empty()) entry["searched"] = result.searched;
  if (!result.warnings.empty()) entry["warnings"] = result.warnings;
  return entry;
}

core::Expected<std::vector<path>> sources_of(const core::BackupJob& job,
                                             server::CallContext& context, const Setting& setting) {
  if (!job.is_of_folder()) return std::vector<path>{job.snapshot.source};
  BPD_TRY_AS(members, core::members_of(job, core::kRunSearch, setting.world, context.stop()));
  std::vector<path> sources;
  for (const auto& member : members->snapshots) sources.push_back(member.source);
  return sources;
}

Json drill_one(const path& source, const path& destination, server::CallContext& context,
               const Setting& setting) {
  const auto latest =
      core::latest_snapshot_of(source, destination, core::Damaged::is_passed_over, setting.world);
  auto result = latest
                    ? core::drill({latest->path}, setting.world, context.progress(), context.stop())
                    : core::Expected<core::DrillResult>(core::fail(latest.error()));
  if (result) return encode(*result);
  return {{"source", core::text_of(source)}, {"error", server::error_text(result.error())}};
}

// A failure of one keeps no other from being tried.
server::ToolOutcome<Json> drill_all(server::CallContext& context, const Setting& setting) {
  Json structured{{"drills", Json::array()}, {"warnings", Json::array()}};
  std::vector<core::UnusableJob> unusable;
  for (const auto& job : core::list_jobs(setting.world.places, setting.world.files, unusable)) {
    if (!allows_schedule(setting, job)) continue;
    if (context.stop().stop_requested()) {
      return Error{ErrorCode::cancelled, "The drills were stopped.", ""};
    }
    const auto sources = sources_of(job, context, setting);
    if (!sources) structured["warnings"].push_back(job.name + ": " + sources.error().message);
    for (const path& source : sources.value_or(std::vector<path>())) {
      structured["drills"].push_back(drill_one(source, job.snapshot.destination, context, setting));
    }
  }
  for (const auto& job : unusable) {
    if (setting.allowed.empty()) structured["warnings"].push_back(core::to_text(job));
  }
  if (!structured.at("drills").empty()) return structured;
  return Error{ErrorCode::not_found, "There is no schedule whose newest snapshot to drill with.",
               "Name a " + core::say_parameter("snapshot") + ", or a " +
                   core::say_parameter("source") + " and its " +
                   core::say_parameter("destination") + "."};
}

}  // namespace

server::ToolOutcome<Json> drill_call(const Arguments& arguments, server::CallContext& context,
                                     const Setting& setting) {
  if (!arguments.has("snapshot") && !arguments.has("source")) return drill_all(context, setting);
  auto snapshot = find_snapshot(arguments, core::Damaged::is_passed_over, context, setting);
  if (auto ending = server::ending_of<Json>(snapshot)) return *ending;
  auto& found = std::get<core::LatestSnapshot>(snapshot);
  const auto result = core::drill({found.path}, setting.env, context.progress(), context.stop());
  if (!result) return result.error();
  return Json{{"drills", Json::array({encode(*result)})}, {"warnings", found.warnings}};
}

std::string format_drills(const Json& structured) {
  std::string text = format_warnings(structured);
  for (const auto& entry : structured.at("drills")) {
    const auto source = entry.at("source").get<std::string>();
    if (entry.contains("error")) {
      text += source + ": the drill failed: " + entry.at("error").get<std::string>() + "\n";
      continue;
    }
    text += source + ": " + entry.at("snapshot").get<std::string>() + " restored, " +
            entry.at("verdict").get<std::string>() + ", " +
            format_count(entry.at("rows").get<std::uint64_t>(), "row") + " read in " +
            format_count(entry.at("tables").get<std::uint64_t>(), "table");
    if (entry.contains("searched")) {
      text += ", searched " + entry.at("searched").get<std::string>();
    }
    text += ", removed again\n";
    for (const auto& warning : entry.value("warnings", Json::array())) {
      text += "  Warning: " + warning.get<std::string>() + "\n";
    }
  }
  return text;
}

}  // namespace tools
