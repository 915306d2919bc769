// Renames, also where a file is still being carried or the file system renames over none.
#pragma once

#include <string>

namespace core {

// A path as openat(2) and its like take it.
struct NameAt {
  int folder = -1;  // a descriptor, or AT_FDCWD
  std::string name;
};

// As renameat(2): false, and errno says why. EIO is tried again for 2 s: a mounted server (rclone)
// answers it while it still carries what was last written to its place.
bool rename_at(const NameAt& from, const NameAt& to);

// As rename_at. Where the file system never renames over a file, what is at `to` steps aside under
// a name of its own ("….replaced"); a crash in between leaves it there.
bool rename_over(const NameAt& from, const NameAt& to);

}  // namespace core
