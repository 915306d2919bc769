// Puts a finished copy in its place, with its manifest.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/catalog/names.h"
#include "core/platform/folder_lock.h"
#include "core/platform/run_lock.h"
#include "core/platform/temporary.h"

namespace core {

struct PublishRequest {
  fs::path snapshot;
  SnapshotName name;
  std::optional<Snapshot> replaces{};  // what bears the name now
  // That one has what the new one lost: it stays, as `<stem>-before-loss-` and its day.
  bool keep_replaced = false;
};

struct Published {
  fs::path kept_as{};  // empty unless keep_replaced
  std::vector<std::string> warnings{};
};

// The manifest first, naming the snapshot it is about to replace, then the database: see manifest.h
// for what a crash between the two leaves. Fills manifest.replaces and releases `file`. On an error
// the folder is as it was. `series_lock` and `folder_lock` are those of the series and of the
// folder, held.
//
// Where the folder could not be locked, another run may publish the same name at the same time. So
// what is there afterwards is looked at: each run sees to it that its own manifest lies beside its
// own file, and takes it away from beside another's. A warning tells when that other one stayed.
Expected<Published> publish_snapshot(const PublishRequest& request, Temporary& file,
                                     Manifest& manifest, FileSystem& files, std::stop_token stop,
                                     const RunLock& series_lock, const FolderLock& folder_lock);

}  // namespace core
