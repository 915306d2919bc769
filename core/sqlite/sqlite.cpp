#include "core/sqlite/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "core/base/call.h"

namespace core::sqlite {
namespace {

// The system's own numbers, as SQLite hands them on.
#ifdef _WIN32
constexpr int kSharingViolation = 32;                // another program lets nobody else have it
constexpr std::array kDiskFailures{23, 1117, 1167};  // CRC, I/O device, device not connected
#else
constexpr std::array kDiskFailures{EIO, ENXIO};
#endif

struct Mapping {
  ErrorCode code;
  std::string hint;
};

// Primary result codes; the extended ones are looked at first in error_from.
Mapping map_result(int result_code) {
  switch (result_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::busy, "Another process holds the database; try again in a moment."};
    case SQLITE_FULL:
      return {ErrorCode::no_space, "Free some space there, or choose another destination."};
    case SQLITE_CORRUPT:
      return {ErrorCode::damaged,
              "Verify it with " + say(Action::verify) + ", and restore a good snapshot."};
    case SQLITE_NOTADB:
      return {ErrorCode::not_a_database,
              "The file is not an SQLite database, or it is encrypted; check the path."};
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT:
      return {ErrorCode::cancelled, ""};
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return {ErrorCode::permission_denied, "Check the owner and permissions of the file."};
    case SQLITE_CANTOPEN:
      return {ErrorCode::permission_denied,
              "Check that the file exists and that its folder may be read."};
    case SQLITE_NOLFS:
      return {ErrorCode::unsupported, ""};
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      return {ErrorCode::unsupported, kOutOfProportion.data()};
    case SQLITE_IOERR:
    case SQLITE_PROTOCOL:
      return {ErrorCode::io, "Check the disk, and try again."};
    default:
      return {ErrorCode::internal, ""};
  }
}

// Only for what a schema names: of a function in our own statements SQLite says "no such function".
bool lacks_application_code(int result_code, std::string_view message) {
  return result_code == SQLITE_ERROR_MISSING_COLLSEQ || message.starts_with("unknown function: ");
}

// Each collation that has a stand-in, and whether that has compared anything.
using StandIns = std::map<std::string, bool>;

int compare_bytes(void* compared, int a_bytes, const void* a, int b_bytes, const void* b) {
  *static_cast<bool*>(compared) = true;
  const int order = std::memcmp(a, b, static_cast<std::size_t>(std::min(a_bytes, b_bytes)));
  return order != 0 ? order : a_bytes - b_bytes;
}

void add_stand_in(void* stand_ins, sqlite3* connection, int encoding, const char* name) {
  bool& compared = (*static_cast<StandIns*>(stand_ins))[name];
  sqlite3_create_collation_v2(connection, name, encoding, &compared, compare_bytes, nullptr);
}

void list_stand_ins(sqlite3_context* context, int, sqlite3_value** only_compared) {
  std::string names;
  for (const auto& [name, compared] : *static_cast<StandIns*>(sqlite3_user_data(context))) {
    if (sqlite3_value_int(*only_compared) != 0 && !compared) continue;
    names += (names.empty() ? "" : ", ") + name;
  }
  sqlite3_result_text(context, names.c_str(), -1, SQLITE_TRANSIENT);
}

Expected<StatementHandle> first_row(sqlite3* connection, std::string_view sql,
                                    std::string_view what) {
  BPD_TRY_AS(statement, prepare(connection, sql, what));
  const int rc = sqlite3_step(statement->get());
  if (rc == SQLITE_ROW) return statement;
  if (rc == SQLITE_DONE) {
    return fail(ErrorCode::internal, std::string(what) + ": the query gave no row.");
  }
  return fail(error_from(rc, connection, what));
}

}  // namespace

void CloseConnection::operator()(sqlite3* connection) const noexcept {
  sqlite3_close_v2(connection);
}

void FinalizeStatement::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

void start() {
  static const int started = [] {
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
    return sqlite3_initialize();
  }();
  (void)started;  // what is opened fails, where this did
}

Expected<ConnectionHandle> open(const std::string& name, int flags, const char* vfs) {
  start();
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(name.c_str(), &raw, flags, vfs);
  ConnectionHandle connection(raw);  // SQLite hands out a handle even for most failures
  if (rc != SQLITE_OK) return fail(error_from(rc, raw, "cannot open " + name));
  sqlite3_extended_result_codes(raw, 1);
  return connection;
}

bool read_failed(sqlite3* connection) {
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(connection, "main", which, &file) != SQLITE_OK || file == nullptr ||
        file->pMethods == nullptr) {
      continue;
    }
    int error_number = 0;
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error_number);
    const auto& failures = kDiskFailures;
    if (std::find(failures.begin(), failures.end(), error_number) != failures.end()) return true;
  }
  return false;
}

Error error_from(int result_code, sqlite3* connection, std::string_view what) {
  Mapping mapping = map_result(result_code);
  if (result_code == SQLITE_IOERR_SHORT_READ) {  // the file ends before what it should hold
    mapping = map_result(SQLITE_CORRUPT);
  }
  // Also where a mounted server gives a file another identity once it has carried it.
  if (result_code == SQLITE_READONLY_DBMOVED) {
    mapping = {ErrorCode::conflict, "The file was moved or replaced meanwhile; try again."};
  }
  if ((result_code & 0xff) == SQLITE_CORRUPT && connection != nullptr && read_failed(connection)) {
    mapping = map_result(SQLITE_IOERR);
  }
  const int system_error = connection != nullptr ? sqlite3_system_errno(connection) : 0;
  const bool no_file = (result_code & 0xff) == SQLITE_CANTOPEN;
#ifdef _WIN32
  if (no_file && system_error == kSharingViolation) mapping = map_result(SQLITE_BUSY);
#else
  if (no_file && (system_error == EMFILE || system_error == ENFILE)) {
    return error_from_errno(system_error, what);
  }
#endif
  std::string message(what);
  message += ": ";
  // The connection's own words are about its latest failure, which may be another one than ours.
  const bool same = connection != nullptr &&
                    (sqlite3_extended_errcode(connection) & 0xff) == (result_code & 0xff);
  const char* words = same ? sqlite3_errmsg(connection) : sqlite3_errstr(result_code);
  if (lacks_application_code(result_code, words)) {
    mapping = {ErrorCode::unsupported, "Only the program that owns the database has it."};
  }
  message += words;
  message += " (SQLite code " + std::to_string(result_code) + ").";
  return Error{mapping.code, std::move(message), std::move(mapping.hint)};
}

Expected<> execute(sqlite3* connection, const std::string& sql, std::string_view what) {
  const int rc = sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return fail(error_from(rc, connection, what));
  return {};
}

Expected<StatementHandle> prepare(sqlite3* connection, std::string_view sql,
                                  std::string_view what) {
  sqlite3_stmt* raw = nullptr;
  const int rc =
      sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  StatementHandle statement(raw);
  if (rc != SQLITE_OK) return fail(error_from(rc, connection, what));
  if (!statement) return fail(ErrorCode::internal, std::string(what) + ": the SQL is empty.");
  return statement;
}

Expected<std::int64_t> query_integer(sqlite3* connection, std::string_view sql,
                                     std::string_view what) {
  BPD_TRY_AS(row, first_row(connection, sql, what));
  return sqlite3_column_int64(row->get(), 0);
}

Expected<std::string> query_text(sqlite3* connection, std::string_view sql, std::string_view what) {
  BPD_TRY_AS(row, first_row(connection, sql, what));
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row->get(), 0));
  if (text == nullptr) return std::string();
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row->get(), 0)));
}

Expected<> for_each_row(sqlite3* connection, const std::string& sql, std::string_view what,
                        const std::function<void(sqlite3_stmt*)>& take,
                        const std::vector<std::string>& bound) {
  BPD_TRY_AS(statement, prepare(connection, sql, what));
  for (std::size_t i = 0; i < bound.size(); ++i) {
    sqlite3_bind_text(statement->get(), static_cast<int>(i + 1), bound[i].data(),
                      static_cast<int>(bound[i].size()), SQLITE_STATIC);
  }
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(statement->get())) == SQLITE_ROW) take(statement->get());
  if (rc != SQLITE_DONE) return fail(error_from(rc, connection, what));
  return {};
}

std::string column_text(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text != nullptr ? text : "";
}

sqlite3_file* main_file(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

void stand_in_for_collations(sqlite3* connection) {
  // A function's data lives as long as the connection. No schema may call this one.
  auto* stand_ins = new StandIns;
  const int rc = sqlite3_create_function_v2(
      connection, "backup_stand_ins", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, stand_ins, list_stand_ins,
      nullptr, nullptr, [](void* data) { delete static_cast<StandIns*>(data); });
  if (rc == SQLITE_OK) sqlite3_collation_needed(connection, stand_ins, add_stand_in);
}

// pragma_collation_list would not do: it has whatever the schema names, be it used or not.
std::string stood_in_collations(sqlite3* connection) {
  return query_text(connection, "SELECT backup_stand_ins(0)", "cannot list the collations")
      .value_or("");
}

std::string compared_by_stand_ins(sqlite3* connection) {
  return query_text(connection, "SELECT backup_stand_ins(1)", "cannot list the collations")
      .value_or("");
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

}  // namespace core::sqlite
