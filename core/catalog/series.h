// The snapshots of one source in one folder: whose they are, which is the latest, who may write.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"

namespace core {

// Whether another machine took it, of the same path there: a flat destination may hold such. One of
// this installation (machine.h) is not, whatever the host was called then; nor is one of the same
// host name, or an installation that lost its state folder could not go on with its own series.
bool is_of_other_host(const Snapshot& snapshot, const std::string& host,
                      const std::string& machine);
// In place of an id, where something is to be removed: a home that was copied gives two machines
// one id.
inline constexpr const char* kByNameAlone = "";

// The latest taken of a series (taken_before); nothing when it is empty.
std::optional<Snapshot> latest_of(const std::vector<Snapshot>& series, Instant now);

// The run lock's key that keeps runs on one series of snapshots apart.
std::string series_lock_key(const fs::path& folder, const std::string& stem);

}  // namespace core
