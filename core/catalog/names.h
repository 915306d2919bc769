// How the files are named that belong to a database: its snapshots and their manifests, copies that
// are kept, and what is still being written.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/env.h"

namespace core {

// What a snapshot's name tells of its time: the day, and of one that is taken by the hour when that
// hour began, by the clock on the wall.
struct SnapshotDay {
  Date date{};
  std::optional<std::chrono::minutes> time{};  // after midnight
};
// "2026-11-23", "2026-11-23T1407".
std::string format_snapshot_day(const SnapshotDay& day);
// Exactly these two forms; otherwise nothing.
std::optional<SnapshotDay> parse_snapshot_day(std::string_view text);

// The place of a snapshot: <destination>/<host>/[<label>/]<stem>-YYYY-MM-DD.db, or
// <stem>-YYYY-MM-DDTHHMM.db; with `flat`, without the host.
struct SnapshotName {
  std::string stem;
  Date date{};
  std::optional<std::chrono::minutes> time{};

  SnapshotDay day() const { return {date, time}; }
};
// "global", 2026-11-23 -> "global-2026-11-23.db".
std::string format_snapshot_name(const SnapshotName& name);
// The stem of a source's snapshots: "/x/global.db" -> "global", without leading dots, which would
// hide a snapshot from every listing.
std::string stem_of(const fs::path& source);
// Whether a file's name ends as those of databases do: .db, .sqlite, .sqlite3 or .db3.
bool has_database_ending(const fs::path& file);
// Nothing for any other file: temporaries, manifests, side files, foreign names.
std::optional<SnapshotName> parse_snapshot_name(std::string_view file_name);

inline constexpr std::string_view kManifestEnding = ".manifest.json";
// "x.db.manifest.json" -> "x.db"; any other name as it is.
inline std::string_view without_manifest_ending(std::string_view name) {
  if (name.ends_with(kManifestEnding)) name.remove_suffix(kManifestEnding.size());
  return name;
}
// "x.db" -> "x.db.manifest.json", in the same folder.
fs::path manifest_path_of(const fs::path& snapshot);

// Behind the stem of a snapshot that is kept because its successor lost rows:
// `<stem>-before-loss-YYYY-MM-DD.db`, from the second of a day on `<stem>-before-loss-2-…`.
inline constexpr std::string_view kKeptMark = "-before-loss";
// True for the stem of a snapshot that was kept as `<of>-before-loss-YYYY-MM-DD.db`.
bool is_kept_stem(std::string_view stem, const std::string& of);

// "global" -> "global-damaged": the stem of the copy that is kept of a damaged database,
// `<stem>-damaged-YYYY-MM-DD.db`.
std::string damaged_stem(const std::string& stem);

// True for the temporary name of a snapshot of this stem, also of one kept aside, or of its
// manifest.
bool is_temporary_of(std::string_view file_name, const std::string& stem);

// `global.before-restore-20261123T040701Z.db`: what a restore in place keeps of the database that
// it replaces.
bool is_safety_copy(std::string_view file_name);
// The same, of this database.
bool is_safety_copy_of(std::string_view file_name, const fs::path& target);
// The name of a safety copy of `target` made at this time, with a number behind it from the second
// on.
std::string safety_copy_name(const fs::path& target, Instant made_at, int number);

}  // namespace core
