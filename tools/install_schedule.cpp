#include "tools/install_schedule.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/base/paths.h"
#include "core/catalog/retention.h"
#include "core/offsite/keep_text.h"
#include "core/offsite/remote_path.h"
#include "core/platform/ownership.h"
#include "core/schedule/due.h"
#include "core/schedule/install.h"
#include "core/snapshot/new_rules.h"
#include "server/base/printable.h"
#include "tools/base/limits.h"
#include "tools/encode.h"
#include "tools/run_schedule.h"
#include "tools/schedules/schedule_names.h"
#include "tools/schema.h"
#include "tools/snapshot_resources.h"

namespace tools {

using core::InstallRequest;
using core::InstallResult;
using server::Json;

namespace {

// One rule replaces all; 0 is none.
std::optional<core::RetentionPolicy> retention_of(const Arguments& arguments) {
  auto policy = arguments.retention();
  if (policy.empty()) return std::nullopt;
  for (const core::KeepRule& rule : core::kKeepRules) {
    auto& count = policy.*rule.count;
    if (count == 0) count.reset();
  }
  return policy;
}

// An empty text clears the hours, as it does other settings.
core::Expected<> take_hours(const Arguments& arguments, core::JobSettings& settings) {
  if (const auto every = arguments.text("every")) {
    settings.every_hours = core::parse_every(*every);
    if (!settings.every_hours) {
      return core::fail(core::ErrorCode::invalid_argument, "every is \"" + *every + "\".",
                        "Write it as day, hour, or a number of hours: 2h to 12h.");
    }
  }
  const auto between = arguments.text("between");
  if (!between) return {};
  settings.between.emplace();
  if (between->empty()) return {};
  *settings.between = core::parse_window(*between);
  if (*settings.between) return {};
  return core::fail(core::ErrorCode::invalid_argument, "between is \"" + *between + "\".",
                    "Write it as HH:MM-HH:MM, for example 08:00-20:00.");
}

// An empty text clears these, too.
core::Expected<> take_offsite(const Arguments& arguments, core::JobSettings& settings) {
  if (const auto remote = arguments.text("offsite")) {
    settings.offsite.emplace();
    if (!remote->empty()) {
      BPD_TRY_AS(parsed, core::parse_remote_folder(*remote));
      *settings.offsite = std::move(*parsed);
    }
  }
  if (const auto keep = arguments.text("offsite_keep")) {
    settings.offsite_keep.emplace();
    if (!keep->empty()) {
      BPD_TRY_AS(policy, core::parse_keep_text(*keep));
      *settings.offsite_keep = *policy;
    }
  }
  settings.offsite_bandwidth = arguments.text("offsite_bwlimit");
  return {};
}

core::Expected<core::JobSettings> settings_of(const Arguments& arguments, const Setting& setting) {
  core::JobSettings settings;
  BPD_TRY_AS(source, arguments.path("source"));
  settings.source = std::move(*source);
  BPD_TRY_AS(folder, arguments.path("folder"));
  settings.folder = std::move(*folder);
  if (arguments.has("global")) settings.global = arguments.flag("global");
  if (arguments.has("pattern")) settings.patterns = arguments.texts("pattern");
  BPD_TRY_AS(destination, arguments.path("destination"));
  settings.destination = std::move(*destination);
  settings.hostname = arguments.text("hostname");
  settings.label = arguments.text("label");
  if (arguments.has("flat")) settings.flat = arguments.flag("flat");
  if (arguments.has("verify")) {
    settings.verify = arguments.verify("verify", core::VerifyLevel::quick);
  }
  settings.retention = retention_of(arguments);
  if (const auto time = arguments.text("time")) {
    settings.time = core::parse_time_of_day(*time);
    if (!settings.time) {
      return core::fail(core::ErrorCode::invalid_argument, "time is \"" + *time + "\".",
                        "Write it as HH:MM, 00:00 to 23:59.");
    }
  }
  BPD_TRY(take_hours(arguments, settings));
  if (const auto drills = arguments.text("drills")) settings.drills = core::parse_drills(*drills);
  BPD_TRY(take_offsite(arguments, settings));
  settings.on_failure = arguments.text("on_failure");
  settings.ping_url = arguments.text("ping_url");
  BPD_TRY(check_calls(arguments, setting));
  return settings;
}

core::Expected<InstallRequest> request_of(const Arguments& arguments, const Setting& setting) {
  InstallRequest request;
  request.name = arguments.text("name").value_or("");
  if (arguments.has("name")) {
    BPD_TRY(core::check_schedule_name(request.name));
  }
  BPD_TRY_AS(settings, settings_of(arguments, setting));
  request.settings = std::move(*settings);
  const std::string scheduler = arguments.text("scheduler").value_or("");
  request.scheduler = core::parse_scheduler_kind(scheduler);
  request.any_scheduler = scheduler == "auto";
  request.run_now = arguments.flag("run_now", true);
  request.dry_run = arguments.flag("dry_run");
  return request;
}

// A command of the user's is not for a server limited to folders.
std::vector<std::string> shown(const std::vector<core::SettingText>& settings,
                               const Setting& setting) {
  std::vector<std::string> lines;
  for (const auto& [name, text] : settings) {
    const bool hidden = name == "on_failure" && !setting.may_call();
    lines.push_back(name + ": " + (hidden ? "…" : text));
  }
  return lines;
}

core::BackupJob shown(core::BackupJob job, const Setting& setting) {
  job.ping_url = core::shown_ping_url(job.ping_url);
  if (!setting.may_call() && !job.on_failure.empty()) job.on_failure = "…";
  return job;
}

// "About 30 snapshots of 10.6 MB, 318.0 MB in all; 210.0 GB are free."
std::string words_of(const core::KeepEstimate& keeps) {
  const std::string each = format_bytes(keeps.bytes_each);
  const bool one = keeps.databases == 1;
  const std::string all = "of each of the " + format_count(keeps.databases, "database");
  std::string text = "Every snapshot stays, as there are no keep rules; " +
                     (one ? "each takes " + each : "one " + all + " takes " + each);
  if (keeps.snapshots) {
    text = "About " + format_count(*keeps.snapshots, "snapshot") + " " +
           (one ? "of " + each : all) + ", " + format_bytes(*keeps.snapshots * keeps.bytes_each) +
           " in all";
  }
  if (keeps.free_bytes == std::numeric_limits<std::uint64_t>::max()) return text + ".";
  return text + "; " + format_bytes(keeps.free_bytes) + " are free.";
}

Json encode(const InstallResult& result, const Setting& setting) {
  Json structured{{"name", result.job.name},
                  {"scheduler", core::to_string(result.job.scheduler)},
                  {"time", core::format_time_of_day(result.job.time)},
                  {"when", core::describe_times(result.job)},
                  {"destination", core::text_of(result.job.snapshot.destination)},
                  {"dry_run", result.dry_run},
                  {"updated", result.updated},
                  {"changed", shown(result.changes.changed, setting)},
                  {"kept", shown(result.changes.kept, setting)},
                  {"next_run", core::format_instant(result.next_run)}};
  put_place(structured, result.job);
  if (result.job.offsite) structured["offsite"] = core::text_of(result.job.offsite->remote);
  if (result.job.is_of_folder()) {
    structured["databases"] = Json::array();
    for (const auto& database : result.databases) {
      Json entry{{"source", core::text_of(database.source)}, {"label", database.label}};
      if (database.error) entry["error"] = server::error_text(*database.error);
      structured["databases"].push_back(std::move(entry));
    }
  }
  const std::string job_text = core::encode_job(result.job);
  const std::string shown_job_text = core::encode_job(shown(result.job, setting));
  Json files = Json::array();
  for (const auto& file : result.files) {
    Json entry{{"path", core::text_of(file.path)}, {"mode", core::mode_text(file.mode)}};
    if (result.dry_run) entry["text"] = file.text == job_text ? shown_job_text : file.text;
    files.push_back(std::move(entry));
  }
  structured["files"] = std::move(files);
  if (result.dry_run) structured["commands"] = result.commands;
  std::vector<std::string> warnings = result.warnings;
  if (!result.run) {
    for (const auto& database : result.databases) {
      if (!database.error) continue;
      warnings.push_back(core::text_of(database.source) + ": " + database.error->message);
    }
  } else {
    structured["run"] = encode_run(*result.run);
    const auto more = warnings_of(*result.run);
    warnings.insert(warnings.end(), more.begin(), more.end());
  }
  structured["keeps"] = words_of(result.keeps);
  structured["expired"] = encode_expired(result.expired);
  structured["removed"] = result.removed;
  structured["warnings"] = warnings;
  return structured;
}

std::string lines_of(const Json& structured, const char* key, const std::string& head) {
  std::string text;
  for (const auto& line : structured.at(key)) text += head + line.get<std::string>() + "\n";
  return text;
}

// What a folder's schedule covers, where no run says it.
std::string format_covered(const Json& structured, std::size_t width) {
  if (!structured.contains("databases")) return "";
  std::vector<std::vector<std::string>> rows{{"DATABASE", "LABEL"}};
  for (const auto& entry : structured.at("databases")) {
    rows.push_back({entry.at("source").get<std::string>(), entry.at("label").get<std::string>()});
  }
  return format_table(rows, width);
}

std::string place_in(const Json& structured) {
  if (structured.contains("source")) return structured.at("source").get<std::string>();
  return "the databases below " + structured.at("folder").get<std::string>();
}

std::string one_text(const Json& structured, std::size_t width) {
  const auto text_of = [&](const char* key) { return structured.at(key).get<std::string>(); };
  std::string text = format_warnings(structured);
  const std::string settings =
      lines_of(structured, "changed", "Changed: ") + lines_of(structured, "kept", "Kept: ");
  if (structured.at("dry_run").get<bool>()) {
    text += settings + "When: " + text_of("when") + "\nKeeps: " + text_of("keeps") + "\n" +
            format_covered(structured, width) +
            format_expired(structured.at("expired"), /*dry_run=*/true) +
            "Would do, in this order:\n";
    for (const auto& command : structured.at("commands")) {
      text += "  " + command.get<std::string>() + "\n";
    }
    for (const auto& file : structured.at("files")) {
      text +=
          "\n== " + file.at("path").get<std::string>() + "\n" + file.at("text").get<std::string>();
    }
    return text;
  }
  text += std::string(structured.at("updated").get<bool>() ? "Updated" : "Installed") +
          " the schedule '" + text_of("name") + "' (" + text_of("scheduler") +
          "): " + place_in(structured) + " to " + text_of("destination") + ", " + text_of("when") +
          ", next " + text_of("next_run") + "\n" + settings + "Keeps: " + text_of("keeps") + "\n";
  text += structured.contains("run") ? format_run(structured.at("run"))
                                     : format_covered(structured, width);
  text += format_expired(structured.at("expired"), !structured.contains("run"));
  return text + lines_of(structured, "removed", "Removed ");
}

// For scripts: a change that was asked for did not happen.
std::optional<core::ErrorCode> changes_that_failed(const Json& structured) {
  const auto schedules = structured.find("schedules");
  if (schedules == structured.end()) return std::nullopt;
  const bool failed = std::any_of(schedules->begin(), schedules->end(),
                                  [](const Json& entry) { return entry.contains("error"); });
  return failed ? std::optional(core::ErrorCode::damaged) : std::nullopt;
}

// Nothing: go on. Otherwise the question, or why nothing is changed.
std::optional<server::ToolOutcome<Json>> settle_removals(const core::Error& unconfirmed,
                                                         const std::optional<bool>& yes,
                                                         const server::CallContext& context) {
  if (yes.value_or(false)) return std::nullopt;
  if (yes) {
    return core::Error{core::ErrorCode::cancelled,
                       "Nothing was changed: the removal was not confirmed.", ""};
  }
  return ask_for_yes(context, unconfirmed.message, unconfirmed.message + " Go on?", "Remove them");
}

// What cannot be one for all schedules.
core::Expected<> check_for_all(const Arguments& arguments) {
  for (const char* key : {"source", "folder", "global", "pattern", "label"}) {
    if (!arguments.has(key)) continue;
    return core::fail(core::ErrorCode::invalid_argument,
                      std::string(key) + " cannot be the same for every schedule, and the name '" +
                          std::string(kAllSchedules) + "' means every one.",
                      "Leave it out, or give the schedule another name.");
  }
  return {};
}

// First tries all of them, so that nothing is changed where one would be refused, or what new keep
// rules remove was not agreed to.
server::ToolOutcome<Json> change_all(InstallRequest request, const Arguments& arguments,
                                     const Setting& setting, server::CallContext& context) {
  if (auto fine = check_for_all(arguments); !fine) return fine.error();
  const auto names = all_schedules(setting, context.stop());
  if (!names) return names.error();
  const bool dry_run = request.dry_run;
  const auto change = [&](const std::string& name, bool only_try) {
    request.name = name;
    request.dry_run = only_try;
    return core::install_schedule(request, setting.world, context.progress(), context.stop());
  };
  std::vector<core::Expiry> removals;
  Json schedules = Json::array();
  for (const auto& name : *names) {
    const auto result = change(name, /*only_try=*/true);
    if (!result) {
      core::Error error = result.error();
      error.message = "Nothing was changed, because of '" + name + "': " + error.message;
      return error;
    }
    if (result->new_rules) {
      removals.insert(removals.end(), result->expired.begin(), result->expired.end());
    }
    schedules.push_back(encode(*result, setting));
  }
  Json structured{{"name", kAllSchedules}, {"dry_run", dry_run}, {"warnings", Json::array()}};
  if (!dry_run && !removals.empty()) {
    const auto error =
        core::unconfirmed_removal("By new keep rules the first runs would remove", removals);
    const auto yes = confirmation_of(arguments, context);
    if (auto ending = settle_removals(error, yes, context)) return *ending;
  }
  request.confirmed = true;
  for (auto& entry : schedules) {
    if (dry_run) break;
    const auto name = entry.at("name").get<std::string>();
    const auto result = change(name, /*only_try=*/false);
    entry = result ? encode(*result, setting)
                   : Json{{"name", name}, {"error", server::error_text(result.error())}};
  }
  structured["schedules"] = std::move(schedules);
  return structured;
}

// A name alone is one that is there: a slip would make a second schedule of the default database.
core::Expected<> check_lone_name(const std::string& name, const Arguments& arguments,
                                 const Setting& setting, std::stop_token stop) {
  for (const char* key : {"source", "folder", "destination"}) {
    if (arguments.has(key)) return {};
  }
  const core::Env& world = setting.world;
  std::vector<core::UnusableJob> unusable;
  if (name.empty() || core::list_jobs(world.places, world.files, unusable).empty()) return {};
  return check_is_there(name, setting, std::move(stop)).map_error([](core::Error error) {
    error.hint += " A new one needs its source or folder, too.";
    return error;
  });
}

server::ToolOutcome<Json> change_one(InstallRequest request, const Arguments& arguments,
                                     const Setting& setting, server::CallContext& context) {
  const auto settled =
      core::settle_job(request.name, request.settings, setting.world.places, setting.world.files);
  if (!settled) return settled.error();
  if (auto free = check_name_is_free(settled->job.name, setting, context.stop()); !free) {
    return free.error();
  }
  if (auto meant = check_lone_name(request.name, arguments, setting, context.stop()); !meant) {
    return meant.error();
  }
  const auto& snapshot = settled->job.snapshot;
  if (auto place = arguments.allowed_path(core::text_of(settled->job.place())); !place) {
    return place.error();
  }
  if (settled->job.global && !allows_schedule(setting, settled->job)) {
    return core::Error{core::ErrorCode::permission_denied,
                       "The global database lies outside the folders of this server.",
                       "Leave global out, or start the server with --allow ~/.claude as well."};
  }
  if (snapshot.destination.empty()) {
    auto destination = find_destination(arguments, context, setting);
    if (auto ending = server::ending_of<Json>(destination)) return *ending;
    request.settings.destination = std::get<core::fs::path>(destination);
  } else if (auto kept = arguments.allowed_path(core::text_of(snapshot.destination)); !kept) {
    return kept.error();
  }

  const auto yes = confirmation_of(arguments, context);
  request.confirmed = yes.value_or(false);
  const auto result =
      core::install_schedule(request, setting.world, context.progress(), context.stop());
  if (result) return encode(*result, setting);
  if (result.error().code != core::ErrorCode::needs_confirmation) return result.error();
  return *settle_removals(result.error(), yes, context);
}

}  // namespace

std::string install_schedule_text(const Json& structured, std::size_t width) {
  if (!structured.contains("schedules")) return one_text(structured, width);
  std::string failed, good;
  for (const auto& entry : structured.at("schedules")) {
    if (entry.contains("error")) {
      failed += entry.at("name").get<std::string>() +
                " stays as it was: " + entry.at("error").get<std::string>() + "\n";
    } else {
      const std::string head = entry.at("name").get<std::string>() + ":\n";
      good += (structured.at("dry_run").get<bool>() ? head : "") + one_text(entry, width);
    }
  }
  return failed + good;
}

server::Tool install_schedule(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    auto request = request_of(arguments, setting);
    if (!request) return request.error();
    const bool all = means_all(request->name, setting);
    const auto& change = all ? change_all : change_one;
    return change(std::move(*request), arguments, setting, context);
  };
  auto tool = server::make_tool(schema_of("install_schedule"), handler);
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = [](const Json& structured) { return install_schedule_text(structured, 0); };
  tool.bad_news = changes_that_failed;
  tool.changed_resources = [setting](const Json& structured) {
    std::vector<std::string> uris;
    const auto add = [&](const Json& entry) {
      if (!entry.contains("run")) return;
      const auto more = uris_of(entry.at("run"), entry.at("expired"), setting);
      uris.insert(uris.end(), more.begin(), more.end());
    };
    add(structured);
    for (const auto& entry : structured.value("schedules", Json::array())) add(entry);
    return uris;
  };
  return tool;
}

}  // namespace tools
