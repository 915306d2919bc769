#include "core/sqlite/newer_schema.h"

#include <sqlite3.h>

#include <array>

#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"

namespace core {
namespace {

// A number beyond it is no version, but damage.
constexpr std::uint32_t kMaxVersion = 9'999'999;

std::string version_text(std::uint32_t number) {
  return std::to_string(number / 1'000'000) + "." + std::to_string(number / 1'000 % 1'000) + "." +
         std::to_string(number % 1'000);
}

int read_schema(sqlite3* connection) {
  sqlite3_stmt* raw = nullptr;
  const int rc =
      sqlite3_prepare_v2(connection, "SELECT 1 FROM main.sqlite_master", -1, &raw, nullptr);
  sqlite3_finalize(raw);
  return rc;
}

void tell_unread(sqlite3_context* context, int, sqlite3_value**) {
  const auto& text = *static_cast<std::string*>(sqlite3_user_data(context));
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

// Kept with the connection, as a function that no schema may call.
void remember_unread(sqlite3* connection, std::string text) {
  sqlite3_create_function_v2(connection, "backup_unread_schema", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                             new std::string(std::move(text)), tell_unread, nullptr, nullptr,
                             [](void* data) { delete static_cast<std::string*>(data); });
}

}  // namespace

std::string newer_writer(const FileHeader& header) {
  const std::uint32_t number = header.writer_version;
  if (number == 0) {
    return std::string(
               "Its header does not say which SQLite wrote this database last; this "
               "program has ") +
           sqlite3_libversion() + ".";
  }
  if (number <= SQLITE_VERSION_NUMBER || number > kMaxVersion) return "";
  return "SQLite " + version_text(number) + " wrote this database last; this program has " +
         sqlite3_libversion() + ".";
}

std::string newer_writer(sqlite3* connection) {
  sqlite3_file* file = sqlite::main_file(connection);
  if (file == nullptr) return "";
  std::array<unsigned char, kFileHeaderBytes> header{};
  const int rc = file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0);
  return rc == SQLITE_OK ? newer_writer(read_file_header(header.data())) : "";
}

void accept_newer_schema(sqlite3* connection, const std::string& writer) {
  if (writer.empty() || read_schema(connection) != SQLITE_CORRUPT) return;
  const std::string why = sqlite3_errmsg(connection);
  // Not where the pages that hold the schema are damaged.
  if (!why.starts_with("malformed database schema")) return;
  sqlite3_exec(connection, "PRAGMA writable_schema = ON", nullptr, nullptr, nullptr);
  read_schema(connection);  // this one fails still
  if (read_schema(connection) != SQLITE_OK) return;
  remember_unread(connection, why + ". " + writer);
}

std::string unread_schema(sqlite3* connection) {
  return sqlite::query_text(connection, "SELECT backup_unread_schema()", "").value_or("");
}

bool misses_tables(sqlite3* connection) {
  if (unread_schema(connection).empty()) return false;
  const auto tables =
      sqlite::prepare(connection, "SELECT name FROM main.sqlite_master WHERE type = 'table'",
                      "cannot list the tables");
  if (!tables) return true;
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(tables->get())) == SQLITE_ROW) {
    const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(tables->get(), 0));
    if (name == nullptr || !table_is_known(connection, name)) return true;
  }
  return rc != SQLITE_DONE;
}

WithoutSchema::WithoutSchema(sqlite3* connection) : connection_(connection) {
  sqlite3_exec(connection, "PRAGMA writable_schema = ON", nullptr, nullptr, nullptr);
}

// Whoever reads the schema next is told what is wrong with it.
WithoutSchema::~WithoutSchema() {
  sqlite3_exec(connection_, "PRAGMA writable_schema = RESET", nullptr, nullptr, nullptr);
}

}  // namespace core
