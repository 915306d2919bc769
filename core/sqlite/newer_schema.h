// Databases of a newer SQLite than the one built in: what their schemas have that it cannot read.
#pragma once

#include <string>

#include "core/sqlite/file_header.h"

struct sqlite3;

namespace core {

// "SQLite 3.54.1 wrote this database last; this program has 3.40.1." where bytes 96 to 99 of the
// file say so, else empty; another sentence where they say nothing, as in what is exported from
// memory (sqlite3_serialize), which may be of any version. Reads them through SQLite's own
// descriptor: what a WAL holds of page 1 is not seen.
// https://www.sqlite.org/fileformat.html#write_library_version_number_and_version_valid_for_number
std::string newer_writer(sqlite3* connection);
// The same of a header at hand.
std::string newer_writer(const FileHeader& header);

// Reads the schema of `main`. Where a newer SQLite wrote the file last (`writer`, not empty) and
// some entries cannot be parsed, the connection passes over these from now on. In any other case it
// stays strict: there, what cannot be parsed is damage. A connection that can write must not change
// the schema afterwards. https://www.sqlite.org/pragma.html#pragma_writable_schema
void accept_newer_schema(sqlite3* connection, const std::string& writer);

// What accept_newer_schema passed over, as sentences with both versions; empty where it was
// nothing.
std::string unread_schema(sqlite3* connection);
// Whether there are tables among it.
bool misses_tables(sqlite3* connection);

// For as long as it lives the connection passes over every entry that it cannot read, damaged ones
// too, and over a file's being shorter than its header says: for what needs no schema, while SQLite
// insists on reading it. The first statement that reads it still fails.
class WithoutSchema {
 public:
  explicit WithoutSchema(sqlite3* connection);
  ~WithoutSchema();
  WithoutSchema(const WithoutSchema&) = delete;
  WithoutSchema& operator=(const WithoutSchema&) = delete;

 private:
  sqlite3* connection_;
};

}  // namespace core
