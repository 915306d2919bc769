#include "tools/tools.h"

#include "embedded.h"
#include "tools/backup_status.h"
#include "tools/base/next_step.h"
#include "tools/discover_databases.h"
#include "tools/find_lost_rows.h"
#include "tools/ignore_database.h"
#include "tools/install_schedule.h"
#include "tools/list_runs.h"
#include "tools/list_schedules.h"
#include "tools/list_snapshots.h"
#include "tools/prompts.h"
#include "tools/prune_snapshots.h"
#include "tools/remove_schedule.h"
#include "tools/restore_all.h"
#include "tools/restore_rows.h"
#include "tools/restore_snapshot.h"
#include "tools/run_schedule.h"
#include "tools/snapshot_db.h"
#include "tools/snapshot_resources.h"
#include "tools/verify_snapshot.h"

namespace tools {

std::vector<server::Tool> all_tools(const core::Env& env, const server::ServerLimits& limits) {
  const Setting setting(env, limits.allowed, limits.calls);
  return {
      snapshot_db(setting),      list_snapshots(setting),     verify_snapshot(setting),
      restore_snapshot(setting), discover_databases(setting), backup_status(setting),
      prune_snapshots(setting),  install_schedule(setting),   list_schedules(setting),
      run_schedule(setting),     remove_schedule(setting),    find_lost_rows(setting),
      restore_rows(setting),     restore_all(setting),        ignore_database(setting),
      list_runs(setting),
  };
}

server::ServerDefinition define_server(const core::Env& env, const server::ServerLimits& limits) {
  const Setting setting(env, limits.allowed, limits.calls);
  server::ServerDefinition definition;
  definition.name = "backup-plugin-db";
  definition.version = BPD_VERSION;
  definition.title = "Backups of plugin databases";
  definition.instructions =
      "Takes, lists, verifies and restores snapshots of plugins' SQLite databases. Never choose a "
      "destination yourself: ask. Both the global database and each project's matter.";
  definition.tools = all_tools(env, limits);
  definition.step_of = step_of;
  definition.resources = snapshot_resources(setting);
  definition.prompts = all_prompts();
  definition.complete = snapshot_completer(setting);
  for (const auto& file : embedded::embedded_skill()) {
    definition.skills.push_back({file.name, file.text, file.frontmatter});
  }
  definition.app = {"ui://backup-plugin-db/dashboard.html", "dashboard", "Backup dashboard",
                    embedded::embedded_dashboard().front().text};
  return definition;
}

}  // namespace tools
