// A history.db that cannot be read any more: recognised, and moved aside.
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

// Held by who moves a damaged history aside, so that nobody moves the new one.
Expected<RunLock> lock_history_repair(const Env& env);

// Moves history.db with its side files to history.db.damaged-<UTC time> and removes all but the
// newest kMaxDamagedHistories of these. Returns the new name. On an error, which says what to do by
// hand, it stays where it is. `lock` is that of lock_history_repair, held.
Expected<fs::path> move_history_aside(const Env& env, const RunLock& lock);

}  // namespace core
