// SQLite's own VFS, kept to one open folder.
#pragma once

#include <memory>
#include <string>

#include "core/platform/folder.h"

struct sqlite3_vfs;

namespace core {

// Registers itself with SQLite for its lifetime, under a name of its own. A database in the folder
// is opened under its path, as ever, and it and its side files are reached through the folder's
// descriptor: SQLite resolves no link, and none that somebody puts on the path is followed.
class FolderVfs {
 public:
  explicit FolderVfs(Folder folder);
  ~FolderVfs();  // every connection opened through it must be closed
  FolderVfs(const FolderVfs&) = delete;
  FolderVfs& operator=(const FolderVfs&) = delete;

  const char* name() const;
  sqlite3_vfs* get() const;
  // The way to a file of that path; empty for one that does not lie in the folder. The text lives
  // as long as this. One thread at a time.
  const std::string& way_to(const std::string& path) const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace core
