#include "tools/base/next_step.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace tools {

namespace {

using core::Action;

constexpr std::array<std::pair<Action, std::string_view>, 16> kTools = {{
    {Action::snapshot, "snapshot_db"},
    {Action::list_snapshots, "list_snapshots"},
    {Action::verify, "verify_snapshot"},
    {Action::restore, "restore_snapshot"},
    {Action::discover, "discover_databases"},
    {Action::status, "backup_status"},
    {Action::prune, "prune_snapshots"},
    {Action::install_schedule, "install_schedule"},
    {Action::list_schedules, "list_schedules"},
    {Action::run_schedule, "run_schedule"},
    {Action::remove_schedule, "remove_schedule"},
    {Action::find_rows, "find_lost_rows"},
    {Action::put_back_rows, "restore_rows"},
    {Action::ignore, "ignore_database"},
    {Action::bring_home, "restore_all"},
    {Action::copy_offsite, "copy_offsite"},
}};
// Parameters whose arguments bear another name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kArguments = {{
    {"confirmed", "confirm"},
}};

}  // namespace

server::NextStep step_of(const core::Call& call) {
  core::Call named = call;
  const auto tool = std::find_if(kTools.begin(), kTools.end(), [&call](const auto& known) {
    return core::to_string(known.first) == call.action;
  });
  if (tool != kTools.end()) named.action = tool->second;
  for (core::Parameter& parameter : named.parameters) {
    for (const auto& [name, argument] : kArguments) {
      if (parameter.name == name) parameter.name = argument;
    }
  }
  return server::same_names(named);
}

}  // namespace tools
