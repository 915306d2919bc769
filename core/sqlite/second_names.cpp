#include "core/sqlite/second_names.h"

#include <set>
#include <string_view>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/base/side_files.h"
#include "core/platform/mounts.h"
#include "core/platform/open_files.h"

namespace core {
namespace {

constexpr std::size_t kMaxBesideEntries = 10'000;
// The first bytes of a journal that holds pages; zeroed or cut off when its transaction has ended.
// https://www.sqlite.org/fileformat.html#the_rollback_journal
constexpr std::string_view kJournalMagic("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);

struct OtherNames {
  std::set<fs::path> open;    // by which programs have it open
  std::set<fs::path> beside;  // in its own folder
  bool all_found = false;

  std::set<fs::path> all() const {
    std::set<fs::path> names = open;
    names.insert(beside.begin(), beside.end());
    return names;
  }
};

OtherNames other_names_of(const fs::path& path, const FileSystem& files) {
  OtherNames names;
  const auto info = files.link_info(path);
  if (!info) return names;
  const auto is_same = [&](const fs::path& other) {
    const auto there = files.link_info(other);
    return other != path && there && there->id == info->id;
  };
  for (const fs::path& other : open_names_of(info->id, files)) {
    if (is_same(other)) names.open.insert(other);
  }
  if (info->names > 1) {
    const auto entries = files.list(path.parent_path(), kMaxBesideEntries);
    for (const DirEntry& entry : entries ? *entries : std::vector<DirEntry>()) {
      const fs::path other = path.parent_path() / path_of(entry.name);
      if (entry.kind == FileInfo::Kind::file && is_same(other)) names.beside.insert(other);
    }
  }
  names.all_found = !is_mount_point(path, files) && names.all().size() + 1 == info->names;
  return names;
}

// There, and not the very file that lies beside `path`.
bool has_own(const fs::path& other, const fs::path& path, const char* suffix,
             const FileSystem& files) {
  const auto theirs = files.info(with_suffix(other, suffix));
  const auto ours = files.info(with_suffix(path, suffix));
  return theirs && !(ours && ours->id == theirs->id);
}

tl::unexpected<Error> fail_second_name(const fs::path& path, const fs::path& other,
                                       const std::string& what) {
  return fail(ErrorCode::conflict,
              text_of(path) + " is a second name of the database " + text_of(other) + ", and " +
                  what + " lies beside that one.",
              "Name " + text_of(other) + " as the source.");
}

std::string describe_names(const fs::path& path, const FileSystem& files) {
  const auto info = files.info(path);
  if (info && info->names > 1) {
    return text_of(path) + " is one of " + std::to_string(info->names) +
           " names (hard links) of its file";
  }
  return text_of(path) + " is a file that is mounted by itself";
}

std::string command_that_finds_names(const fs::path& path) {
#ifdef _WIN32
  return shell_command({"fsutil", "hardlink", "list", text_of(path)});
#else
  return shell_command({"find", "/", "-xdev", "-samefile", text_of(path)});
#endif
}

std::string how_to_find_names(const fs::path& path, const FileSystem& files) {
  const auto info = files.info(path);
  if (info && info->names < 2) return "Mount the folder that the database lies in, not the file.";
  return "Name the one that its program opens as the source; to find the others: " +
         command_that_finds_names(path) + ". If this is the one, remove the others.";
}

}  // namespace

bool may_have_second_names(const fs::path& path, const FileSystem& files) {
  const auto info = files.info(path);
  return (info && info->names > 1) || is_mount_point(path, files);
}

Expected<> check_second_wal(const fs::path& path, const FileSystem& files) {
  const OtherNames names = other_names_of(path, files);
  for (const fs::path& other : names.all()) {
    if (!has_own(other, path, kWalSuffix, files)) continue;
    const auto wal = files.info(wal_of(other));
    if (names.open.contains(other) || (wal && wal->bytes > 0)) {
      return fail_second_name(path, other, "the -wal with its last changes");
    }
  }
  if (names.all_found || files.info(wal_of(path))) return {};
  return fail(ErrorCode::conflict,
              describe_names(path, files) +
                  ", and in WAL mode. Its last changes may lie in a -wal beside another name, "
                  "which cannot be found from here.",
              how_to_find_names(path, files));
}

Expected<std::string> check_second_journal(const fs::path& path, bool writing,
                                           const FileSystem& files) {
  const OtherNames names = other_names_of(path, files);
  for (const fs::path& other : names.all()) {
    if (writing || !has_own(other, path, kJournalSuffix, files)) continue;
    const auto start = files.read_start(journal_of(other), kJournalMagic.size());
    if (start && *start == kJournalMagic) {
      return fail_second_name(path, other,
                              "a journal left by a program that crashed while writing");
    }
  }
  if (names.all_found) return std::string();
  return describe_names(path, files) +
         ". Whether a journal of a program that crashed while writing lies beside another name "
         "cannot be seen from here. " +
         how_to_find_names(path, files);
}

}  // namespace core
