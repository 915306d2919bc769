#include "core/platform/standard_files.h"

#include <initializer_list>

#include "core/platform/windows/system.h"

namespace core {
namespace {

// 0 where it is not known.
DWORD parent_of_this_process() {
  const Descriptor processes = owned(::CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0));
  if (!processes) return 0;
  PROCESSENTRY32W entry{};
  entry.dwSize = sizeof entry;
  for (BOOL more = ::Process32FirstW(handle_of(processes), &entry); more;
       more = ::Process32NextW(handle_of(processes), &entry)) {
    if (entry.th32ProcessID == ::GetCurrentProcessId()) return entry.th32ParentProcessID;
  }
  return 0;
}

std::uint64_t start_of(HANDLE process) {
  FILETIME created{}, ended{}, kernel{}, user{};
  if (!::GetProcessTimes(process, &created, &ended, &kernel, &user)) return 0;
  return std::uint64_t{created.dwHighDateTime} << 32 | created.dwLowDateTime;
}

// The process that started this one; not a later one that got its number.
std::intptr_t open_starter() {
  const DWORD id = parent_of_this_process();
  if (id == 0) return 0;
  Descriptor process =
      owned(::OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id));
  if (!process || start_of(handle_of(process)) > start_of(::GetCurrentProcess())) return 0;
  return process.release();
}

}  // namespace

void hold_standard_files() {
  for (const DWORD which : {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE}) {
    const HANDLE present = ::GetStdHandle(which);
    if (present != nullptr && present != INVALID_HANDLE_VALUE) continue;
    // Opened for what it is not used for: as a closed one does, it fails whoever uses it.
    const DWORD access = which == STD_INPUT_HANDLE ? GENERIC_WRITE : GENERIC_READ;
    ::SetStdHandle(which,
                   ::CreateFileW(L"NUL", access, kShareAll, nullptr, OPEN_EXISTING, 0, nullptr));
  }
}

bool typed_in_terminal() {
  DWORD mode = 0;
  return ::GetConsoleMode(::GetStdHandle(STD_INPUT_HANDLE), &mode) != 0 &&
         ::GetConsoleMode(::GetStdHandle(STD_OUTPUT_HANDLE), &mode) != 0;
}

Starter::Starter() : id_(open_starter()) {}

bool Starter::gone() const {
  return id_ != 0 && ::WaitForSingleObject(handle_of(id_), 0) == WAIT_OBJECT_0;
}

}  // namespace core
