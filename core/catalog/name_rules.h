// Which names a destination can hold.
#pragma once

#include <cstddef>
#include <string>

#include "core/base/env.h"

namespace core {

struct NameRules {
  std::size_t max_bytes = 255;
  bool windows = false;  // FAT, exFAT, NTFS: no ? * : and the like
};

// Of the file system that holds the folder, links resolved; the usual ones where it does not tell.
NameRules name_rules_of(const fs::path& folder, const FileSystem& files);

// What a database's snapshots are named after: its own name without the extension where every name
// that is made of it fits (the snapshot's, its manifest's, their temporary ones, a kept one's).
// Else what cannot be held becomes "_", what is too long is cut, and the first digits of the
// name's SHA-256 are added, so that two databases never share a name. `by_hour`: with names that
// carry a time, which are longer. Pure.
std::string fitting_stem(const std::string& stem, const NameRules& rules, bool by_hour = false);

// invalid_argument for a host or label that cannot name a folder there; `what` says which it is.
// Windows keeps names like "aux" and those that end in a dot or a space for itself. Pure.
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file
Expected<> check_folder_fits(const std::string& name, const std::string& what,
                             const NameRules& rules);

}  // namespace core
