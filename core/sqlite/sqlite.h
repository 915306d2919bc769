// A thin RAII layer over SQLite's C interface. Only sources in core/ include sqlite3.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"

struct sqlite3;
struct sqlite3_file;
struct sqlite3_stmt;

namespace core::sqlite {

struct CloseConnection {
  void operator()(sqlite3* connection) const noexcept;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept;
};
using ConnectionHandle = std::unique_ptr<sqlite3, CloseConnection>;
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// The hint of an error where SQLite came to a limit of memory or length: what a schema computes is
// longer than we allow it.
inline constexpr std::string_view kOutOfProportion =
    "What its schema computes is out of proportion to the file.";

// Starts SQLite, if it is not running yet; thread-safe. Without the 20 pages that it would take for
// each connection at once: a run that finds nothing to do reads three of each file, and every page
// that is touched has to be given by the system first.
// https://www.sqlite.org/c3ref/c_config_covering_index_scan.html#sqliteconfigpagecache
void start();

// Opens a path or file: URI with the given SQLITE_OPEN_ flags and VFS (null: the default one).
// Extended result codes are on. https://www.sqlite.org/c3ref/open.html
Expected<ConnectionHandle> open(const std::string& name, int flags, const char* vfs = nullptr);

// True when the system's last read of the database or its journal or WAL failed: SQLite then takes
// the file for malformed.
bool read_failed(sqlite3* connection);

// Maps an SQLite result code to our Error: SQLITE_BUSY -> busy, SQLITE_FULL -> no_space,
// SQLITE_CORRUPT -> damaged (io when the disk failed), SQLITE_NOTADB -> not_a_database,
// SQLITE_INTERRUPT -> cancelled, …; a function or collation that a schema names and SQLite does not
// have -> unsupported. `what` is the sentence's start ("cannot read /x/global.db"); `connection`
// may be null. https://www.sqlite.org/rescode.html
Error error_from(int result_code, sqlite3* connection, std::string_view what);

Expected<> execute(sqlite3* connection, const std::string& sql, std::string_view what);
Expected<StatementHandle> prepare(sqlite3* connection, std::string_view sql, std::string_view what);
// The first column of the first row; an error when there is no row.
Expected<std::int64_t> query_integer(sqlite3* connection, std::string_view sql,
                                     std::string_view what);
Expected<std::string> query_text(sqlite3* connection, std::string_view sql, std::string_view what);
// Calls `take` for each row; nothing but an error can come of it. `bound` are the statement's
// parameters, in their order.
Expected<> for_each_row(sqlite3* connection, const std::string& sql, std::string_view what,
                        const std::function<void(sqlite3_stmt*)>& take,
                        const std::vector<std::string>& bound = {});
// Up to its first zero byte; empty for NULL.
std::string column_text(sqlite3_stmt* row, int column);

// The database file as its VFS opened it, which lives as long as the connection; null where there
// is none.
sqlite3_file* main_file(sqlite3* connection);

// For reading other programs' databases: a collation that SQLite does not know compares by bytes
// from now on, where it would end the statement. Reading and counting are right; what looks
// something up in an index that was made with it may miss what is there.
void stand_in_for_collations(sqlite3* connection);
// Those that statements of this connection needed when they were compiled, as "A, B"; empty if
// none. One that the schema merely names, on a column without an index, is not among them.
std::string stood_in_collations(sqlite3* connection);
// Of those, the ones by which values have been compared.
std::string compared_by_stand_ins(sqlite3* connection);

// "name" with embedded quotes doubled, safe to put into SQL as an identifier.
std::string quote_identifier(std::string_view name);

}  // namespace core::sqlite
