#include "tools/tools.h"

#include "tools/list_snapshots.h"
#include "tools/snapshot_db.h"
#include "tools/verify_snapshot.h"

namespace tools {

std::vector<server::Tool> all_tools(const core::Env& env,
                                    const std::vector<core::fs::path>& allowed) {
  const Setting setting{env, allowed};
  return {snapshot_db(setting), list_snapshots(setting), verify_snapshot(setting)};
}

}  // namespace tools
