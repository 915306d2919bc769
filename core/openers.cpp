#include "core/openers.h"

#include <algorithm>
#include <charconv>

#include "core/paths.h"

namespace core {
namespace {

constexpr std::size_t kMaxProcesses = 100'000;
constexpr std::size_t kMaxDescriptors = 100'000;  // of one process
constexpr std::size_t kMaxDescribed = 4;
constexpr std::uint64_t kMaxNameBytes = 64;

// The present files under the database's name, by identity.
std::vector<FileId> files_of(const fs::path& database, const FileSystem& files) {
  std::vector<FileId> ids;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (const auto id = files.cached_id(with_suffix(database, suffix))) ids.push_back(*id);
  }
  return ids;
}

bool has_open(const fs::path& process, const std::vector<FileId>& ids, const FileSystem& files) {
  const auto descriptors = files.list(process / "fd", kMaxDescriptors);
  if (!descriptors) return false;  // another user's, or ended meanwhile
  return std::any_of(descriptors->begin(), descriptors->end(), [&](const DirEntry& entry) {
    // One of the files may lie on a network mount that is gone.
    const auto id = files.cached_id(process / "fd" / entry.name);
    return id && std::find(ids.begin(), ids.end(), *id) != ids.end();
  });
}

std::string program_of(const fs::path& process, const FileSystem& files) {
  auto name = files.read_start(process / "comm", kMaxNameBytes);
  if (!name) return "";
  while (!name->empty() && name->back() == '\n') name->pop_back();
  return *name;
}

}  // namespace

std::vector<Opener> openers_of(const fs::path& database, const FileSystem& files) {
  std::vector<Opener> openers;
  const std::vector<FileId> ids = files_of(database, files);
  const auto processes = files.list("/proc", kMaxProcesses);
  if (ids.empty() || !processes) return openers;
  for (const DirEntry& entry : *processes) {
    int id = 0;
    const char* end = entry.name.data() + entry.name.size();
    if (std::from_chars(entry.name.data(), end, id).ptr != end) continue;
    const fs::path process = fs::path("/proc") / entry.name;
    if (has_open(process, ids, files)) openers.push_back({id, program_of(process, files)});
  }
  return openers;
}

std::string describe_openers(const std::vector<Opener>& openers) {
  std::string text;
  for (std::size_t i = 0; i < openers.size() && i < kMaxDescribed; ++i) {
    if (i > 0) text += i + 1 == openers.size() ? " and " : ", ";
    text += (openers[i].program.empty() ? "a program" : openers[i].program) + " (process " +
            std::to_string(openers[i].process_id) + ")";
  }
  if (openers.size() > kMaxDescribed) {
    text += " and " + std::to_string(openers.size() - kMaxDescribed) + " more";
  }
  return text;
}

}  // namespace core
