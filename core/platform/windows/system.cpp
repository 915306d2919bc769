// What the sources of this room share, and what of core/base is the system's.
#include "core/platform/windows/system.h"

#include <winsock2.h>

#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "core/base/paths.h"

namespace core {
namespace {

constexpr std::wstring_view kVerbatim = L"\\\\?\\";
constexpr std::wstring_view kVerbatimShare = L"\\\\?\\UNC\\";
constexpr std::size_t kMaxPathUnits = 32'768;
// Beyond it CreateDirectoryW refuses a path that leaves no room for a short name in it.
constexpr std::size_t kMaxPlainUnits = MAX_PATH - 12;
constexpr DWORDLONG kLockOffset = 0x7fff'ffff'0000'0000;

struct FreeLocal {
  void operator()(void* memory) const noexcept { ::LocalFree(memory); }
};

ErrorCode code_of_error(DWORD error) {
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
    case ERROR_NOT_READY:
    case ERROR_DIRECTORY:
      return ErrorCode::not_found;
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
    case ERROR_PRIVILEGE_NOT_HELD:
    case ERROR_NETWORK_ACCESS_DENIED:
      return ErrorCode::permission_denied;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_DISK_QUOTA_EXCEEDED:
      return ErrorCode::no_space;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_USER_MAPPED_FILE:
    case ERROR_DELETE_PENDING:
      return ErrorCode::busy;
    case ERROR_FILE_TOO_LARGE:
      return ErrorCode::unsupported;
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_FILENAME_EXCED_RANGE:
    case ERROR_DIRECTORY_NOT_SUPPORTED:
      return ErrorCode::invalid_argument;
    default:
      return ErrorCode::io;
  }
}

bool is_of_cloud(DWORD error) {
  return error == ERROR_CLOUD_FILE_PROVIDER_NOT_RUNNING ||
         error == ERROR_CLOUD_FILE_AUTHENTICATION_FAILED ||
         error == ERROR_CLOUD_FILE_NETWORK_UNAVAILABLE || error == ERROR_CLOUD_FILE_UNSUCCESSFUL ||
         error == ERROR_CLOUD_FILE_REQUEST_ABORTED ||
         error == ERROR_CLOUD_FILE_PROVIDER_TERMINATED || error == ERROR_CLOUD_FILE_REQUEST_TIMEOUT;
}

const char* hint_for_code(ErrorCode code, DWORD error) {
  switch (code) {
    case ErrorCode::not_found:
      return "Check the path for a typing error.";
    case ErrorCode::permission_denied:
      return "Check who may use the path, or choose another one.";
    case ErrorCode::no_space:
      return "Free some space there, or choose another destination.";
    case ErrorCode::busy:
      return "Try again when the other program has finished.";
    case ErrorCode::unsupported:
      return "The file system there takes no file that large (FAT: less than 4 GiB). Choose a "
             "folder on another disk.";
    case ErrorCode::invalid_argument:
      if (error == ERROR_DIRECTORY_NOT_SUPPORTED) return "";
      return "Windows allows no ? * : \" < > | in a name, and 255 characters; choose another one.";
    default:
      if (is_of_cloud(error)) {
        return "A cloud service keeps the file and did not bring it: see that its client runs and "
               "is online, or have it keep the folder on this device.";
      }
      return error == ERROR_CRC || error == ERROR_IO_DEVICE ? "Check the disk." : "";
  }
}

std::string words_of(DWORD error) {
  wchar_t* text = nullptr;
  const DWORD size = ::FormatMessageW(
      FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
      nullptr, error, 0, reinterpret_cast<wchar_t*>(&text), 0, nullptr);
  const std::unique_ptr<wchar_t, FreeLocal> owner(text);
  std::string words = size > 0 ? narrow({text, size}) : "error " + std::to_string(error);
  words.resize(words.find_last_not_of("\r\n. ") + 1);
  return words;
}

// FILE_RENAME_INFO and FileRenameInfoEx (Windows 10 1607).
struct RenameInfo {
  DWORD flags;
  HANDLE root;
  DWORD name_bytes;
  wchar_t name[1];
};

// Of the user that this process runs as, as SDDL has it.
std::wstring user_id() {
  HANDLE opened = nullptr;
  if (!::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &opened)) return {};
  const Descriptor token = owned(opened);
  alignas(TOKEN_USER) std::array<unsigned char, sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE> user{};
  DWORD bytes = 0;
  wchar_t* text = nullptr;
  if (!::GetTokenInformation(opened, TokenUser, user.data(), static_cast<DWORD>(user.size()),
                             &bytes) ||
      !::ConvertSidToStringSidW(reinterpret_cast<TOKEN_USER*>(user.data())->User.Sid, &text)) {
    return {};
  }
  const std::unique_ptr<wchar_t, FreeLocal> owner(text);
  return text;
}

}  // namespace

void Descriptor::close() {
  if (handle_ < 0) return;
  const DWORD error = ::GetLastError();
  ::CloseHandle(handle_of(release()));
  ::SetLastError(error);
}

// Names as the system itself compares them.
bool names_one_file(const fs::path& a, const fs::path& b) {
  const std::wstring& left = a.native();
  const std::wstring& right = b.native();
  return ::CompareStringOrdinal(left.data(), static_cast<int>(left.size()), right.data(),
                                static_cast<int>(right.size()), TRUE) == CSTR_EQUAL;
}

bool has_sockets() {
  static const bool has = [] {
    WSADATA about{};
    return ::WSAStartup(MAKEWORD(2, 2), &about) == 0;
  }();
  return has;
}

std::wstring wide(std::string_view utf8) {
  const int bytes = static_cast<int>(utf8.size());
  std::wstring text(
      static_cast<std::size_t>(::MultiByteToWideChar(CP_UTF8, 0, utf8.data(), bytes, nullptr, 0)),
      L'\0');
  ::MultiByteToWideChar(CP_UTF8, 0, utf8.data(), bytes, text.data(), static_cast<int>(text.size()));
  return text;
}

std::string narrow(std::wstring_view text) {
  const int units = static_cast<int>(text.size());
  std::string utf8(static_cast<std::size_t>(::WideCharToMultiByte(CP_UTF8, 0, text.data(), units,
                                                                  nullptr, 0, nullptr, nullptr)),
                   '\0');
  ::WideCharToMultiByte(CP_UTF8, 0, text.data(), units, utf8.data(), static_cast<int>(utf8.size()),
                        nullptr, nullptr);
  return utf8;
}

std::wstring system_path(const fs::path& path) {
  std::wstring text = path.wstring();
  if (text.starts_with(kVerbatim)) return text;
  std::replace(text.begin(), text.end(), L'/', L'\\');
  if (text.size() < kMaxPlainUnits) return text;
  std::wstring whole(kMaxPathUnits, L'\0');
  whole.resize(
      ::GetFullPathNameW(text.c_str(), static_cast<DWORD>(whole.size()), whole.data(), nullptr));
  if (whole.empty()) return text;
  if (whole.starts_with(L"\\\\")) return std::wstring(kVerbatimShare) + whole.substr(2);
  return std::wstring(kVerbatim) + whole;
}

fs::path final_path(HANDLE file) {
  std::wstring text(kMaxPathUnits, L'\0');
  const DWORD units =
      ::GetFinalPathNameByHandleW(file, text.data(), static_cast<DWORD>(text.size()), 0);
  text.resize(units < text.size() ? units : 0);
  if (text.starts_with(kVerbatimShare)) return L"\\\\" + text.substr(kVerbatimShare.size());
  if (text.starts_with(kVerbatim)) return text.substr(kVerbatim.size());
  return text;
}

Error error_from_system(DWORD error, std::string_view what) {
  const ErrorCode code = code_of_error(error);
  return Error{code, std::string(what) + ": " + words_of(error) + ".", hint_for_code(code, error)};
}

tl::unexpected<Error> fail_last(std::string_view verb, const fs::path& path) {
  const DWORD error = ::GetLastError();
  return fail(error_from_system(error, "cannot " + std::string(verb) + " " + text_of(path)));
}

bool is_link(DWORD attributes, DWORD reparse_tag) {
  return (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
         (reparse_tag == IO_REPARSE_TAG_SYMLINK || reparse_tag == IO_REPARSE_TAG_MOUNT_POINT);
}

bool is_link(HANDLE file) {
  FILE_ATTRIBUTE_TAG_INFO info{};
  return ::GetFileInformationByHandleEx(file, FileAttributeTagInfo, &info, sizeof info) &&
         is_link(info.FileAttributes, info.ReparseTag);
}

bool is_elsewhere(DWORD attributes) {
  constexpr DWORD kOnOpen = 0x40000, kOnDataAccess = 0x400000;
  return (attributes & (FILE_ATTRIBUTE_OFFLINE | kOnOpen | kOnDataAccess)) != 0;
}

bool rename_open_file(HANDLE file, const std::wstring& to, bool replace) {
  constexpr auto kRenameInfoEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(22);
  constexpr DWORD kReplace = 0x1, kPosix = 0x2, kIgnoreReadOnly = 0x40;
  const std::size_t name_bytes = to.size() * sizeof(wchar_t);
  std::vector<unsigned char> memory(sizeof(RenameInfo) + name_bytes);
  RenameInfo info{};
  info.flags = replace ? kReplace | kPosix | kIgnoreReadOnly : kPosix;
  info.name_bytes = static_cast<DWORD>(name_bytes);
  std::memcpy(memory.data(), &info, sizeof info);
  std::memcpy(memory.data() + offsetof(RenameInfo, name), to.data(), name_bytes);
  return ::SetFileInformationByHandle(file, kRenameInfoEx, memory.data(),
                                      static_cast<DWORD>(memory.size())) != 0;
}

bool remove_open_file(HANDLE file) {
  constexpr auto kDispositionInfoEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(21);
  constexpr DWORD kDelete = 0x1, kPosix = 0x2, kIgnoreReadOnly = 0x10;
  DWORD flags = kDelete | kPosix | kIgnoreReadOnly;
  if (::SetFileInformationByHandle(file, kDispositionInfoEx, &flags, sizeof flags)) return true;
  FILE_DISPOSITION_INFO info{TRUE};
  return ::SetFileInformationByHandle(file, FileDispositionInfo, &info, sizeof info) != 0;
}

PrivateSecurity::PrivateSecurity() {
  static const std::wstring user = user_id();
  if (user.empty()) return;
  const std::wstring text = L"D:P(A;OICI;FA;;;" + user + L")(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
  ::ConvertStringSecurityDescriptorToSecurityDescriptorW(
      text.c_str(), SDDL_REVISION_1, &attributes_.lpSecurityDescriptor, nullptr);
}

PrivateSecurity::~PrivateSecurity() {
  ::LocalFree(attributes_.lpSecurityDescriptor);
}

bool lock_open_file(HANDLE file) {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(kLockOffset);
  place.OffsetHigh = static_cast<DWORD>(kLockOffset >> 32);
  return ::LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place) !=
         0;
}

Instant instant_of(const FILETIME& time) {
  using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>;
  constexpr std::chrono::seconds kFrom1601To1970{11'644'473'600};
  constexpr std::chrono::seconds kFirst{-2'145'916'800}, kLast{6'973'948'800};  // 1902, 2191
  const auto count = static_cast<std::int64_t>(
      std::min<std::uint64_t>(std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime,
                              std::numeric_limits<std::int64_t>::max()));
  const Ticks since = std::clamp<Ticks>(Ticks{count} - kFrom1601To1970, kFirst, kLast);
  return Instant{std::chrono::duration_cast<Instant::duration>(since)};
}

}  // namespace core
