// A call from a shell while it is filled in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/schedule/job.h"
#include "server/cli/shell_knowledge.h"
#include "tools/arguments.h"

namespace tools {

struct Draft {
  std::string tool;
  server::Json arguments;
  std::vector<std::string> told{};  // each a sentence without a full stop
  bool guessed = false;             // something was filled in that the person did not name

  bool has(const char* name) const { return arguments.contains(name); }
  bool is_on(const char* name) const { return has(name) && arguments[name] == true; }
};

// Nothing: go on. Otherwise a Choice or an Error.
using DraftEnding = std::optional<server::Filling>;

// The schedules that can be read.
std::vector<core::BackupJob> known_jobs(const Setting& setting);
// A path as jobs and manifests name a source.
core::fs::path source_path(const core::fs::path& source, const Setting& setting);
// The database that is meant where none is named: that of the project the person is in, else the
// global one where that is there or has a schedule. Nothing: neither.
struct DefaultSource {
  core::fs::path path;
  bool of_project = false;
};
std::optional<DefaultSource> default_source(const std::vector<core::BackupJob>& jobs,
                                            const Setting& setting);
// Where snapshots go, as far as schedules and former runs tell: first those of the source's own
// schedules, if there are any only these, else of all schedules, else of runs. Each once.
struct KnownDestination {
  core::fs::path path;
  std::string schedule;                 // whose it is; empty: of runs by hand
  const core::BackupJob* of = nullptr;  // a schedule of the source itself
};
std::vector<KnownDestination> known_destinations_of(const std::optional<core::fs::path>& source,
                                                    const std::vector<core::BackupJob>& jobs,
                                                    const Setting& setting);

}  // namespace tools
