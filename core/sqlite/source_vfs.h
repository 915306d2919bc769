// The source of a copy, as SQLite sees it: the system's VFS with every way to change the database
// closed, and with nothing left behind.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/platform/folder.h"

struct sqlite3_file;

namespace core {

// Registers itself with SQLite for its lifetime under a name of its own. Database, -wal and journal
// opened through it are never written, shortened or deleted, whatever SQLite asks for: a hot
// journal is not rolled back, a WAL not checkpointed. The wal-index (-shm) is used as every reader
// uses it; locks are SQLite's own, on SQLite's own descriptors.
//
// A WAL database can be read only through a -wal and a -shm. Those that were not there when the
// database was opened are removed as it closes, under the exclusive lock that SQLite itself takes
// to remove them (https://www.sqlite.org/wal.html#read_only_databases,
// https://www.sqlite.org/walformat.html): if anyone else has the database open by then, or has put
// something into the WAL, they stay.
//
// On media that nobody can write (Media::still) neither is needed: nothing is locked, and a WAL is
// read through an index in memory. There the connection must be in locking_mode EXCLUSIVE from its
// start. https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory
class SourceVfs {
 public:
  enum class Media { live, still };
  // For a database in that folder, and reached through it (core/sqlite/folder_vfs.h).
  explicit SourceVfs(Folder folder, Media media = Media::live);
  ~SourceVfs();  // every connection opened through it must be closed
  SourceVfs(const SourceVfs&) = delete;
  SourceVfs& operator=(const SourceVfs&) = delete;

  const char* name() const;

  // Between the two calls, what SQLite read last in one piece of the given size is kept: right
  // after the first read of a transaction that is page 1, wherever it came from.
  void start_watching();
  std::vector<unsigned char> stop_watching(std::size_t page_bytes);

  // From now on, SQLite gets pages from its mapping of the file where the connection maps it
  // (PRAGMA mmap_size); elsewhere, pages read one after the other are read in pieces of
  // kReadAheadBytes. Only for a connection with a read transaction open until it closes: what
  // SQLite reads from the database file then cannot change. (In rollback mode its lock keeps
  // writers out. In WAL mode a checkpoint writes into the file only pages that this transaction, by
  // its read mark, finds in the WAL; https://www.sqlite.org/wal.html#concurrency.)
  void start_reading_ahead();
  static constexpr std::size_t kReadAheadBytes = 64 * 1024;

  // True when a page could not be read, because the disk failed, or somebody cut a mapped file
  // short: SQLite saw zeros, or takes the file for malformed. Ask before the connection closes.
  bool lost_pages() const;

  // True when SQLite could not open the -wal or -shm it needs, so that a failure is about the
  // folder's permissions and not about the database.
  bool side_files_refused() const;

  // Hands what the system holds of a file opened through this VFS to its disk, so that the next
  // store through anybody's mapping of it shows in its change time. No byte of it changes.
  static int sync(sqlite3_file* file);

  // The beginning of the wal-index that the connection reads through, as long as it is open; null
  // without one.
  const volatile void* wal_index() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace core
