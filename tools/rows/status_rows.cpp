#include "tools/rows/status_rows.h"

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/destinations.h"
#include "core/rescue/row_comparison.h"
#include "core/restore/choose_snapshot.h"
#include "tools/encode.h"

namespace tools {

using core::DatabaseStatus;
using core::Expected;
using server::Json;

namespace {

constexpr std::chrono::milliseconds kComparisonPatience{1'000};
constexpr std::size_t kMaxTablesCompared = 8;

Expected<core::LatestSnapshot> last_snapshot(const DatabaseStatus& status, const Setting& setting) {
  std::vector<core::fs::path> destinations = core::known_destinations(setting.env);
  if (!status.destination.empty()) destinations.insert(destinations.begin(), status.destination);
  for (const auto& destination : destinations) {
    if (!setting.allows(destination)) continue;
    auto latest = core::latest_snapshot_of(status.source, destination,
                                           core::Damaged::is_passed_over, setting.env);
    if (latest && !latest->ask) return latest;
  }
  return core::fail(core::ErrorCode::not_found, "It has no snapshot to compare with.");
}

Expected<Json> compare_with_last(const DatabaseStatus& status, const Setting& setting,
                                 const std::stop_token& stop) {
  BPD_TRY_AS(latest, last_snapshot(status, setting));
  BPD_TRY_AS(compared, core::compare_rows(status.source, latest->path, kComparisonPatience,
                                          setting.env, stop));
  Json tables = Json::array();
  std::uint64_t gone = 0;
  for (const auto& table : compared->tables) {
    if (!table.differs()) continue;
    gone += table.only_then;
    tables.push_back({{"table", table.name},
                      {"only_then", table.only_then},
                      {"only_now", table.only_now},
                      {"changed", table.changed}});
  }
  Json rows{{"snapshot", core::text_of(latest->path)}, {"gone", gone}, {"tables", tables}};
  if (!compared->ended.empty()) rows["ended"] = compared->ended;
  return rows;
}

}  // namespace

void add_row_comparisons(Json& databases, const std::vector<DatabaseStatus>& statuses,
                         Json& warnings, const Setting& setting, std::stop_token stop) {
  const auto begun = std::chrono::steady_clock::now();
  std::size_t compared = 0;
  for (std::size_t i = 0; i < statuses.size() && i < databases.size(); ++i) {
    if (statuses[i].missing || stop.stop_requested()) continue;
    if (compared++ >= kMaxComparedDatabases ||
        std::chrono::steady_clock::now() - begun > kComparedTime) {
      warnings.push_back("Rows were compared of the first " + std::to_string(compared - 1) +
                         " databases only.");
      return;
    }
    auto rows = compare_with_last(statuses[i], setting, stop);
    if (rows) {
      databases[i]["rows"] = std::move(*rows);
    } else if (rows.error().code != core::ErrorCode::not_found) {
      warnings.push_back("The rows of " + core::text_of(statuses[i].source) +
                         " were not compared: " + rows.error().message);
    }
  }
}

std::string format_row_comparison(const Json& entry) {
  const auto source = entry.at("source").get<std::string>();
  const Json& rows = entry.at("rows");
  std::string text = source + ": ";
  std::size_t told = 0;
  for (const auto& table : rows.at("tables")) {
    if (++told > kMaxTablesCompared) continue;
    text += (told == 1 ? "against its last snapshot " : "; ") +
            table.at("table").get<std::string>() + " has ";
    std::string counts;
    const auto tell = [&](const char* key, const char* words) {
      const auto count = table.at(key).get<std::uint64_t>();
      if (count > 0) counts += (counts.empty() ? "" : ", ") + format_count(count, "row") + words;
    };
    tell("only_then", " less");
    tell("only_now", " more");
    tell("changed", " changed");
    text += counts;
  }
  if (told == 0) text += "its rows are those of its last snapshot";
  if (told > kMaxTablesCompared)
    text += "; and " + std::to_string(told - kMaxTablesCompared) + " more tables";
  text += ".";
  if (rows.contains("ended"))
    text += " Not all was compared: " + rows.at("ended").get<std::string>() + ".";
  if (rows.at("gone").get<std::uint64_t>() > 0) {
    text += " See what is gone: " + core::say(core::Action::find_rows, {{"source", source}}) +
            "; put it back: " + core::say(core::Action::put_back_rows, {{"source", source}}) +
            ", with " + core::say_parameter("dry_run") + " first.";
  }
  return text + "\n";
}

}  // namespace tools
