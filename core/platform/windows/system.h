// What the sources of this room share.
#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
// clang-format off
#include <windows.h>
#include <aclapi.h>
#include <appmodel.h>
#include <bcrypt.h>
#include <sddl.h>
#include <shlobj.h>
#include <tlhelp32.h>
#include <winternl.h>
// clang-format on

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/env.h"
#include "core/platform/descriptor.h"

namespace core {

inline constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

inline HANDLE handle_of(Descriptor::Handle handle) {
  return reinterpret_cast<HANDLE>(handle);
}
inline HANDLE handle_of(const Descriptor& descriptor) {
  return handle_of(descriptor.get());
}
// Some calls give null where they fail.
inline Descriptor owned(HANDLE handle) {
  return handle == nullptr ? Descriptor()
                           : Descriptor(reinterpret_cast<Descriptor::Handle>(handle));
}

// Winsock must be asked for before anything else, once. Thread-safe.
bool has_sockets();
// What its calls take for a size.
inline int int_size(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, 1U << 30));
}

std::wstring wide(std::string_view utf8);
std::string narrow(std::wstring_view text);

// The path as CreateFileW and its like take it: whole and with \\?\ where it is too long for them
// otherwise, so that neither the system's setting for long paths nor the program's manifest
// matters. https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
std::wstring system_path(const fs::path& path);
// Where an open file or folder really lies, without \\?\; empty where its file system does not
// tell.
fs::path final_path(HANDLE file);

// The Error for a failed call, as error_from_errno makes it: GetLastError() to a code, `what` with
// the system's own words. Thread-safe.
Error error_from_system(DWORD error, std::string_view what);
// "cannot <verb> <path>: …", of GetLastError().
tl::unexpected<Error> fail_last(std::string_view verb, const fs::path& path);

// Two kinds of reparse points lead elsewhere: symbolic links and mount points, junctions among
// them. A file that a cloud client keeps online is a file.
bool is_link(DWORD attributes, DWORD reparse_tag);
// The same of what is open, itself and not what it leads to.
bool is_link(HANDLE file);

// A file whose content a cloud client, or a tape, brings when it is read.
// https://learn.microsoft.com/windows/win32/fileio/file-attribute-constants
bool is_elsewhere(DWORD attributes);

// Tries again for about a second while virus scanners and sync clients hold a file: they open what
// is new, and let it go. False with the last error.
template <class Attempt>
bool with_patience(const Attempt& attempt) {
  constexpr DWORD kLongestPauseMs = 512;
  for (DWORD pause = 1; pause <= kLongestPauseMs; pause *= 2) {
    if (attempt()) return true;
    const DWORD error = ::GetLastError();
    if (error != ERROR_SHARING_VIOLATION && error != ERROR_LOCK_VIOLATION &&
        error != ERROR_ACCESS_DENIED) {
      return false;
    }
    ::Sleep(pause);
  }
  return attempt();
}

// What an open file opened with DELETE access gets for a name; `replace`: also where there is one,
// and somebody has it open. False where the system or its file system has no such rename.
bool rename_open_file(HANDLE file, const std::wstring& to, bool replace);
// Takes the name of an open file (DELETE access) away; it is gone when all have closed it.
bool remove_open_file(HANDLE file);

// Read and written by this user (and the system and its administrators) alone; what is made in such
// a folder, too.
// https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format
class PrivateSecurity {
 public:
  PrivateSecurity();
  ~PrivateSecurity();
  PrivateSecurity(const PrivateSecurity&) = delete;
  PrivateSecurity& operator=(const PrivateSecurity&) = delete;
  // Null where the system does not tell who we are.
  SECURITY_ATTRIBUTES* get() { return attributes_.lpSecurityDescriptor ? &attributes_ : nullptr; }

 private:
  SECURITY_ATTRIBUTES attributes_{sizeof(SECURITY_ATTRIBUTES), nullptr, FALSE};
};

// A lock on one byte far behind any end: locks of Windows keep others from reading what they lock.
// False, and ERROR_LOCK_VIOLATION, where somebody else has it.
bool lock_open_file(HANDLE file);

// The parts of wall_time(): the year in UTC, a zone's rules of a year (UTC's where the system does
// not know), and what a wall clock shows by them.
int year_of(Instant instant);
TIME_ZONE_INFORMATION rules_in(const DYNAMIC_TIME_ZONE_INFORMATION& zone, int year);
Instant wall_time_by(const TIME_ZONE_INFORMATION& rules, Instant instant);

// 100 ns since 1601; beyond counting: the first or the last.
Instant instant_of(const FILETIME& time);

}  // namespace core
