#include "core/offsite/offsite_history.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/json.h"
#include "core/base/paths.h"
#include "core/catalog/names.h"
#include "core/platform/sha256.h"

namespace core {
namespace {

constexpr std::size_t kMaxRunsLookedAt = 4'000;
constexpr std::uint64_t kMaxNoteBytes = 16 * 1024;
constexpr std::size_t kKeyDigits = 32;

fs::path note_path(const RemotePath& remote, const std::string& what, const Env& env) {
  const std::string key = sha256_of(text_of(remote) + "\n" + what).substr(0, kKeyDigits);
  return env.places.state / "offsite" / (key + ".json");
}

OffsiteMember member_of(const RunRecord& newest) {
  OffsiteMember member;
  member.source = newest.source;
  const fs::path snapshot = path_of(newest.snapshot);
  member.folder = snapshot.parent_path();
  member.destination = path_of(newest.destination);
  if (const auto name = parse_snapshot_name(text_of(snapshot.filename()))) member.stem = name->stem;
  return member;
}

// What the runs of one source come to.
OffsiteMember judge(const std::vector<const RunRecord*>& runs, const std::string& remote,
                    Instant now) {
  const auto is_good_snapshot = [](const RunRecord* run) {
    return run->kind == kSnapshotRun && run->ok && !run->snapshot.empty();
  };
  const auto newest = std::find_if(runs.begin(), runs.end(), is_good_snapshot);
  if (newest == runs.end()) return {};
  OffsiteMember member = member_of(**newest);
  const RunRecord* look = nullptr;  // the last that left a copy
  bool first = true;
  for (const RunRecord* run : runs) {
    if (run->kind != kOffsiteRun || run->destination != remote) continue;
    if (std::exchange(first, false) && !run->ok) {
      member.last_error = Error{error_code_of(run->error_code), run->error, ""};
    }
    if (!leaves_copy(*run)) continue;
    look = run;
    break;
  }
  if (look == nullptr) {
    member.owed = true;
    return member;
  }
  member.last_good = look->finished_at;
  member.last_copy = look->snapshot;
  const bool wrote = std::any_of(runs.begin(), runs.end(), [&](const RunRecord* run) {
    return is_good_snapshot(run) && !run->unchanged() && run->finished_at > look->started_at;
  });
  const bool stale = now - look->started_at >= kLookAgain || look->started_at > now;
  member.owed = wrote || (stale && (*newest)->finished_at > look->started_at);
  return member;
}

Expected<Json> read_note(const fs::path& path, const Env& env) {
  BPD_TRY_AS(text, env.files.read(path, kMaxNoteBytes));
  Json json = read_json(*text);
  if (json.is_object()) return json;
  return fail(ErrorCode::damaged, text_of(path) + " cannot be read.", "");
}

Expected<> write_note(const fs::path& path, const Json& json, const Env& env) {
  BPD_TRY(env.files.make_folders(path.parent_path(), kPrivateFolder));
  return env.files.write_atomically(path, json_file_text(json), kPrivateFile);
}

std::optional<Instant> instant_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  return parse_instant(found->get<std::string>());
}

}  // namespace

bool leaves_copy(const RunRecord& run) {
  return run.kind == kOffsiteRun && !run.snapshot.empty() &&
         (run.ok || run.error_code == to_string(ErrorCode::conflict));
}

std::vector<OffsiteMember> members_by(const std::vector<RunRecord>& runs, const std::string& remote,
                                      Instant now) {
  std::map<std::string, std::vector<const RunRecord*>> by_source;
  for (const RunRecord& run : runs) by_source[run.source].push_back(&run);
  std::vector<OffsiteMember> members;
  for (const auto& [source, its] : by_source) {
    OffsiteMember member = judge(its, remote, now);
    if (!member.stem.empty()) members.push_back(std::move(member));
  }
  return members;
}

Expected<std::vector<OffsiteMember>> offsite_members(const std::string& schedule,
                                                     const RemotePath& remote, const Env& env) {
  RunFilter filter;
  filter.schedule = schedule;
  filter.limit = kMaxRunsLookedAt;
  BPD_TRY_AS(runs, list_runs(filter, env));
  return members_by(*runs, text_of(remote), env.clock.now());
}

std::vector<std::string> names_of_snapshots(const std::string& source, const Env& env) {
  RunFilter filter;
  filter.kind = kSnapshotRun;
  filter.source = source;
  filter.limit = kMaxRunsLookedAt;
  std::set<std::string> names;
  const auto runs = list_runs(filter, env);
  if (!runs) return {};
  for (const RunRecord& run : *runs) {
    if (run.ok) names.insert(text_of(path_of(run.snapshot).filename()));
  }
  return {names.begin(), names.end()};
}

std::optional<OffsiteNote> read_offsite_note(const RemotePath& remote, const std::string& source,
                                             const Env& env) {
  const auto json = read_note(note_path(remote, source, env), env);
  if (!json) return std::nullopt;
  const auto taken = instant_in(*json, "taken_at"), looked = instant_in(*json, "looked_at");
  const auto copy = json->find("copy"), copies = json->find("copies");
  const bool whole = taken && looked && copy != json->end() && copy->is_string() &&
                     copies != json->end() && copies->is_number_unsigned();
  if (!whole) return std::nullopt;
  return OffsiteNote{copy->get<std::string>(), *taken, *looked, instant_in(*json, "read_back_at"),
                     copies->get<std::uint64_t>()};
}

Expected<> write_offsite_note(const RemotePath& remote, const std::string& source,
                              const OffsiteNote& note, const Env& env) {
  Json json{{"remote", text_of(remote)},
            {"copy", note.copy},
            {"taken_at", format_instant(note.taken_at)},
            {"looked_at", format_instant(note.looked_at)},
            {"copies", note.copies}};
  if (note.read_back_at) json["read_back_at"] = format_instant(*note.read_back_at);
  return write_note(note_path(remote, source, env), json, env);
}

std::optional<Instant> sheet_written_at(const RemotePath& remote, const Env& env) {
  const auto json = read_note(note_path({remote.name, ""}, "sheet", env), env);
  return json ? instant_in(*json, "written_at") : std::nullopt;
}

Expected<> note_sheet(const RemotePath& remote, const Env& env) {
  return write_note(note_path({remote.name, ""}, "sheet", env),
                    {{"remote", remote.name}, {"written_at", format_instant(env.clock.now())}},
                    env);
}

}  // namespace core
