#include "core/rescue/unrecorded_rows.h"

#include <sqlite3.h>

#include <cstring>

#include "core/rescue/keyless_rows.h"
#include "core/rescue/row_changes.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

using sqlite::quote_identifier;

constexpr const char* kAddingRecord = "cannot record what is written";

// The form of a changeset: https://www.sqlite.org/session/changeset_new.html, and the comment at
// the head of sqlite3session.c.
void put_number(std::string& text, std::uint64_t number) {
  std::string bytes(1, static_cast<char>(number & 0x7f));
  while ((number >>= 7) > 0) bytes.insert(bytes.begin(), static_cast<char>(number | 0x80));
  text += bytes;
}

void put_eight_bytes(std::string& text, std::uint64_t bits) {
  for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(bits >> shift);
}

void put_value(std::string& text, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  text += static_cast<char>(type);
  if (type == SQLITE_INTEGER) {
    put_eight_bytes(text, static_cast<std::uint64_t>(sqlite3_value_int64(value)));
  } else if (type == SQLITE_FLOAT) {
    const double number = sqlite3_value_double(value);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    put_eight_bytes(text, bits);
  } else if (type != SQLITE_NULL) {
    const void* bytes = type == SQLITE_BLOB ? sqlite3_value_blob(value) : sqlite3_value_text(value);
    const auto count = static_cast<std::size_t>(sqlite3_value_bytes(value));
    put_number(text, count);
    if (count > 0) text.append(static_cast<const char*>(bytes), count);
  }
}

struct Columns {
  std::vector<std::string> names;  // that hold something of their own
  std::string key;                 // a byte each: 1 for one of the key
};

Expected<Columns> stored_columns_of(sqlite3* connection, const RowTable& table) {
  Columns columns;
  BPD_TRY(sqlite::for_each_row(
      connection,
      "SELECT name, pk FROM pragma_table_xinfo(?1, 'main') WHERE hidden = 0 ORDER BY cid",
      kAddingRecord,
      [&](sqlite3_stmt* row) {
        columns.names.push_back(sqlite::column_text(row, 0));
        columns.key += static_cast<char>(sqlite3_column_int(row, 1));
      },
      {table.name}));
  return columns;
}

Expected<> add_rows(sqlite3* connection, const RowBatch& batch, std::string& changeset) {
  const RowTable& table = batch.table;
  BPD_TRY_AS(columns, stored_columns_of(connection, table));
  std::string wanted = listed(columns->names, "l");
  const bool by_place = table.keyless || table.by_place;
  if (by_place) {
    wanted = "l." + table.rowid + ", " + wanted;
    columns->key.insert(columns->key.begin(), 1);
  }
  changeset += 'T';
  put_number(changeset, columns->key.size());
  changeset += columns->key + table.name;
  changeset += '\0';
  bool too_long = false;
  BPD_TRY(sqlite::for_each_row(
      connection,
      "SELECT " + wanted + " FROM " + batch.name + " AS b JOIN main." +
          quote_identifier(table.name) + " AS l ON " +
          (by_place ? "l." + table.rowid + " = b." + kPlace : same_key(table, "l", "b")),
      kAddingRecord, [&](sqlite3_stmt* row) {
        too_long = too_long || changeset.size() > kMaxChangesetBytes;
        if (too_long) return;
        changeset += static_cast<char>(SQLITE_INSERT);
        changeset += '\0';  // not by a trigger
        for (int i = 0; i < sqlite3_column_count(row); ++i) {
          put_value(changeset, sqlite3_column_value(row, i));
        }
      }));
  if (too_long || changeset.size() > kMaxChangesetBytes) return fail_too_long();
  return {};
}

bool is_meant(const RowBatch& batch) {
  return batch.rows > 0 && !batch.update && !batch.table.recorded;
}

}  // namespace

Expected<std::map<std::string, std::int64_t>> count_unrecorded(sqlite3* connection,
                                                               const RowPlan& plan) {
  std::map<std::string, std::int64_t> counts;
  for (const RowBatch& batch : plan.batches) {
    if (!is_meant(batch) || counts.contains(batch.table.name)) continue;
    BPD_TRY_AS(count,
               sqlite::query_integer(
                   connection, "SELECT count(*) FROM main." + quote_identifier(batch.table.name),
                   kAddingRecord));
    counts[batch.table.name] = *count;
  }
  return counts;
}

Expected<> add_unrecorded(sqlite3* connection, const RowPlan& plan, std::string& changeset) {
  for (const RowBatch& batch : plan.batches) {
    if (!is_meant(batch)) continue;
    BPD_TRY(add_rows(connection, batch, changeset));
  }
  return {};
}

}  // namespace core
