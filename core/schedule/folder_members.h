// What the schedule of a folder covers: the databases below it, each with a label of its own.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/schedule/job.h"

namespace core {

struct FolderMembers {
  fs::path folder;                         // the job's, its links resolved
  std::vector<SnapshotRequest> snapshots;  // complete but for what the run itself adds; by source
  std::vector<std::string> warnings;       // also that a bound of the search was reached
  bool complete = true;                    // false: a bound of the search was reached
};

// What a run waits for the search, and what a status does.
inline constexpr std::chrono::milliseconds kRunSearch{60'000};
inline constexpr std::chrono::milliseconds kStatusSearch{2'000};

// Searches the job's folder (core/discovery/discover.h says how deep), but not its destination.
// Errors: those of discover_databases.
Expected<FolderMembers> members_of(const BackupJob& job, std::chrono::milliseconds timeout,
                                   const Env& env, std::stop_token stop);

// What a run asks for one database of the job's folder, under this label of its own. Pure.
SnapshotRequest member_request(const BackupJob& job, const fs::path& database,
                               const std::string& label);

// "my-app" for the project database of <folder>/my-app. Where a name has to be written in another
// way, or is no project's directly below the folder, six digits follow, as in "web-site-3fa2b1" for
// "Web Site": so the label of a database depends on nothing but its path below the folder, and no
// two are alike. Latin letters lose their accents, other scripts stay. Pure; the database lies
// below the folder, links resolved. Where it is another database's series in the destination, as of
// a folder that was moved, or of two folders with a project of one name, the run takes
// `other_label` (core/snapshot/request.h): the same with six digits of the whole path.
std::string folder_label(const fs::path& folder, const fs::path& database);
// Of the global database; that of no project.
inline constexpr std::string_view kGlobalLabel = "global";

}  // namespace core
