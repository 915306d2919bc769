#include "core/rescue/undo_file.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/json.h"
#include "core/base/json_limits.h"
#include "core/base/paths.h"
#include "core/catalog/names.h"
#include "core/platform/sha256.h"
#include "core/rescue/row_changes.h"

namespace core {
namespace {

constexpr int kFormat = 1;
constexpr int kMaxNames = 1'000;
constexpr std::size_t kMaxHeadBytes = 64 << 10;
constexpr std::size_t kMaxNameBytes = 100;  // of the stem
constexpr std::string_view kEnding = ".undo";
constexpr JsonLimits kLimits{4, 100, 100};

// Of the stem only what is plain in every shell and file system.
std::string plain_stem(const std::string& source) {
  std::string stem = stem_of(path_of(source)).substr(0, kMaxNameBytes);
  for (char& c : stem) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain) c = '_';
  }
  return stem;
}

tl::unexpected<Error> fail_damaged(const std::string& name) {
  return fail(ErrorCode::damaged, "The undo file " + name + " is damaged; nothing was changed.",
              "Restore the snapshot that was taken before, if all is to be as it was then.");
}

// What the first line of an undo file says, and the digest that the rest of it must have.
struct Head {
  UndoRecord record;
  std::string sha256;
};

Expected<Head> read_head(const std::string& name, std::string_view text) {
  const auto end = text.find('\n');
  if (end == text.npos || end > kMaxHeadBytes) return fail_damaged(name);
  const std::string line(text.substr(0, end));
  if (!beyond_limits(line, kLimits).empty()) return fail_damaged(name);
  const Json head = read_json(line);
  const auto is_text = [&](const char* key) { return head.contains(key) && head[key].is_string(); };
  if (!head.is_object() || !head.contains("format") || !head["format"].is_number_integer()) {
    return fail_damaged(name);
  }
  if (head["format"].get<std::int64_t>() > kFormat) {
    return fail(ErrorCode::unsupported, "The undo " + name + " was made by a newer version.",
                "Update backup-plugin-db.");
  }
  if (!is_text("source") || !is_text("made_at") || !is_text("sha256")) return fail_damaged(name);
  const auto made_at = parse_instant(head["made_at"].get<std::string>());
  if (!made_at) return fail_damaged(name);
  return Head{{head["source"], *made_at, ""}, head["sha256"]};
}

}  // namespace

fs::path undo_folder(const Env& env) {
  return env.places.state / "undo-rows";
}

Expected<std::string> keep_undo(const UndoRecord& record, const Env& env) {
  const fs::path folder = undo_folder(env);
  BPD_TRY(env.files.make_folders(folder, kPrivateFolder));
  const Json head{{"format", kFormat},
                  {"source", record.source},
                  {"made_at", format_instant(record.made_at)},
                  {"sha256", sha256_of(record.changeset)}};
  const std::string stem = plain_stem(record.source) + "-" + compact_instant(record.made_at);
  for (int number = 1; number <= kMaxNames; ++number) {
    const std::string name =
        stem + (number == 1 ? "" : "-" + std::to_string(number)) + std::string(kEnding);
    if (env.files.link_info(folder / path_of(name))) continue;
    BPD_TRY(env.files.write_atomically(folder / path_of(name),
                                       json_text(head) + "\n" + record.changeset, kPrivateFile));
    return name;
  }
  return fail(ErrorCode::conflict, "There are too many undo files in " + text_of(folder) + ".",
              "Remove those that are not needed.");
}

Expected<UndoRecord> read_undo(const std::string& name, const Env& env) {
  const fs::path folder = undo_folder(env);
  if (!name.ends_with(kEnding) || name.find_first_of(std::string_view("/\\\0", 3)) != name.npos) {
    return fail(ErrorCode::not_found, "There is no undo of that name.",
                "Give the name that " + say(Action::put_back_rows) + " told; they lie in " +
                    text_of(folder) + ".");
  }
  const auto text = env.files.read(folder / path_of(name), kMaxChangesetBytes + kMaxHeadBytes);
  if (!text && text.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, "There is no undo " + name + "; it may be done already.",
                "Give the name that " + say(Action::put_back_rows) + " told; they lie in " +
                    text_of(folder) + ".");
  }
  if (!text) return fail(text.error());
  BPD_TRY_AS(head, read_head(name, *text));
  head->record.changeset = text->substr(text->find('\n') + 1);
  if (sha256_of(head->record.changeset) != head->sha256) return fail_damaged(name);
  return std::move(head->record);
}

Expected<UndoRecord> read_undo_head(const std::string& name, const Env& env) {
  BPD_TRY_AS(text, env.files.read_start(undo_folder(env) / path_of(name), kMaxHeadBytes));
  return read_head(name, *text).map([](Head head) { return std::move(head.record); });
}

Expected<> forget_undo(const std::string& name, const Env& env) {
  return env.files.remove(undo_folder(env) / path_of(name));
}

}  // namespace core
