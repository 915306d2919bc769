// The files that SQLite keeps beside a database, by their names alone.
// https://www.sqlite.org/tempfiles.html
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "core/base/paths.h"

namespace core {

inline constexpr const char* kWalSuffix = "-wal";
inline constexpr const char* kJournalSuffix = "-journal";
inline constexpr const char* kShmSuffix = "-shm";
inline constexpr std::array kSideSuffixes{kWalSuffix, kJournalSuffix, kShmSuffix};

inline std::filesystem::path wal_of(const std::filesystem::path& database) {
  return with_suffix(database, kWalSuffix);
}
inline std::filesystem::path journal_of(const std::filesystem::path& database) {
  return with_suffix(database, kJournalSuffix);
}
inline std::filesystem::path shm_of(const std::filesystem::path& database) {
  return with_suffix(database, kShmSuffix);
}

// All that may lie beside it.
inline std::array<std::filesystem::path, kSideSuffixes.size()> side_paths_of(
    const std::filesystem::path& database) {
  return {wal_of(database), journal_of(database), shm_of(database)};
}

inline bool is_side_file(std::string_view name) {
  return std::any_of(kSideSuffixes.begin(), kSideSuffixes.end(),
                     [&](const char* suffix) { return name.ends_with(suffix); });
}

}  // namespace core
