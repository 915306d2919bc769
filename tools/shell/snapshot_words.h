// A snapshot as people name it: a day, a schedule, the name of a database.
#pragma once

#include "tools/shell/draft.h"

namespace tools {

// Puts the path of the snapshot that a plain word means in the place of the word: of a day
// (2026-11-28, today, yesterday), a file's name, a stem or a label. The name of a schedule becomes
// the latest of its database. Paths, files that are there, and `latest` stay. Where the word fits
// snapshots of several databases, that of default_source counts, and is told. Reads destinations.
DraftEnding settle_snapshot_word(Draft& draft, const std::vector<core::BackupJob>& jobs,
                                 const Setting& setting);

}  // namespace tools
