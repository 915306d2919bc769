#include "tools/encode.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/loss.h"
#include "core/status/kept_files.h"
#include "server/base/printable.h"

namespace tools {

using server::Json;
using server::width_of;

namespace {

// A longer cell pushes its own row's next cells aside: one long path must not fill every row.
constexpr std::size_t kMaxPadded = 100;  // characters

std::string decimal(double value, int digits) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  return buffer.data();
}

constexpr std::size_t kGap = 2, kBelowIndent = 4;  // characters

std::vector<std::size_t> column_widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], std::min(width_of(row[i]), kMaxPadded));
    }
  }
  return widths;
}

// How many columns from the left fit; at least one.
std::size_t columns_within(const std::vector<std::size_t>& widths, std::size_t width) {
  std::size_t taken = 0, count = 0;
  for (; count < widths.size(); ++count) {
    taken += widths[count] + (count == 0 ? 0 : kGap);
    if (taken > width) break;
  }
  return std::max<std::size_t>(count, 1);
}

// "    next run 2026-11-29 04:07  /a/b.db": the cells from `first` on, a path without its name.
std::string cells_below(const std::vector<std::string>& row, const std::vector<std::string>& names,
                        std::size_t first, std::size_t width) {
  std::string text, line;
  for (std::size_t i = first; i < row.size(); ++i) {
    if (row[i] == "-") continue;
    std::string name = i < names.size() ? names[i] : "";
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::string cell = name == "path" ? row[i] : name + " " + row[i];
    const bool fits =
        kBelowIndent + width_of(line) + kGap + width_of(cell) <= width && !line.empty();
    if (!line.empty() && !fits) {
      text += std::string(kBelowIndent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : std::string(kGap, ' ')) + cell;
  }
  return line.empty() ? text : text + std::string(kBelowIndent, ' ') + line + "\n";
}

std::string verified_text(const core::Snapshot& snapshot) {
  if (snapshot.found_damaged) return "damaged";
  if (!snapshot.manifest) return "no manifest";
  const auto level = snapshot.verified() ? snapshot.manifest->verified : core::VerifyLevel::none;
  return std::string(core::to_string(level));
}

}  // namespace

void put_place(Json& json, const core::BackupJob& job) {
  json[job.is_of_folder() ? "folder" : "source"] = core::text_of(job.place());
  if (job.global) json["global"] = true;
  if (!job.patterns.empty()) json["pattern"] = job.patterns;
}

Json encode_expired(const std::vector<core::Expiry>& decisions) {
  Json expired = Json::array();
  for (const auto& decision : decisions) {
    if (!decision.expired) continue;
    expired.push_back(
        {{"path", core::text_of(decision.snapshot.path)}, {"reason", decision.reason}});
  }
  return expired;
}

std::string format_expired(const Json& expired, bool dry_run) {
  std::string text;
  for (const auto& gone : expired) {
    text += (dry_run ? "Would remove " : "Removed ") + gone.at("path").get<std::string>() + ": " +
            gone.at("reason").get<std::string>() + "\n";
  }
  return text;
}

Json encode_checks(const std::vector<core::VerifyCheck>& checks) {
  Json encoded = Json::array();
  for (const auto& check : checks) {
    Json entry{{"name", check.name}, {"outcome", core::to_string(check.outcome)}};
    if (!check.findings.empty()) entry["findings"] = check.findings;
    if (!check.reason.empty()) entry["reason"] = check.reason;
    entry["elapsed_ms"] = std::round(check.elapsed_ms * 10) / 10;
    encoded.push_back(std::move(entry));
  }
  return encoded;
}

Json encode_snapshot(const core::Snapshot& snapshot, core::Instant now) {
  Json entry{{"path", core::text_of(snapshot.path)}};
  if (!snapshot.host.empty()) entry["hostname"] = snapshot.host;
  if (!snapshot.label.empty()) entry["label"] = snapshot.label;
  entry["stem"] = snapshot.stem;
  entry["date"] = core::format_date(snapshot.date);
  entry["taken_at"] = core::format_instant(snapshot.taken_at());
  entry["age_hours"] = age_hours(snapshot.taken_at(), now);
  entry["bytes"] = snapshot.bytes;
  if (snapshot.manifest) {
    entry["source"] = snapshot.manifest->source;
    const core::Holdings holdings = core::holdings_of(*snapshot.manifest);
    const bool counted = !holdings.rows.empty() || snapshot.manifest->omitted.tables > 0 ||
                         holdings.everything.value_or(0) > 0;
    if (counted) entry["rows"] = holdings.everything.value_or(holdings.total);
  }
  entry["verified"] = verified_text(snapshot);
  if (const auto kept = core::kept_kind_of(snapshot)) entry["kept"] = core::to_string(*kept);
  if (!snapshot.manifest_problem.empty()) entry["problem"] = snapshot.manifest_problem;
  return entry;
}

double age_hours(core::Instant then, core::Instant now) {
  const double hours = std::chrono::duration<double, std::ratio<3600>>(now - then).count();
  return std::max(0.0, std::round(hours * 10) / 10);
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return decimal(value, unit == 0 ? 0 : 1) + " " + kUnits[unit];
}

std::string format_count(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string format_age(double hours) {
  if (hours < 1) return "under 1 h";
  if (hours < 48) return decimal(hours, 0) + " h";
  return decimal(hours / 24, 0) + " days";
}

std::string format_table(std::vector<std::vector<std::string>> rows, std::size_t width) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = server::printable_line(cell);
  }
  const auto widths = column_widths(rows);
  const std::size_t columns = width == 0 ? widths.size() : columns_within(widths, width);
  std::string text;
  for (const auto& row : rows) {
    const std::size_t shown = std::min(columns, row.size());
    std::string line;
    for (std::size_t i = 0; i < shown; ++i) {
      line += row[i];
      const std::size_t cell = width_of(row[i]);
      if (i + 1 < shown) line.append(std::max(widths[i], cell) - cell + kGap, ' ');
    }
    text += line + "\n";
    if (&row != &rows.front()) text += cells_below(row, rows.front(), shown, width);
  }
  return text;
}

std::string format_checks(const Json& checks) {
  std::string text;
  for (const auto& check : checks) {
    std::string outcome = check.at("outcome").get<std::string>();
    outcome.resize(std::max<std::size_t>(outcome.size(), 8), ' ');
    text += "  " + outcome + check.at("name").get<std::string>();
    if (check.contains("reason"))
      text += ": " + server::printable_line(check["reason"].get<std::string>());
    text += "\n";
    if (!check.contains("findings")) continue;
    for (const auto& finding : check["findings"]) {
      text += "            " + server::printable_line(finding.get<std::string>()) + "\n";
    }
  }
  return text;
}

std::string format_warnings(const Json& structured) {
  std::string text;
  const auto found = structured.find("warnings");
  if (found == structured.end()) return text;
  for (const auto& warning : *found) {
    text += "Warning: " + server::printable_line(warning.get<std::string>()) + "\n";
  }
  return text;
}

std::string format_more(const Json& structured) {
  const std::string cursor = structured.value("next_cursor", std::string());
  if (cursor.empty()) return "";
  return "More: " + core::say(core::Call{"", {{"cursor", cursor}}}) + "\n";
}

}  // namespace tools
