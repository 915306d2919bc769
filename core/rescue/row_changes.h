// What was written to the rows of a database, recorded as it happens: SQLite's session extension.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

struct sqlite3;
struct sqlite3_session;
struct sqlite3_value;

namespace core {

// Records every change of this connection's `main`, those by triggers, too, until it is destroyed.
// Tables in which a virtual table keeps its content are left out: their module changes them again
// when the rows change. https://www.sqlite.org/sessionintro.html
class RowRecording {
 public:
  static Expected<std::unique_ptr<RowRecording>> start(sqlite3* connection);
  ~RowRecording();
  RowRecording(const RowRecording&) = delete;
  RowRecording& operator=(const RowRecording&) = delete;

  // What is different now from the start, as a changeset. conflict where it is longer than
  // kMaxChangesetBytes.
  Expected<std::string> changeset();
  // Tables that changed and cannot be recorded: no primary key, or generated columns.
  const std::set<std::string>& unrecorded() const { return unrecorded_; }

 private:
  RowRecording() = default;
  static int wants(void* self, const char* table);

  sqlite3* connection_ = nullptr;
  sqlite3_session* session_ = nullptr;
  std::function<bool(const std::string&)> is_shadow_;
  std::set<std::string> recordable_, unrecorded_;
};

inline constexpr std::size_t kMaxChangesetBytes = 48ULL << 20;
// conflict: it would be longer.
tl::unexpected<Error> fail_too_long();

// One row's change. Values live until the next one; null where a value stayed as it was.
struct RowChanged {
  enum class Kind { insert, update, remove };
  std::string table;
  Kind kind = Kind::insert;
  bool indirect = false;  // by a trigger
  std::vector<bool> key;  // which columns are of the primary key
  std::vector<sqlite3_value*> before, after;
};

// Calls `take` for each change; `inverted`: as what takes it back.
Expected<> each_change(const std::string& changeset, bool inverted,
                       const std::function<Expected<>(const RowChanged&)>& take);

}  // namespace core
