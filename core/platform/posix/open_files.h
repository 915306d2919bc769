// For the sources of open_files.h.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/env.h"

namespace core {

// The present files under the database's name, by identity.
std::vector<FileId> files_of(const fs::path& database, const FileSystem& files);

// The user's name, or the number where there is no name.
std::string name_of_user(uid_t user);

}  // namespace core
