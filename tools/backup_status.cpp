#include "tools/backup_status.h"

#include <algorithm>
#include <cmath>

#include "core/base/paths.h"
#include "core/status/status_facts.h"
#include "tools/encode.h"
#include "tools/prune_snapshots.h"
#include "tools/restore_all.h"
#include "tools/rows/status_rows.h"
#include "tools/schema.h"

namespace tools {

using core::DatabaseStatus;
using server::Json;

namespace {

void put_totals(Json& entry, const core::SnapshotTotals& totals) {
  if (totals.snapshots == 0) return;
  entry["snapshots"] = totals.snapshots;
  entry["bytes"] = totals.bytes;
  if (totals.oldest) entry["oldest"] = core::format_date(*totals.oldest);
  entry["survives"] = core::to_string(totals.survives);
}

Json encode(const core::OffsiteStatus& offsite, core::Instant now) {
  Json entry{{"remote", offsite.remote}, {"encrypted", offsite.encrypted}};
  if (offsite.last_copy) {
    entry["last_copy"] = core::format_instant(*offsite.last_copy);
    entry["age_hours"] = age_hours(*offsite.last_copy, now);
  }
  if (offsite.taken_at) entry["taken_at"] = core::format_instant(*offsite.taken_at);
  if (offsite.copies) entry["copies"] = *offsite.copies;
  if (!offsite.last_error.empty()) entry["last_error"] = offsite.last_error;
  return entry;
}

Json encode(const DatabaseStatus& status, core::Instant now) {
  Json entry{{"source", core::text_of(status.source)},
             {"status", core::to_string(status.state)},
             {"covered", status.covered}};
  if (status.covered && !status.schedule.empty()) entry["schedule"] = status.schedule;
  if (!status.destination.empty()) entry["destination"] = core::text_of(status.destination);
  if (status.free_bytes) entry["free_bytes"] = *status.free_bytes;
  if (status.last_success) entry["last_success"] = core::format_instant(*status.last_success);
  if (status.last_verified) entry["verified_hours_ago"] = age_hours(*status.last_verified, now);
  if (status.overdue) {
    const double hours = std::chrono::duration<double, std::ratio<3600>>(*status.overdue).count();
    entry["overdue_hours"] = std::round(hours * 10) / 10;
  }
  if (status.next_run) entry["next_run"] = core::format_instant(*status.next_run);
  for (const core::DaySpan& span : status.missed) {
    entry["missed"].push_back(core::format_date(span.first) +
                              (span.last == span.first ? "" : "/" + core::format_date(span.last)));
  }
  if (status.last_full_check) {
    entry["full_check_days_ago"] = std::floor(age_hours(*status.last_full_check, now) / 24);
  }
  if (status.last_drill)
    entry["drill_days_ago"] = std::floor(age_hours(*status.last_drill, now) / 24);
  put_totals(entry, status.totals);
  if (status.offsite) entry["offsite"] = encode(*status.offsite, now);
  if (status.concern == core::Concern::loss) entry["loss"] = true;
  if (status.ignored) entry["ignored"] = true;
  if (!status.last_error.empty()) entry["last_error"] = status.last_error;
  entry["problems"] = status.problems;
  return entry;
}

// A server limited to folders. Of a database in them whose schedule reaches outside, no more is
// told than how it stands; whose a schedule is that cannot be read, nobody knows.
void hide_what_lies_outside(core::StatusReport& report, const Setting& setting) {
  std::erase_if(report.databases,
                [&](const DatabaseStatus& status) { return !setting.allows(status.source); });
  for (DatabaseStatus& status : report.databases) {
    if (status.destination.empty() || setting.allows(status.destination)) continue;
    status.destination.clear();
    status.free_bytes.reset();
    if (!status.covered) continue;
    status.schedule.clear();
    status.last_error.clear();
    status.missed.clear();
    status.offsite.reset();
    if (status.problems.empty()) continue;
    status.problems = {
        "Its schedule reaches outside the folders this server may touch: look at it "
        "with the command line's status."};
  }
  report = core::report_of(std::move(report.databases), {});
}

// One line, and none when all is well or there is nothing to back up.
std::string brief_text(const Json& structured) {
  const bool nothing_to_do =
      structured.at("status") == "attention" && structured.at("databases").empty();
  if (structured.at("status") == "ok" || nothing_to_do) return "";
  std::string line = "backup-plugin-db: " + structured.at("summary").get<std::string>();
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return line + " (Ask for the backup status to mend it.)\n";
}

// One line first: without the problem that stands below, at its database.
std::string short_summary(const Json& structured) {
  std::string summary = structured.at("summary").get<std::string>();
  const auto& databases = structured.at("databases");
  if (databases.empty() || databases.front().at("problems").empty()) return summary;
  const auto& worst = databases.front();
  const auto told = summary.find(worst.at("source").get<std::string>() + ": " +
                                 worst.at("problems").front().get<std::string>());
  if (told == std::string::npos || told == 0) return summary;
  summary.resize(told - 1);
  constexpr std::string_view kFirst = " First:";
  if (summary.ends_with(kFirst)) summary.resize(summary.size() - kFirst.size());
  return summary;
}

// Whose problem it is stands before each line of it.
std::string format_problem(const std::string& source, const std::string& problem) {
  std::string text = source + ": ";
  for (const char c : problem) {
    text += c;
    if (c == '\n') text += source + ": ";
  }
  return text + "\n";
}

// "57 since 2026-10-01, 12.3 MB"
std::string snapshots_cell(const Json& entry) {
  if (!entry.contains("snapshots")) return "-";
  return std::to_string(entry.at("snapshots").get<std::uint64_t>()) + " since " +
         entry.at("oldest").get<std::string>() + ", " +
         format_bytes(entry.at("bytes").get<std::uint64_t>());
}

std::string days_cell(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end()) return "-";
  const auto days = found->get<std::uint64_t>();
  return days == 0 ? "today" : format_count(days, "day") + " ago";
}

// "3 h, 7 copies"
std::string offsite_cell(const Json& entry) {
  const auto found = entry.find("offsite");
  if (found == entry.end()) return "-";
  if (!found->contains("age_hours")) return "none";
  std::string cell = format_age(found->at("age_hours").get<double>());
  if (!found->contains("copies")) return cell;
  const auto copies = found->at("copies").get<std::uint64_t>();
  return cell + ", " + std::to_string(copies) + (copies == 1 ? " copy" : " copies");
}

Json encode_found(const std::vector<core::ProgramDatabase>& found, const Setting& setting) {
  Json list = Json::array();
  for (const auto& [program, path] : found) {
    if (!setting.allows(path)) continue;
    list.push_back({{"program", program}, {"path", core::text_of(path)}});
  }
  return list;
}

std::string format_found(const Json& found) {
  if (found.empty()) return "";
  std::string text = "Also found, and not backed up: ";
  for (const auto& entry : found) {
    text += (&entry == &found.front() ? "" : "; ") + entry.at("program").get<std::string>() + " " +
            entry.at("path").get<std::string>();
  }
  return text + ". Install a schedule for what you would miss; ignore the rest.\n";
}

// The last one, with nothing in it but its name.
bool has_empty_column(const std::vector<std::vector<std::string>>& rows) {
  return rows.size() > 1 && std::all_of(rows.begin() + 1, rows.end(),
                                        [](const auto& row) { return row.back() == "-"; });
}

// Told once, whatever the number of databases.
std::string survival_note(const Json& databases) {
  const bool on_one_disk = std::any_of(databases.begin(), databases.end(), [](const Json& entry) {
    return !entry.contains("ignored") &&
           entry.value("survives", "") == core::to_string(core::Survives::deleted_file);
  });
  if (!on_one_disk) return "";
  return "What survives a deleted file alone has its snapshots on its own disk, as far as is "
         "known. A destination on another disk, on a server or in a synced folder, or copies off "
         "this machine would survive more.\n";
}

// Exit codes for scripts: not_found, something is missing; damaged, backups do not happen.
std::optional<core::ErrorCode> bad_news(const Json& structured) {
  if (structured.at("status") == "attention") return core::ErrorCode::not_found;
  if (structured.at("status") == "failing") return core::ErrorCode::damaged;
  return std::nullopt;
}

}  // namespace

std::string backup_status_text(const Json& structured, std::size_t width) {
  if (structured.at("brief").get<bool>()) return brief_text(structured);
  std::string text = "Backups: " + structured.at("status").get<std::string>() + ". " +
                     short_summary(structured) + "\n";
  const auto& databases = structured.at("databases");
  std::vector<std::vector<std::string>> rows{{"STATUS", "DATABASE", "SCHEDULE", "LAST SUCCESS",
                                              "NEXT RUN", "SNAPSHOTS", "SURVIVES", "FULL CHECK",
                                              "DRILL", "OFF-SITE"}};
  std::string problems;
  for (const auto& entry : databases) {
    const auto cell = [&](const char* key) { return entry.value(key, std::string("-")); };
    rows.push_back({entry.contains("ignored") ? "ignored" : cell("status"), cell("source"),
                    cell("schedule"), cell("last_success"), cell("next_run"), snapshots_cell(entry),
                    cell("survives"), days_cell(entry, "full_check_days_ago"),
                    days_cell(entry, "drill_days_ago"), offsite_cell(entry)});
    for (const auto& problem : entry.at("problems")) {
      problems += format_problem(cell("source"), problem.get<std::string>());
    }
    if (entry.contains("rows")) problems += format_row_comparison(entry);
  }
  while (has_empty_column(rows)) {
    for (auto& row : rows) row.pop_back();
  }
  if (rows.size() > 1) text += format_table(rows, width);
  return text + problems + survival_note(databases) + format_found(structured.at("also_found")) +
         format_lacking(structured, width) + format_kept(structured.at("kept"), width) +
         format_warnings(structured);
}

server::Tool backup_status(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    const bool brief = arguments.flag("brief");
    const auto depth = brief ? core::FactDepth::quick : core::FactDepth::whole;
    auto report = core::report_status(depth, setting.world, context.stop());
    if (!report) return report.error();
    const auto now = setting.world.clock.now();
    if (!setting.allowed.empty()) hide_what_lies_outside(report->status, setting);
    Json databases = Json::array();
    for (const auto& status : report->status.databases) databases.push_back(encode(status, now));
    Json warnings = report->warnings;
    if (arguments.flag("rows")) {
      add_row_comparisons(databases, report->status.databases, warnings, setting, context.stop());
    }
    Json structured{{"status", core::to_string(report->status.state)},
                    {"summary", report->status.summary},
                    {"brief", brief},
                    {"databases", std::move(databases)},
                    {"also_found", encode_found(report->also_found, setting)},
                    {"kept", encode_kept(report->kept, setting)},
                    {"warnings", std::move(warnings)}};
    if (auto done = add_lacking(structured, arguments, setting, context.stop()); !done) {
      return done.error();
    }
    return structured;
  };
  auto tool = server::make_tool(schema_of("backup_status"), handler);
  tool.verb = "status";
  tool.to_text = [](const Json& structured) { return backup_status_text(structured, 0); };
  tool.bad_news = bad_news;
  return tool;
}

}  // namespace tools
