// What takes back rows that were put back: a file in the state folder, made before they are.
#pragma once

#include <string>

#include "core/base/env.h"

namespace core {

struct UndoRecord {
  std::string source;     // the database, by manifest_text of its path
  Instant made_at{};      // in whole seconds
  std::string changeset;  // what was written; its inverse is the undo
};

// Writes <state>/undo-rows/<name>, readable for this user only, synced; the name is a new one made
// of the source's stem and the time. What it returns is that name.
Expected<std::string> keep_undo(const UndoRecord& record, const Env& env);
// not_found for a name that is none of these files, damaged for one whose digest does not fit,
// unsupported for one of a newer version.
Expected<UndoRecord> read_undo(const std::string& name, const Env& env);
// The same without the changeset, which is not read: its digest may not fit.
Expected<UndoRecord> read_undo_head(const std::string& name, const Env& env);
Expected<> forget_undo(const std::string& name, const Env& env);
// Where such files lie.
fs::path undo_folder(const Env& env);

}  // namespace core
