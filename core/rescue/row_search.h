// The snapshots in which lost rows of a database may be: the newest first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/catalog.h"

namespace core {

struct SearchedSnapshot {
  fs::path path;
  Instant taken_at{};
  std::optional<Instant> next;  // when the next newer one of them was taken; nothing: none was
};

struct SearchedSeries {
  std::vector<SearchedSnapshot> snapshots;
  std::vector<std::string> warnings;
};

// This machine's snapshots of the source in the destination, newest first, under whatever label.
// Left out: what was found damaged, those from which nothing can have gone after `since` (a newer
// one was taken before), and one whose bytes are those of the next newer one. not_found where there
// is none.
Expected<SearchedSeries> snapshots_to_search(const fs::path& source, const fs::path& destination,
                                             std::optional<Instant> since, const Env& env);
// A single one, by its path; `taken_at` from its manifest, else from the file.
Expected<SearchedSeries> snapshot_to_search(const fs::path& snapshot, const Env& env);

}  // namespace core
