// Brings snapshots that lie off this machine here, for as long as one call.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/offsite/remote_files.h"
#include "core/offsite/remote_store.h"

namespace core {

// What a call brings here at most; it needs that much room beside the state folder, too.
inline constexpr std::uint64_t kMaxFetchedBytes = 64ULL << 30;
inline constexpr std::size_t kMaxFetchedSnapshots = 200;

// These snapshots, with their manifests, under the same paths in the view's own folder. Each that
// has a manifest is what that says, by its digest; one that has none is named in the warnings.
// Errors: not_found; damaged, naming the copy; no_space; invalid_argument beyond the bounds; those
// of the store.
Expected<> fetch_copies(RemoteStore& store, const RemotePath& root,
                        const std::vector<std::string>& paths, RemoteView& view, const Env& env,
                        std::stop_token stop);

}  // namespace core
