// A history.db that cannot be read any more: recognised, kept aside and emptied.
#pragma once

#include <string>

#include "core/base/env.h"
#include "core/base/error.h"
#include "core/platform/run_lock.h"

namespace core {

inline constexpr std::size_t kMaxDamagedHistories = 3;

fs::path history_path(const Places& places);

// Whether an error of SQLite about history.db says that the file is no history of ours (any more):
// not that it is busy, newer, or that its disk is full.
bool is_damaged_history(const Error& error);

// Held by who begins a damaged history anew, so that nobody empties the new one.
Expected<RunLock> lock_history_repair(const Env& env);

// Copies history.db and its log to history.db.damaged-<UTC time>, removes all but the newest
// kMaxDamagedHistories of these, and empties history.db in its place: were the file moved, who has
// it open could write into the log of the new one. Returns the name of the copy. On an error, which
// says what to do by hand, the history is as it was. `lock` is that of lock_history_repair, held.
Expected<fs::path> empty_history(const Env& env, const RunLock& lock);

}  // namespace core
