// How long a file's name may be.
#pragma once

#include <cstddef>
#include <optional>

#include "core/base/env.h"

namespace core {

// In bytes, in this folder; nothing where the file system does not tell.
std::optional<std::size_t> longest_name_in(const fs::path& folder);

}  // namespace core
