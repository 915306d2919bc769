#include "tools/list_schedules.h"

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/offsite/keep_text.h"
#include "core/schedule/due.h"
#include "core/schedule/list.h"
#include "tools/base/limits.h"
#include "tools/base/paging.h"
#include "tools/encode.h"
#include "tools/schema.h"

namespace tools {

using server::Json;

namespace {

void put(Json& json, const char* key, const std::optional<core::Instant>& instant) {
  if (instant) json[key] = core::format_instant(*instant);
}

void put(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

// What is not set is left out; a command is not for a server limited to folders.
void put_settings(Json& entry, const core::BackupJob& job, const Setting& setting) {
  const auto& snapshot = job.snapshot;
  entry["time"] = core::format_time_of_day(job.time);
  if (job.every_hours > 0) entry["every"] = core::format_every(job.every_hours);
  if (job.between) entry["between"] = core::format_window(*job.between);
  put_place(entry, job);
  entry["destination"] = core::text_of(snapshot.destination);
  put(entry, "label", snapshot.label);
  put(entry, "hostname", snapshot.hostname);
  if (snapshot.flat) entry["flat"] = true;
  for (const auto& [name, count] : core::kKeepRules) {
    if (const auto& given = snapshot.retention.*count) entry[name] = *given;
  }
  entry["verify"] = core::to_string(snapshot.verify);
  if (job.drills != core::Drills::never) entry["drills"] = core::to_string(job.drills);
  if (const auto& offsite = job.offsite) {
    entry["offsite"] = core::text_of(offsite->remote);
    if (offsite->keep) entry["offsite_keep"] = core::format_keep_text(*offsite->keep);
    put(entry, "offsite_bwlimit", offsite->bandwidth);
  }
  if (setting.may_call()) put(entry, "on_failure", job.on_failure);
  put(entry, "ping_url", core::shown_ping_url(job.ping_url));
}

// Whose an entry without a job is, nobody knows.
bool may_be_told(const core::ScheduleStatus& status, const Setting& setting) {
  return setting.allowed.empty() || (status.job && allows_schedule(setting, *status.job));
}

const char* result_of(const std::optional<core::RunRecord>& run) {
  if (!run) return "none";
  if (!run->ok) return "failed";
  return run->unchanged() ? "unchanged" : "ok";
}

Json encode(const core::ScheduleStatus& status, const Setting& setting) {
  Json entry{{"name", status.name}};
  if (status.scheduler) entry["scheduler"] = core::to_string(*status.scheduler);
  if (status.job) put_settings(entry, *status.job, setting);
  put(entry, "next_run", status.next_run);
  entry["last_result"] = result_of(status.last_run);
  if (status.last_run) {
    put(entry, "last_run", status.last_run->started_at);
    if (!status.last_run->ok) entry["last_error"] = status.last_run->error;
    if (!status.last_run->snapshot.empty()) entry["last_snapshot"] = status.last_run->snapshot;
  }
  put(entry, "last_success", status.last_success);
  entry["overdue"] = status.overdue;
  entry["problems"] = Json::array();
  for (const auto& problem : status.problems) entry["problems"].push_back(problem.text);
  return entry;
}

// "keep_daily 7, label app": what is set beyond time, source and destination.
std::string settings_text(const Json& entry) {
  std::string text;
  const auto add = [&](const char* key) {
    const auto found = entry.find(key);
    if (found == entry.end()) return;
    text += (text.empty() ? "" : ", ") + std::string(key) + " " +
            (found->is_string() ? found->get<std::string>() : found->dump());
  };
  for (const char* key : {"global", "pattern", "every", "between", "label", "hostname", "flat"}) {
    add(key);
  }
  for (const core::KeepRule& rule : core::kKeepRules) add(rule.name);
  for (const char* key :
       {"verify", "drills", "offsite", "offsite_keep", "offsite_bwlimit", "on_failure", "ping_url"})
    add(key);
  return text;
}

}  // namespace

std::string list_schedules_text(const Json& structured, std::size_t width) {
  std::string text = format_warnings(structured);
  const auto& schedules = structured.at("schedules");
  if (schedules.empty())
    return text + "No schedules. " + core::say(core::Action::install_schedule) + " makes one.\n";
  std::vector<std::vector<std::string>> rows{
      {"NAME", "SCHEDULER", "NEXT RUN", "LAST RUN", "RESULT", "SOURCE", "DESTINATION"}};
  std::string settings, problems;
  for (const auto& entry : schedules) {
    const auto cell = [&](const char* key) { return entry.value(key, std::string("-")); };
    rows.push_back({cell("name"), cell("scheduler"), cell("next_run"), cell("last_run"),
                    cell("last_result"), cell(entry.contains("folder") ? "folder" : "source"),
                    cell("destination")});
    if (entry.contains("verify")) {
      settings += "Settings: " + cell("name") + ": " + settings_text(entry) + "\n";
    }
    for (const auto& problem : entry.at("problems")) {
      problems += "Problem: " + cell("name") + ": " + problem.get<std::string>() + "\n";
    }
  }
  return text + format_table(rows, width) + settings + problems + format_more(structured);
}

server::Tool list_schedules(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const auto list = core::list_schedules(setting.world, context.stop());
    Json schedules = Json::array();
    for (const auto& status : list.schedules) {
      if (may_be_told(status, setting)) schedules.push_back(encode(status, setting));
    }
    const std::size_t total = schedules.size();
    auto page = page_of(std::move(schedules), Arguments(json, setting));
    if (!page) return page.error();
    Json structured{{"schedules", std::move(page->entries)}, {"total", total}};
    if (!page->next_cursor.empty()) structured["next_cursor"] = page->next_cursor;
    structured["warnings"] = list.warnings;
    return structured;
  };
  auto tool = server::make_tool(schema_of("list_schedules"), handler);
  tool.to_text = [](const Json& structured) { return list_schedules_text(structured, 0); };
  return tool;
}

}  // namespace tools
