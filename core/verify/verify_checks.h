// The single checks that a verification puts together.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

#include "core/base/env.h"
#include "core/catalog/manifest.h"
#include "core/sqlite/file_header.h"
#include "core/sqlite/row_counts.h"
#include "core/verify/check.h"

struct sqlite3;

namespace core {

// A check that was interrupted or stopped has no meaningful outcome: the caller looks at the stop
// token. All take a connection of open_sealed and may run beside each other on connections of their
// own.

// The header itself, and that the file has the length it tells. Fills `header` when it is one, with
// a page count that is current. `readable` becomes true where the SQLite built in can read the
// rest.
VerifyCheck check_header(sqlite3* connection, std::uint64_t file_bytes, FileHeader& header,
                         bool& readable);
// The header and length against the manifest: findings only.
std::vector<std::string> compare_header(const FileHeader& header, std::uint64_t file_bytes,
                                        const Manifest& manifest);

// A -wal or -journal beside the file, which any ordinary open would replay into it.
Expected<VerifyCheck> check_side_files(const fs::path& path, const FileSystem& files);

// `hashed` counts bytes; `sha256` gets the digest.
VerifyCheck hash_file(sqlite3* connection, std::uint64_t file_bytes, std::stop_token stop,
                      std::atomic<std::uint64_t>& hashed, std::string& sha256);
// The digest against the manifest's.
VerifyCheck compare_digest(const std::string& sha256, const Manifest& manifest);

// How many findings a check came to, which may be more than it lists.
struct CountedCheck {
  VerifyCheck check;
  std::uint64_t total = 0;
};

// integrity_check, or quick_check where that is enough or all that SQLite can do: integrity_check
// looks into indexes, and of those it needs every collation and function. Its name tells which.
struct StructureCheck {
  VerifyCheck structure;
  // What the same pass finds in the content: NULL, or a type, where the schema does not allow it.
  // Such a database is as sound as one with broken references. An empty name where there is none.
  CountedCheck column_rules;
  // Indexes that do not fit their tables, and have nothing else wrong. REINDEX mends them, unless
  // they fit by functions or collations of the program that owns the database. An empty name where
  // there are none.
  CountedCheck indexes;
};
StructureCheck check_structure(sqlite3* connection, VerifyLevel level);

// SQLite's own check leaves the account of pages out where the list of roots that it compiled
// begins with 0, the "root" of a view or a virtual table. It takes that for the check of a single
// table (`sqlite3BtreeIntegrityCheck` in btree.c of every version so far).
enum class Accounting { all_pages, trees };
// What is left for check_pages: everything, unless the list is seen to begin with a page and the
// schema has nothing that had to be passed over.
Accounting accounting_left_by_sqlite(sqlite3* connection);

struct PagesCheck {
  VerifyCheck pages;
  CountedCheck indexes;  // that have more or fewer entries than their tables have rows
};
// all_pages: that each page of the file has exactly one use: in one b-tree, in one row's overflow,
// in the free list, or as the file's own; and that a pointer map says the same. trees: no page is
// in two b-trees. Both: each index has records that are whole, and as many as its table has rows.
PagesCheck check_pages(sqlite3* connection, std::uint64_t file_bytes, FileHeader header,
                       Accounting what, std::stop_token stop);

// Skipped where it has findings that may come of a collation's stand-in, and for tables with keys
// that SQLite can make no sense of (the reason names them).
CountedCheck check_foreign_keys(sqlite3* connection);
// Passed with an empty name where there is no FTS table. Views are never read: an index whose
// content is one is checked by itself, and a remark says so.
CountedCheck check_full_text(sqlite3* connection, std::stop_token stop);
// Skipped when there are virtual tables of modules that are not known here; else an empty name.
VerifyCheck check_virtual_tables(sqlite3* connection);

// `complete` is false where some tables could not be counted.
VerifyCheck compare_rows(const RowCounts& counts, bool complete, const Manifest& manifest);
// Differences between the snapshot's rows and those of the live database, as information.
VerifyCheck compare_live_source(const RowCounts& counts, const fs::path& live_source,
                                const Env& env, std::stop_token stop);

// A check that `error` ended: failed where the error speaks of the file's content, else skipped, as
// where the disk could not read.
VerifyCheck ended_by(std::string name, const Error& error);

}  // namespace core
