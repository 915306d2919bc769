// Which programs have a database open, as far as Windows tells.
#include "core/platform/open_files.h"

#include <algorithm>
#include <set>

#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

constexpr std::size_t kMaxProcesses = 1024;  // that have one file open

// Without the journal: its writer has the database open, too, and may be deleting it just now,
// which a look of ours would disturb.
std::vector<fs::path> files_of_database(const fs::path& database) {
  return {database, wal_of(database), shm_of(database)};
}

// Opened for a moment so that nobody else may have it: that fails where somebody has. SQLite tries
// again for a while when it meets that moment (winRetryIoerr).
bool is_open(const fs::path& path) {
  const Descriptor alone =
      owned(::CreateFileW(system_path(path).c_str(), GENERIC_READ, 0, nullptr, OPEN_EXISTING,
                          FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  return !alone && ::GetLastError() == ERROR_SHARING_VIOLATION;
}

// Of other processes; none where the system or the file system does not tell.
std::set<DWORD> users_of(const fs::path& path) {
  struct {
    ULONG count;
    ULONG_PTR ids[kMaxProcesses];
  } found{};
  constexpr auto kProcessIdsUsingFile = static_cast<FILE_INFORMATION_CLASS>(47);
  const Descriptor file =
      owned(::CreateFileW(system_path(path).c_str(), FILE_READ_ATTRIBUTES, kShareAll, nullptr,
                          OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  IO_STATUS_BLOCK status{};
  std::set<DWORD> users;
  if (!file || ::NtQueryInformationFile(handle_of(file), &status, &found, sizeof found,
                                        kProcessIdsUsingFile) != 0) {
    return users;
  }
  for (ULONG i = 0; i < std::min<ULONG>(found.count, kMaxProcesses); ++i) {
    const auto id = static_cast<DWORD>(found.ids[i]);
    if (id != ::GetCurrentProcessId()) users.insert(id);
  }
  return users;
}

std::string program_of(DWORD id) {
  const Descriptor process = owned(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id));
  std::wstring path(32'768, L'\0');
  auto units = static_cast<DWORD>(path.size());
  if (!process || !::QueryFullProcessImageNameW(handle_of(process), 0, path.data(), &units)) {
    return "";
  }
  path.resize(units);
  return text_of(fs::path(path).filename());
}

std::vector<Opener> described(const std::set<DWORD>& ids) {
  std::vector<Opener> openers;
  for (const DWORD id : ids) openers.push_back({static_cast<int>(id), program_of(id)});
  return openers;
}

}  // namespace

std::vector<Opener> openers_of(const fs::path& database, const FileSystem&) {
  std::set<DWORD> users;
  bool open = false;
  for (const fs::path& path : files_of_database(database)) {
    if (!is_open(path)) continue;
    open = true;
    users.merge(users_of(path));
  }
  if (open && users.empty()) return {Opener{}};  // this process, or nobody tells who
  return described(users);
}

std::vector<Opener> other_openers_of(const fs::path& database, const FileSystem&) {
  std::set<DWORD> users;
  for (const fs::path& path : files_of_database(database)) users.merge(users_of(path));
  return described(users);
}

// The system tells who, but not by which name.
std::vector<fs::path> open_names_of(const FileId&, const FileSystem&) {
  return {};
}

}  // namespace core
