// A database file that SQLite may believe it can write, while nothing can reach the file: what
// FTS5's own check needs, which is spelled as an INSERT.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/sqlite/sqlite.h"

struct sqlite3_file;

namespace core {

// Opens `path` read-only for the system and writable for SQLite, memory-mapped, without locks, and
// as if nothing lay beside it: no -wal or -journal is read, created or deleted. Every write,
// truncation or deletion that SQLite asks for fails with SQLITE_READONLY. (SQLite's own
// `immutable=1` does the like, but refuses what is spelled as a write.) The schema is not trusted:
// functions and virtual tables with side effects do not run from it. CHECK constraints are not
// looked at, collations of the owning program's have a stand-in (core/sqlite/sqlite.h), and what a
// newer SQLite put into the schema is passed over (core/sqlite/newer_schema.h).
// https://www.sqlite.org/vfs.html, https://www.sqlite.org/security.html
//
// The path must be resolved: no symbolic link on it is followed (core/platform/folder.h).
//
// The connection serves one thread at a time. The file must not be changed while it is open: should
// it be, or should the disk fail, reading gives SQLITE_IOERR_READ.
Expected<sqlite::ConnectionHandle> open_sealed(const std::filesystem::path& path);

// The name under which ATTACH takes the file beside another connection's database, sealed as above
// and for reading only. That connection must accept URIs. Whether it trusts schemas is its own
// setting: it should ask for plain columns of plain tables only.
// https://www.sqlite.org/uri.html
Expected<std::string> sealed_uri(const std::filesystem::path& path);

// For statements that look here and there, and into the same pages again: some of those stay in
// memory until the statement ends, up to 48 MiB. Where each page is read but once it costs time.
void keep_pages(sqlite3* connection, bool keep);

// Counts the bytes that SQLite reads through this connection, repeated ones too. Lives as long as
// the connection; may be read from any thread.
const std::atomic<std::uint64_t>& bytes_read(sqlite3* connection);

// True when the disk kept back something that the file of file_bytes has: what was found on this
// connection says nothing about the file. On the connection's thread.
bool read_failed(sqlite3* connection, std::uint64_t file_bytes);

// Calls `take` with the file's bytes from first to last, in pieces, until it returns false. Goes
// through SQLite's own descriptor, so that no lock which this process may hold on the same file is
// lost with the close of another one (https://www.sqlite.org/howtocorrupt.html, section 2.2).
Expected<> read_through(sqlite3* connection, std::uint64_t bytes,
                        const std::function<bool(const void* data, std::size_t bytes)>& take);

// Reads single pages past SQLite, through the connection's own descriptor, and keeps none of them
// in memory. The connection must outlive it and belong to the same thread meanwhile.
class PageReader {
 public:
  PageReader(sqlite3* connection, std::uint32_t page_bytes);
  ~PageReader();
  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;

  // Page `number`, counted from 1, as it is in the file; stays until the next call. Null where it
  // cannot be read.
  const unsigned char* page(std::uint32_t number);
  // True when one that was given out could not be read after all: nothing read is to be trusted.
  bool faulted() const;

 private:
  void release();

  sqlite3_file* const file_;
  const std::int64_t page_bytes_;
  std::int64_t offset_ = -1;  // of the page that is held
  void* mapped_ = nullptr;
  std::vector<unsigned char> buffer_;  // where it is not mapped
};

}  // namespace core
