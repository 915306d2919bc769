// What a restore in place that was killed leaves beside its target, and how it is cleared away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/env.h"
#include "core/platform/run_lock.h"

namespace core {

// Safety copies that are none: further names (hard links) of the live database itself. A restore
// that is killed between keeping the old database and replacing it leaves one. Two names for one
// live database are a danger: a program that opens it by the second name does not find its -wal or
// -journal. https://www.sqlite.org/howtocorrupt.html, section 2.5
std::vector<fs::path> second_names_of(const fs::path& database, const FileSystem& files);

// Removes what killed restores of `target` left: temporary files, second names of the live
// database, manifests of safety copies that were never made. Returns a warning for each thing that
// stays; leaves alone what another process is at work on. `lock` is the restore's, held.
std::vector<std::string> sweep_restore_leftovers(const fs::path& target, const Env& env,
                                                 const RunLock& lock);

}  // namespace core
