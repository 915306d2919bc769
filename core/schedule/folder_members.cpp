#include "core/schedule/folder_members.h"

#include <algorithm>
#include <array>

#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/base/utf8.h"
#include "core/catalog/names.h"
#include "core/discovery/discover.h"
#include "core/discovery/project_here.h"

namespace core {
namespace {

constexpr std::size_t kMaxLabelBytes = 60;
constexpr std::uint32_t kFirstLatin = 0xC0, kLastLatin = 0x17F, kSharpS = 0xDF;
constexpr std::uint32_t kFirstAccent = 0x300, kLastAccent = 0x36F;  // combining, as macOS has them

// Small letters of Latin-1, and Latin Extended-A, each range by its last character.
// https://www.unicode.org/charts/PDF/U0080.pdf, U0100.pdf
struct LatinRange {
  std::uint32_t last;
  const char* ascii;
};
constexpr auto kLatin = std::to_array<LatinRange>({
    {0xE3, "a"},  {0xE4, "ae"},  {0xE5, "a"},  {0xE6, "ae"}, {0xE7, "c"},  {0xEB, "e"},
    {0xEF, "i"},  {0xF0, "d"},   {0xF1, "n"},  {0xF5, "o"},  {0xF6, "oe"}, {0xF7, "-"},
    {0xF8, "o"},  {0xFB, "u"},   {0xFC, "ue"}, {0xFD, "y"},  {0xFE, "th"}, {0xFF, "y"},
    {0x105, "a"}, {0x10D, "c"},  {0x111, "d"}, {0x11B, "e"}, {0x123, "g"}, {0x127, "h"},
    {0x131, "i"}, {0x133, "ij"}, {0x135, "j"}, {0x138, "k"}, {0x142, "l"}, {0x14B, "n"},
    {0x151, "o"}, {0x153, "oe"}, {0x159, "r"}, {0x161, "s"}, {0x167, "t"}, {0x173, "u"},
    {0x175, "w"}, {0x178, "y"},  {0x17E, "z"}, {0x17F, "s"},
});

std::string latin(std::uint32_t code) {
  if (code == kSharpS) return "ss";
  if (code < kSharpS) code |= 0x20;  // a capital
  for (const LatinRange& range : kLatin) {
    if (code <= range.last) return range.ascii;
  }
  return "-";
}

// For a file name that any keyboard can type, where its letters are Latin.
std::string plain(std::string_view text) {
  std::string out;
  while (!text.empty() && out.size() < kMaxLabelBytes) {
    const Utf8Character character = first_character(text);
    const std::size_t bytes = std::max<std::size_t>(character.bytes, 1);
    std::string letter = "-";
    const auto c = static_cast<char>(character.code);
    if (character.code >= kFirstAccent && character.code <= kLastAccent) {
      letter.clear();
    } else if (character.code > kLastLatin) {
      letter = std::string(text.substr(0, bytes));
    } else if (character.code >= kFirstLatin) {
      letter = latin(character.code);
    } else if (c >= 'A' && c <= 'Z') {
      letter = static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
      letter = c;
    }
    text.remove_prefix(bytes);
    if (letter == "-" && (out.empty() || out.back() == '-')) continue;
    out += letter;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "db" : out;
}

bool is_global(const FoundDatabase& database) {
  return database.kind == DatabaseKind::global || database.kind == DatabaseKind::legacy_global;
}

// There may be more than one: an old one, or that of another $CLAUDE_CONFIG_DIR.
std::string global_label(const FoundDatabase& database, const Env& env) {
  const std::string label(kGlobalLabel);
  const auto usual = env.files.canonical(env.places.home / kGlobalDatabase);
  if (usual && *usual == database.path) return label;
  return label + "-" + short_hash(text_of(database.path));
}

std::string label_of(const FoundDatabase& database, const fs::path& folder, const Env& env) {
  return is_global(database) ? global_label(database, env) : folder_label(folder, database.path);
}

}  // namespace

std::string folder_label(const fs::path& folder, const fs::path& database) {
  const bool is_project = is_project_database(database);
  const fs::path named =
      is_project ? database.parent_path().parent_path()
                 : database.parent_path() /
                       (has_database_ending(database) ? database.stem() : database.filename());
  fs::path shown = named.lexically_relative(folder);
  if (shown == ".") shown = folder.filename();
  const std::string label = plain(text_of(shown));
  // Other scripts have capitals, too, which a destination may not tell apart.
  const bool is_ascii = std::all_of(label.begin(), label.end(), [](char c) { return c > 0; });
  const bool is_alone = is_project && named.parent_path() == folder && text_of(shown) == label;
  if (is_alone && is_ascii && label != kGlobalLabel) return label;
  const std::u8string path = database.lexically_relative(folder).generic_u8string();
  return label + "-" + short_hash(std::string(path.begin(), path.end()));
}

SnapshotRequest member_request(const BackupJob& job, const fs::path& database,
                               const std::string& label) {
  SnapshotRequest request = snapshot_of(job);
  request.source = database;
  request.label = label;
  request.other_label = label + "-" + short_hash(text_of(database));
  return request;
}

Expected<FolderMembers> members_of(const BackupJob& job, std::chrono::milliseconds timeout,
                                   const Env& env, std::stop_token stop) {
  BPD_TRY_AS(folder, env.files.canonical(job.folder));
  const fs::path destination =
      env.files.canonical(job.snapshot.destination).value_or(job.snapshot.destination);
  DiscoverRequest request;
  request.folders = {*folder};
  request.patterns = job.patterns;
  request.global = job.global;
  request.known = false;
  request.read_contents = false;
  request.timeout = timeout;
  BPD_TRY_AS(found, discover_databases(request, env, stop));
  FolderMembers members;
  members.folder = *folder;
  members.warnings = std::move(found->warnings);
  members.complete = found->complete;
  for (const FoundDatabase& database : found->databases) {
    if (database.ignored || is_inside(database.path, destination)) continue;
    if (!is_global(database) && !is_inside(database.path, *folder)) {
      members.warnings.push_back("A link in " + text_of(*folder) + " leads to " +
                                 text_of(database.path) +
                                 ", which is left out: give it a schedule of its own.");
      continue;
    }
    members.snapshots.push_back(
        member_request(job, database.path, label_of(database, *folder, env)));
  }
  std::ranges::sort(members.snapshots, {}, &SnapshotRequest::source);
  return members;
}

}  // namespace core
