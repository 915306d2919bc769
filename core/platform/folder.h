// A folder held open: what lies in it is reached through it, wherever its path may lead by now.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "core/platform/descriptor.h"

namespace core {

// Moves, and closes itself. May be used from several threads.
class Folder {
 public:
  // Opens an absolute path, its links resolved before, from the root down, and follows no symbolic
  // link on the way: conflict where one is met, be it swapped in at this very moment. So what was
  // opened is what the path says, and a path that was judged cannot lead elsewhere.
  // Linux: openat2(2), else and elsewhere one component after the other. Windows: opened, and then
  // asked where it lies, which is to be what the path says. Held so, neither it nor a folder above
  // it can be renamed or removed, and its path stays good. What is weaker there: who may change the
  // folder itself can make a junction of it while it is empty.
  static Expected<Folder> open(const std::filesystem::path& path);
  // The folder that a file lies in.
  static Expected<Folder> of(const std::filesystem::path& file);
  // For openat(2) and its like; it can neither be read nor synced itself. Not for Windows, where
  // files have to be opened by name.
  Descriptor::Handle descriptor() const { return opened_.get(); }
  const std::filesystem::path& path() const { return path_; }
  // How one who opens by name only, as SQLite does, gets to a file in this folder and to no other:
  // good in this process, while the folder is open. Where the system has no such names (no /proc)
  // it is the ordinary path, which somebody may divert, but not on Windows (see open()).
  std::string way_to(const std::string& name) const;

 private:
  Folder(Descriptor opened, std::filesystem::path path)
      : opened_(std::move(opened)), path_(std::move(path)) {}

  Descriptor opened_;
  std::filesystem::path path_;
};

// For a path that was to lead through no link.
Error link_error(const std::filesystem::path& path);

}  // namespace core
