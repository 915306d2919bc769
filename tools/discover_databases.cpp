#include "tools/discover_databases.h"

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/discovery/discover.h"
#include "core/discovery/known_programs.h"
#include "core/status/status_facts.h"
#include "tools/base/limits.h"
#include "tools/base/paging.h"
#include "tools/encode.h"
#include "tools/restore_all.h"
#include "tools/schema.h"

namespace tools {

using core::FoundDatabase;
using server::Json;

namespace {

core::Expected<core::DiscoverRequest> request_of(const Arguments& arguments) {
  core::DiscoverRequest request;
  BPD_TRY_AS(folders, arguments.paths("folder"));
  request.folders = std::move(*folders);
  request.patterns = arguments.texts("pattern");
  request.programs = true;
  return request;
}

// What backs up a database: the names of its schedules, and when its last verified snapshot was
// taken.
void add_backups(Json& entry, const FoundDatabase& found, const core::StatusInput& input,
                 const core::StatusReport& report) {
  Json schedules = Json::array();
  for (const auto& schedule : input.schedules) {
    if (schedule.source == found.path) schedules.push_back(schedule.name);
  }
  entry["schedules"] = std::move(schedules);
  for (const auto& status : report.databases) {
    if (status.source == found.path && status.verified_taken) {
      entry["last_verified"] = core::format_instant(*status.verified_taken);
    }
  }
}

Json encode(const FoundDatabase& found) {
  Json entry{{"path", core::text_of(found.path)},
             {"kind", core::to_string(found.kind)},
             {"bytes", found.bytes}};
  if (!found.program.empty()) entry["program"] = found.program;
  if (!found.journal_mode.empty()) entry["journal_mode"] = found.journal_mode;
  if (found.ignored) entry["ignored"] = true;
  if (found.rows) entry["rows"] = *found.rows;
  entry["last_write"] = core::format_instant(found.last_write);
  if (!found.warnings.empty()) entry["warnings"] = found.warnings;
  return entry;
}

// So that "0 without a schedule" claims no more than was looked at.
Json searched(const core::DiscoverRequest& request, std::size_t projects) {
  Json places{"the orchestrator's own places",
              format_count(projects, "project") + " that Claude's records name",
              "the usual places of " + format_count(core::known_programs().size(), "program")};
  if (!request.patterns.empty()) places.push_back("~/.claude, for the patterns");
  for (const auto& folder : request.folders) places.push_back(core::text_of(folder));
  return places;
}

std::string searched_line(const Json& places) {
  std::string text = "Searched: ";
  for (const auto& place : places) {
    text += (&place == &places.front() ? "" : ", ") + place.get<std::string>();
  }
  return text + ". Nowhere else.\n";
}

}  // namespace

std::string discover_databases_text(const Json& structured, std::size_t width) {
  std::string text = format_warnings(structured) + format_lacking(structured, width);
  const auto& databases = structured.at("databases");
  if (databases.empty())
    return text + searched_line(structured.at("searched")) +
           "No databases found. Name folders with " + core::say_parameter("folder") + ".\n";
  std::vector<std::vector<std::string>> rows{
      {"KIND", "SIZE", "ROWS", "LAST WRITE", "LAST VERIFIED", "SCHEDULE", "PATH"}};
  std::string notes;
  for (const auto& entry : databases) {
    const auto cell = [&](const char* key) { return entry.value(key, std::string("-")); };
    std::string schedules;
    for (const auto& name : entry.at("schedules")) {
      schedules += (schedules.empty() ? "" : ", ") + name.get<std::string>();
    }
    rows.push_back(
        {cell(entry.contains("program") ? "program" : "kind"),
         format_bytes(entry.at("bytes").get<std::uint64_t>()),
         entry.contains("rows") ? std::to_string(entry["rows"].get<std::uint64_t>()) : "-",
         cell("last_write"), cell("last_verified"),
         entry.contains("ignored") && schedules.empty() ? "ignored"
         : schedules.empty()                            ? "-"
                                                        : schedules,
         cell("path")});
    if (!entry.contains("warnings")) continue;
    for (const auto& warning : entry["warnings"]) {
      notes += cell("path") + ": " + warning.get<std::string>() + "\n";
    }
  }
  const auto uncovered = structured.at("uncovered").get<std::size_t>();
  text += format_table(rows, width) + notes + searched_line(structured.at("searched")) +
          std::to_string(structured.at("total").get<std::size_t>()) + " found, " +
          std::to_string(uncovered) + " without a schedule\n";
  if (!structured.at("complete").get<bool>()) text += "The search was cut short.\n";
  return text;
}

server::Tool discover_databases(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    auto request = request_of(arguments);
    if (!request) return request.error();
    auto found = core::discover_databases(*request, setting.world, context.stop());
    if (!found) return found.error();
    std::erase_if(found->databases,
                  [&](const FoundDatabase& database) { return !arguments.allows(database.path); });

    core::StatusInput input;
    for (const auto& database : found->databases) {
      input.databases.push_back(
          {database.path, {}, core::StatusInput::Presence::there, database.ignored});
    }
    core::gather_backups(core::FactDepth::whole, input, found->warnings, setting.world,
                         context.stop());
    std::erase_if(input.schedules, [&](const auto& schedule) {
      return !allows_schedule(setting, schedule.source, schedule.destination);
    });
    const auto report = core::judge_status(input);
    for (const auto& status : report.databases) {
      if (status.missing && !status.problems.empty() && arguments.allows(status.source)) {
        found->warnings.push_back(core::text_of(status.source) + ": " + status.problems.front());
      }
    }
    Json databases = Json::array();
    std::size_t uncovered = 0;
    for (const auto& database : found->databases) {
      Json entry = encode(database);
      add_backups(entry, database, input, report);
      uncovered += entry.at("schedules").empty() && !database.ignored ? 1U : 0U;
      databases.push_back(std::move(entry));
    }
    const std::size_t total = databases.size();
    auto page = page_of(std::move(databases), arguments);
    if (!page) return page.error();
    Json structured{{"databases", std::move(page->entries)},
                    {"total", total},
                    {"uncovered", uncovered},
                    {"searched", searched(*request, found->projects)},
                    {"complete", found->complete}};
    if (!page->next_cursor.empty()) structured["next_cursor"] = page->next_cursor;
    structured["warnings"] = found->warnings;
    if (auto done = add_lacking(structured, arguments, setting, context.stop()); !done) {
      return done.error();
    }
    return structured;
  };
  auto tool = server::make_tool(schema_of("discover_databases"), handler);
  tool.verb = "discover";
  tool.to_text = [](const Json& structured) { return discover_databases_text(structured, 0); };
  return tool;
}

}  // namespace tools
