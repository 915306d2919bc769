// What the place of a database says about its safety.
#pragma once

#include <string>

#include "core/base/env.h"

namespace core {

// "Dropbox", "iCloud Drive", … for a path inside such a service's folder, by its names; else empty.
// A live database there can be torn by the sync; a snapshot is safe. Pure.
std::string cloud_service_of(const fs::path& path);

}  // namespace core
