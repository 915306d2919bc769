// Tells what a file system cannot do at all from what it merely failed at.
#pragma once

namespace core {

// What a file system may lack, and what is done instead. Lacking one never keeps a snapshot from
// being made.
enum class Operation {
  set_mode,     // the file stays as the file system shows all files; told if others may read it
  link,         // a second name is made by renaming
  rename_new,   // a link and a removal; without links a look, then a rename under our lock
  rename_over,  // what is there steps aside under `<name>.replaced` until the new one has its name
  sync_folder,  // nothing: there is nothing to sync
  sync_file,    // nothing; told
  reserve,      // nothing: a full disk shows during the copy instead of before it
  lock,         // of runs: a lock of the kernel that needs no file; of temporary files: their age
  measure,      // free space counts as unlimited
};

// True when the error number says that this file system, server or sandbox does not have the
// operation, or not for this user: chmod(2), link(2), rename(2), fsync(2), fallocate(2), flock(2),
// statfs(2), and what FUSE servers were seen to answer. Never true of what would lose data: a full
// disk, one that may not be written to, a sync that failed.
bool means_cannot(Operation operation, int error_number);

}  // namespace core
