// What a restore in place may replace. A manifest can be anybody's, and a path can lead anywhere;
// the history of this machine is our own.
#pragma once

#include <string>
#include <vector>

#include "core/base/env.h"

namespace core {

// For a target that nobody but the manifest names. needs_confirmation, with its path, unless runs
// on this machine put snapshots of it where this one lies, under names of its stem. `target`: links
// resolved.
Expected<> check_recorded_target(const fs::path& snapshot, const fs::path& target, const Env& env);

// `error` is why the target could not be opened as a database. not_a_database for a file that is
// none, and of which no good snapshot was ever taken here. Fine for an empty file, for a database
// that is damaged, and for one that has lost its beginning.
Expected<> check_was_database(const fs::path& target, const Error& error, const Env& env);

// Whether anything bears that name; a link is not followed.
bool is_there(const fs::path& path, const FileSystem& files);
// What lies beside a database of that name: -wal, -journal, -shm.
std::vector<fs::path> side_files_of(const fs::path& database, const FileSystem& files);
// "a, b".
std::string list_of(const std::vector<fs::path>& paths);
// For a person's shell: makes a folder and those above it.
std::string make_folder_command(const fs::path& folder);

}  // namespace core
