// A snapshot as people name it: a day, a schedule, the name of a database.
#pragma once

#include "tools/shell/draft.h"

namespace tools {

// Puts the path of the snapshot that a plain word means in the place of the word: of a day
// (2026-11-28, today, yesterday) or a time of one (2026-11-28T0907 by its name, "2026-11-28 09:07"
// as listings show when it was taken), a file's name, a stem or a label. The name of a schedule
// becomes the latest of its database. Paths, files that are there, and `latest` stay. Where the
// word fits snapshots of several databases, that of default_source counts, and is told. Reads
// destinations.
DraftEnding settle_snapshot_word(Draft& draft, const std::vector<core::BackupJob>& jobs,
                                 const Setting& setting);

}  // namespace tools
