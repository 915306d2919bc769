// Retention by hand of copies that lie off this machine.
#pragma once

#include <stop_token>

#include "core/offsite/remote_files.h"
#include "core/offsite/remote_store.h"
#include "core/snapshot/prune.h"

namespace core {

// As prune_snapshots, whose destination is path_of("remote:path"); `view` is a look at all of it.
// Data that no manifest marks is no copy: it takes no place of a rule, and stays. A copy goes
// manifest first; what cannot be removed is a warning, and its decision becomes one to keep.
Expected<PruneResult> prune_copies(const PruneRequest& request, RemoteStore& store,
                                   const RemotePath& root, const RemoteView& view, const Env& env,
                                   std::stop_token stop);

}  // namespace core
