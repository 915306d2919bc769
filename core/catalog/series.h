// The snapshots of one source in one folder: whose they are, which is the latest, who may write.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"

namespace core {

// Whether another machine took it, of a database with the same path: a flat destination may hold
// such. False for one of this installation (machine.h), whatever the host was called then. False
// also for one of the same host name: an installation that lost its state folder must be able to go
// on with its own series.
bool is_of_other_host(const Snapshot& snapshot, const std::string& host,
                      const std::string& machine);
// Given in place of an id where something is to be removed. Then host names alone decide: a home
// that was copied gives two machines one id.
inline constexpr const char* kByNameAlone = "";

// The one of a series, all in one folder, that bears this name; null where none does.
const Snapshot* find_named(const std::vector<Snapshot>& series, const fs::path& path);

// The latest taken of a series (taken_before); nothing when it is empty.
std::optional<Snapshot> latest_of(const std::vector<Snapshot>& series, Instant now);

// The run lock's key that keeps runs on one series of snapshots apart.
std::string series_lock_key(const fs::path& folder, const std::string& stem);

}  // namespace core
