// What stays until somebody removes it: safety copies, snapshots from before a loss, copies of
// damaged databases, undo files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/env.h"
#include "core/status/status.h"

namespace core {

struct KeptFile {
  enum class Kind { safety_copy, before_loss, damaged_copy, undo };
  Kind kind = Kind::safety_copy;
  fs::path path;
  std::uint64_t bytes = 0;           // with what lies beside it
  std::vector<fs::path> beside{};    // its manifest and side files
  std::string source{};              // what it is of, as manifests name it; empty: not known
  std::optional<Instant> made_at{};  // where that is known
};
std::string_view to_string(KeptFile::Kind kind);  // "safety copy", "before loss", …

// Of a snapshot that is kept for a reason of its own; nothing for one that retention looks at.
std::optional<KeptFile::Kind> kept_kind_of(const Snapshot& snapshot);

inline constexpr std::size_t kMaxKeptFiles = 1'000;

// Those beside the databases of `input` and the targets of its restores, in the state folder, and
// of its snapshots. A second name of a live database (core/restore/restore_leftovers.h) is no
// safety copy; a snapshot from before a loss is left out where it is the last good one of its
// source. By kind, then path.
std::vector<KeptFile> kept_files(const StatusInput& input, const Env& env);

// Removes the file and what lies beside it.
Expected<> remove_kept(const KeptFile& file, FileSystem& files);

}  // namespace core
