#include "core/platform/open_files.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "core/base/paths.h"
#include "core/platform/posix/open_files.h"

namespace core {
namespace {

constexpr std::size_t kMaxProcesses = 100'000;
constexpr std::size_t kMaxDescriptors = 100'000;  // of one process
constexpr std::uint64_t kMaxNameBytes = 64;
constexpr std::size_t kMaxStatusBytes = 4096;
constexpr std::size_t kMaxLocksBytes = 4 << 20;

// Calls on each descriptor of one of these files until `visit` is content.
template <class Visit>
bool visit_descriptors(const fs::path& process, const std::vector<FileId>& ids,
                       const FileSystem& files, const Visit& visit) {
  const auto descriptors = files.list(process / "fd", kMaxDescriptors);
  if (!descriptors) return false;  // another user's, or ended meanwhile
  return std::any_of(descriptors->begin(), descriptors->end(), [&](const DirEntry& entry) {
    // One of the files may lie on a network mount that is gone.
    const auto id = files.cached_id(process / "fd" / entry.name);
    return id && std::find(ids.begin(), ids.end(), *id) != ids.end() &&
           visit(process / "fd" / entry.name);
  });
}

template <class Visit>
void visit_processes(const FileSystem& files, const Visit& visit) {
  const auto processes = files.list("/proc", kMaxProcesses);
  if (!processes) return;
  for (const DirEntry& entry : *processes) {
    int id = 0;
    const char* end = entry.name.data() + entry.name.size();
    if (std::from_chars(entry.name.data(), end, id).ptr == end) {
      visit(id, fs::path("/proc") / entry.name);
    }
  }
}

std::string program_of(const fs::path& process, const FileSystem& files) {
  auto name = files.read_start(process / "comm", kMaxNameBytes);
  if (!name) return "";
  while (!name->empty() && name->back() == '\n') name->pop_back();
  return *name;
}

// "Uid:	1000	…" of https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
std::string other_user_of(const fs::path& process, const FileSystem& files) {
  constexpr std::string_view kUid = "\nUid:\t";
  const auto status = files.read_start(process / "status", kMaxStatusBytes);
  const std::size_t at = status ? status->find(kUid) : std::string::npos;
  if (at == std::string::npos) return "";
  uid_t user = 0;
  const char* begin = status->data() + at + kUid.size();
  std::from_chars(begin, status->data() + status->size(), user);
  return user == ::geteuid() ? "" : name_of_user(user);
}

// "1: POSIX  ADVISORY  WRITE 4711 08:01:393231 0 EOF", device numbers in hexadecimal:
// https://man7.org/linux/man-pages/man5/proc_locks.5.html
std::set<int> lock_holders(const std::vector<FileId>& ids, const FileSystem& files) {
  std::set<int> holders;
  std::istringstream lines(files.read_start("/proc/locks", kMaxLocksBytes).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string number, kind, how, what;
    int process = 0;
    unsigned device_major = 0, device_minor = 0;
    char colon = 0;
    FileId id;
    fields >> number >> kind >> how >> what >> process;
    fields >> std::hex >> device_major >> colon >> device_minor >> colon >> std::dec >> id.inode;
    id.device = makedev(device_major, device_minor);
    if (fields && process > 0 && std::find(ids.begin(), ids.end(), id) != ids.end()) {
      holders.insert(process);
    }
  }
  return holders;
}

}  // namespace

std::vector<Opener> openers_of(const fs::path& database, const FileSystem& files) {
  std::vector<Opener> openers;
  const std::vector<FileId> ids = files_of(database, files);
  if (ids.empty()) return openers;
  const std::set<int> holders = lock_holders(ids, files);
  visit_processes(files, [&](int id, const fs::path& process) {
    const auto any = [](const fs::path&) { return true; };
    if (holders.contains(id) || visit_descriptors(process, ids, files, any)) {
      openers.push_back({id, program_of(process, files), other_user_of(process, files)});
    }
  });
  return openers;
}

std::vector<fs::path> open_names_of(const FileId& file, const FileSystem& files) {
  std::vector<fs::path> names;
  visit_processes(files, [&](int, const fs::path& process) {
    visit_descriptors(process, {file}, files, [&](const fs::path& descriptor) {
      if (const auto name = files.canonical(descriptor)) names.push_back(*name);
      return false;
    });
  });
  return names;
}

}  // namespace core
