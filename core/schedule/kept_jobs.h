// The settings of this machine's schedules as their destination keeps them, so that another machine
// can offer them.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/schedule/job.h"

namespace core {

// Of one machine. Whose file it is, and what it says, nobody vouches for: it is to be shown.
struct KeptJobs {
  static constexpr int kFormatVersion = 1;

  std::string host;
  std::string machine;          // machine_id; may be empty
  fs::path home;                // of the user there, links resolved
  std::vector<BackupJob> jobs;  // without on_failure and ping_url, which may be secrets
};

// `schedules-<host>-<the id's first digits>.json`
bool is_kept_jobs(std::string_view file_name);

// Writes those of the readable schedules of this machine that go to `destination` into it, in mode
// 0600; removes the file where there is none, and ours of the time when this machine had no id.
// Touches nothing where that is what it says already,
// where the destination is not there, or where a schedule here cannot be read. A destination that
// hangs is given up (timed_out).
Expected<> keep_jobs(const fs::path& destination, const Env& env, std::stop_token stop);

// What all machines keep there; files that cannot be used go to `warnings`. The jobs' destination
// is the one that is given, which must be there.
std::vector<KeptJobs> read_kept_jobs(const fs::path& destination, const FileSystem& files,
                                     std::vector<std::string>& warnings);
inline constexpr std::size_t kMaxKeptJobsFiles = 100;

}  // namespace core
