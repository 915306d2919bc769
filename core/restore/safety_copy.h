// What a restore in place says of the database that it kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/manifest.h"

namespace core {

struct SafetyCopy {
  fs::path path;
  const std::optional<Manifest>& facts;  // nothing when SQLite could not open it
  VerifyLevel level = VerifyLevel::full;
};

// Checks the copy as undoing will, and writes its manifest with digest and row counts, so that
// undoing can verify it like any snapshot. False, with a warning that says where it lies, for one
// that undoing would refuse. Cannot be stopped: the snapshot is in place already.
bool describe_safety_copy(const SafetyCopy& copy, const Env& env,
                          std::vector<std::string>& warnings);

}  // namespace core
