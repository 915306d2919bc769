// Calls whose destination or snapshot lies off this machine, as "remote:path".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/moving/held.h"
#include "core/offsite/fetch_copies.h"
#include "core/offsite/rclone.h"
#include "core/restore/choose_snapshot.h"
#include "tools/arguments.h"

namespace tools {

using Handler =
    std::function<server::ToolOutcome<server::Json>(const server::Json&, server::CallContext&)>;

// A look at a remote, and what reaches it. Its paths are those of path_of("remote:path").
struct OffMachine {
  core::RemotePath root;
  core::Rclone store;
  core::RemoteView view;
  // The world, in which the remote's files can be listed. Valid as long as `view` stays in place.
  core::Env env(const core::Env& around) const {
    return {around.clock, *view.files, around.commands, around.places};
  }
};
// Whether the argument names a remote.
bool is_off_machine(const server::Json& arguments, const char* key);
// Looks at what the argument names. permission_denied for a server limited to folders.
core::Expected<OffMachine> look_off_machine(const std::string& remote, const Setting& setting,
                                            const std::stop_token& stop);

// The handler, for whose call the snapshot that is meant is fetched, verified and removed again:
// `snapshot` where that is a remote's file, else the latest of `source` in a `destination` that is
// one, or with `all` all of that source. What is told names the remote.
Handler fetching_snapshot(const Setting& setting, core::Damaged damaged, bool all, Handler handler);
// Likewise for a `destination` of which the newest of each database that this machine lacks is
// fetched. Where it lacks none, `none` makes the result.
Handler fetching_what_lacks(const Setting& setting,
                            std::function<server::Json(const core::Held&)> none, Handler handler);

}  // namespace tools
