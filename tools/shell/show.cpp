#include "tools/shell/show.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "tools/backup_status.h"
#include "tools/discover_databases.h"
#include "tools/find_lost_rows.h"
#include "tools/install_schedule.h"
#include "tools/list_runs.h"
#include "tools/list_schedules.h"
#include "tools/list_snapshots.h"
#include "tools/prune_snapshots.h"
#include "tools/restore_all.h"
#include "tools/restore_snapshot.h"

namespace tools {

using server::Json;

namespace {

// Members that are shown byte for byte.
constexpr std::array<std::string_view, 10> kVerbatim = {
    "key",  "row",   "then",     "now",        "next_cursor",
    "undo", "files", "commands", "on_failure", "ping_url"};

using Text = std::string (*)(const Json& structured, std::size_t width);
constexpr std::array<std::pair<std::string_view, Text>, 10> kTables = {{
    {"backup_status", backup_status_text},
    {"discover_databases", discover_databases_text},
    {"find_lost_rows", find_lost_rows_text},
    {"install_schedule", install_schedule_text},
    {"list_runs", list_runs_text},
    {"list_schedules", list_schedules_text},
    {"list_snapshots", list_snapshots_text},
    {"prune_snapshots", prune_snapshots_text},
    {"restore_all", restore_all_text},
    {"restore_snapshot", restore_snapshot_text},
}};

void see(Json& value, const server::View& view) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    text = server::as_seen(text, view);
  } else if (value.is_array()) {
    for (Json& one : value) see(one, view);
  } else if (value.is_object()) {
    for (auto& [name, one] : value.items()) {
      const std::string_view member = name;
      if (std::find(kVerbatim.begin(), kVerbatim.end(), member) == kVerbatim.end()) see(one, view);
    }
  }
}

}  // namespace

std::string show(const server::Tool& tool, const Json& structured, const server::View& view) {
  Json seen = structured;
  see(seen, view);
  const auto table = std::find_if(kTables.begin(), kTables.end(), [&tool](const auto& known) {
    return known.first == tool.name();
  });
  return table != kTables.end() ? table->second(seen, view.width) : tool.to_text(seen);
}

}  // namespace tools
