// sqlite3.h declares the extension only where these are set.
#define SQLITE_ENABLE_SESSION 1
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include "core/rescue/row_changes.h"

#include <sqlite3.h>

#include "core/base/call.h"
#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"

namespace core {
namespace {

constexpr const char* kRecording = "cannot record what is written";

struct CloseChanges {
  void operator()(sqlite3_changeset_iter* iterator) const noexcept {
    sqlite3changeset_finalize(iterator);
  }
};

int collect(void* text, const void* data, int bytes) {
  auto& collected = *static_cast<std::string*>(text);
  const auto count = static_cast<std::size_t>(bytes);
  if (collected.size() + count > kMaxChangesetBytes) return SQLITE_TOOBIG;
  collected.append(static_cast<const char*>(data), count);
  return SQLITE_OK;
}

Expected<> read_change(sqlite3_changeset_iter* iterator, RowChanged& change) {
  const char* table = nullptr;
  int columns = 0, operation = 0, indirect = 0;
  int rc = sqlite3changeset_op(iterator, &table, &columns, &operation, &indirect);
  unsigned char* key = nullptr;
  if (rc == SQLITE_OK) rc = sqlite3changeset_pk(iterator, &key, nullptr);
  if (rc != SQLITE_OK) return fail(sqlite::error_from(rc, nullptr, "cannot read the changes"));
  change.table = table;
  change.kind = operation == SQLITE_INSERT   ? RowChanged::Kind::insert
                : operation == SQLITE_UPDATE ? RowChanged::Kind::update
                                             : RowChanged::Kind::remove;
  change.indirect = indirect != 0;
  const auto width = static_cast<std::size_t>(columns);
  change.key.assign(key, key + width);
  change.before.assign(width, nullptr);
  change.after.assign(width, nullptr);
  for (int i = 0; i < columns; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (operation != SQLITE_INSERT) sqlite3changeset_old(iterator, i, &change.before[at]);
    if (operation != SQLITE_DELETE) sqlite3changeset_new(iterator, i, &change.after[at]);
  }
  return {};
}

}  // namespace

tl::unexpected<Error> fail_too_long() {
  return fail(ErrorCode::conflict,
              "What would be written is longer than " + std::to_string(kMaxChangesetBytes >> 20) +
                  " MiB, too much to keep for an undo; nothing was changed.",
              "Choose fewer rows at a time; or restore the whole snapshot with " +
                  say(Action::restore) + ".");
}

Expected<std::unique_ptr<RowRecording>> RowRecording::start(sqlite3* connection) {
  std::unique_ptr<RowRecording> recording(new RowRecording);
  recording->connection_ = connection;
  BPD_TRY_AS(shadows, ShadowTables::of(connection));
  recording->is_shadow_ = [shadows = *shadows](const std::string& name) {
    return shadows.contains(name);
  };
  BPD_TRY(sqlite::for_each_row(
      connection,
      "SELECT m.name FROM main.sqlite_schema AS m WHERE m.type = 'table' AND m.name IS NOT NULL "
      "AND m.rootpage > 0 AND (SELECT max(x.pk) > 0 AND max(x.hidden) = 0 "
      "FROM pragma_table_xinfo(m.name, 'main') AS x)",
      kRecording,
      [&](sqlite3_stmt* row) { recording->recordable_.insert(sqlite::column_text(row, 0)); }));
  int rc = sqlite3session_create(connection, "main", &recording->session_);
  if (rc == SQLITE_OK) {
    sqlite3session_table_filter(recording->session_, wants, recording.get());
    rc = sqlite3session_attach(recording->session_, nullptr);
  }
  if (rc != SQLITE_OK) return fail(sqlite::error_from(rc, connection, kRecording));
  return recording;
}

RowRecording::~RowRecording() {
  if (session_ != nullptr) sqlite3session_delete(session_);
}

int RowRecording::wants(void* self, const char* table) {
  auto& recording = *static_cast<RowRecording*>(self);
  const std::string name = table;
  if (name.starts_with("sqlite_") || recording.is_shadow_(name)) return 0;
  if (recording.recordable_.contains(name)) return 1;
  recording.unrecorded_.insert(name);
  return 0;
}

Expected<std::string> RowRecording::changeset() {
  std::string text;
  const int rc = sqlite3session_changeset_strm(session_, collect, &text);
  if (rc == SQLITE_TOOBIG) return fail_too_long();
  if (rc != SQLITE_OK) return fail(sqlite::error_from(rc, connection_, kRecording));
  return text;
}

Expected<> each_change(const std::string& changeset, bool inverted,
                       const std::function<Expected<>(const RowChanged&)>& take) {
  if (changeset.empty()) return {};
  sqlite3_changeset_iter* raw = nullptr;
  // SQLite reads it and does not write there.
  int rc = sqlite3changeset_start_v2(&raw, static_cast<int>(changeset.size()),
                                     const_cast<char*>(changeset.data()),
                                     inverted ? SQLITE_CHANGESETSTART_INVERT : 0);
  const std::unique_ptr<sqlite3_changeset_iter, CloseChanges> iterator(raw);
  if (rc != SQLITE_OK) return fail(sqlite::error_from(rc, nullptr, "cannot read the changes"));
  RowChanged change;
  while ((rc = sqlite3changeset_next(raw)) == SQLITE_ROW) {
    BPD_TRY(read_change(raw, change));
    BPD_TRY(take(change));
  }
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, nullptr, "cannot read the changes"));
  return {};
}

}  // namespace core
