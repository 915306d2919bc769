// The real file system, on Windows.
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/paths.h"
#include "core/platform/folder.h"
#include "core/platform/open_file.h"
#include "core/platform/room.h"
#include "core/platform/temporary.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

tl::unexpected<Error> fail_new_name(const char* verb, const fs::path& from, const fs::path& to) {
  const DWORD error = ::GetLastError();
  if (error == ERROR_ALREADY_EXISTS || error == ERROR_FILE_EXISTS) {
    return fail(ErrorCode::conflict, text_of(to) + " is there already.", "Choose another name.");
  }
  return fail_last(verb, text_of(from) + " to " + text_of(to));
}

bool links_are_unknown(DWORD error) {
  return error == ERROR_INVALID_FUNCTION || error == ERROR_NOT_SUPPORTED ||
         error == ERROR_TOO_MANY_LINKS || error == ERROR_NOT_SAME_DEVICE ||
         error == ERROR_CALL_NOT_IMPLEMENTED;
}

FileInfo::Kind kind_of(DWORD attributes, DWORD reparse_tag) {
  if (is_link(attributes, reparse_tag)) return FileInfo::Kind::symlink;
  if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) return FileInfo::Kind::folder;
  if ((attributes & FILE_ATTRIBUTE_DEVICE) != 0) return FileInfo::Kind::other;
  return FileInfo::Kind::file;
}

// Windows knows one bit of a mode; who may use a file stands in its list of rights, and what can be
// run its name tells.
std::uint32_t mode_of(DWORD attributes, FileInfo::Kind kind, const fs::path& path) {
  if (kind == FileInfo::Kind::folder) return kPrivateFolder;
  const std::uint32_t run = names_one_file(path.extension(), L".exe") ? 0100 : 0;
  const std::uint32_t write = (attributes & FILE_ATTRIBUTE_READONLY) != 0 ? 0200 : 0;
  return (kPrivateFile & ~write) | run;
}

Expected<FileInfo> info_of(HANDLE file, const fs::path& path) {
  FileInfo info;
  if (::GetFileType(file) != FILE_TYPE_DISK) return info;  // NUL, CON, a pipe
  BY_HANDLE_FILE_INFORMATION found{};
  if (!::GetFileInformationByHandle(file, &found)) return fail_last("find", path);
  FILE_ATTRIBUTE_TAG_INFO tag{};
  if ((found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    ::GetFileInformationByHandleEx(file, FileAttributeTagInfo, &tag, sizeof tag);
  }
  info.kind = kind_of(found.dwFileAttributes, tag.ReparseTag);
  info.bytes = std::uint64_t{found.nFileSizeHigh} << 32 | found.nFileSizeLow;
  info.modified = instant_of(found.ftLastWriteTime);
  info.mode = mode_of(found.dwFileAttributes, info.kind, path);
  info.names = found.nNumberOfLinks;
  info.elsewhere = is_elsewhere(found.dwFileAttributes);
  info.id = {found.dwVolumeSerialNumber,
             std::uint64_t{found.nFileIndexHigh} << 32 | found.nFileIndexLow};
  return info;
}

// Opens a path for what is asked of it; a link is opened itself or followed.
Descriptor open_path(const fs::path& path, DWORD access, bool follow) {
  HANDLE handle = INVALID_HANDLE_VALUE;
  const DWORD flags =
      FILE_FLAG_BACKUP_SEMANTICS | (follow ? 0 : DWORD{FILE_FLAG_OPEN_REPARSE_POINT});
  with_patience([&] {
    handle = ::CreateFileW(system_path(path).c_str(), access, kShareAll, nullptr, OPEN_EXISTING,
                           flags, nullptr);
    // Of a folder or a right denied nothing is to be waited for: only writers are kept off for
    // long.
    return handle != INVALID_HANDLE_VALUE || ::GetLastError() == ERROR_ACCESS_DENIED;
  });
  return owned(handle);
}

// Over what is there, open or not: no moment without a file of that name, and no half of one.
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_rename_information
bool rename_over(const fs::path& from, const fs::path& to) {
  const std::wstring source = system_path(from), target = system_path(fs::absolute(to));
  return with_patience([&] {
    const Descriptor file = owned(::CreateFileW(
        source.c_str(), DELETE | SYNCHRONIZE, kShareAll, nullptr, OPEN_EXISTING,
        FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_WRITE_THROUGH,
        nullptr));
    if (!file) return false;
    if (rename_open_file(handle_of(file), target, /*replace=*/true)) return true;
    // No such rename in this system, or in this file system.
    const DWORD error = ::GetLastError();
    if (error != ERROR_INVALID_PARAMETER && error != ERROR_NOT_SUPPORTED &&
        error != ERROR_INVALID_FUNCTION) {
      return false;
    }
    return ::MoveFileExW(source.c_str(), target.c_str(),
                         MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) != 0;
  });
}

bool remove_name(const fs::path& path, DWORD flags) {
  const std::wstring name = system_path(path);
  return with_patience([&] {
    const Descriptor file = owned(::CreateFileW(
        name.c_str(), DELETE | FILE_READ_ATTRIBUTES | SYNCHRONIZE, kShareAll, nullptr,
        OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    if (!file) return false;
    FILE_ATTRIBUTE_TAG_INFO info{};
    ::GetFileInformationByHandleEx(handle_of(file), FileAttributeTagInfo, &info, sizeof info);
    // A junction goes like a file, what it leads to stays.
    const bool folder = (info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 &&
                        !is_link(info.FileAttributes, info.ReparseTag);
    if (folder != (flags == FILE_ATTRIBUTE_DIRECTORY)) {
      ::SetLastError(folder ? ERROR_DIRECTORY_NOT_SUPPORTED : ERROR_DIRECTORY);
      return false;
    }
    if (remove_open_file(handle_of(file))) return true;
    // FAT, and Wine, keep what is read-only.
    const DWORD error = ::GetLastError();
    const bool kept = (info.FileAttributes & FILE_ATTRIBUTE_READONLY) != 0 &&
                      ::SetFileAttributesW(name.c_str(), FILE_ATTRIBUTE_NORMAL);
    if (kept && remove_open_file(handle_of(file))) return true;
    if (kept) ::SetFileAttributesW(name.c_str(), info.FileAttributes);
    ::SetLastError(error);
    return false;
  });
}

class SystemFiles final : public FileSystem {
 public:
  // Without links: no path is followed through one, and none is seen through.
  explicit SystemFiles(bool follows_links) : follows_links_(follows_links) {}

  FileSystem& no_links() override {
    static SystemFiles files(/*follows_links=*/false);
    return files;
  }

  Expected<FileInfo> info(const fs::path& path) const override {
    auto found = status_of(path, follows_links_);
    if (!follows_links_ && found && found->kind == FileInfo::Kind::symlink) {
      return fail(link_error(path));
    }
    return found;
  }

  Expected<FileId> cached_id(const fs::path& path) const override {
    BPD_TRY_AS(found, info(path));
    return found->id;
  }

  Expected<FileInfo> link_info(const fs::path& path) const override {
    return status_of(path, /*follow=*/false);
  }

  Expected<FileInfo::Kind> link_kind(const fs::path& path) const override {
    BPD_TRY_AS(pinned, pin_folder_of(path));
    WIN32_FIND_DATAW found{};
    // What it would take for a pattern (* or ?) is in no file's name.
    const HANDLE search = ::FindFirstFileExW(system_path(path).c_str(), FindExInfoBasic, &found,
                                             FindExSearchNameMatch, nullptr, 0);
    if (search == INVALID_HANDLE_VALUE) return fail_last("find", path);
    ::FindClose(search);
    return kind_of(found.dwFileAttributes, found.dwReserved0);
  }

  Expected<std::string> read(const fs::path& path, std::uint64_t max_bytes) const override {
    // One byte more tells whether there is more.
    auto text = read_start(path, static_cast<std::size_t>(max_bytes) + 1);
    if (text && text->size() > max_bytes) {
      return fail(ErrorCode::invalid_argument,
                  text_of(path) + " is larger than " + std::to_string(max_bytes) + " bytes.");
    }
    return text;
  }

  Expected<std::string> read_start(const fs::path& path, std::size_t max_bytes) const override {
    BPD_TRY_AS(file, open_to_read(path, GENERIC_READ));
    BPD_TRY_AS(found, info_of(handle_of(*file), path));
    if (found->kind == FileInfo::Kind::folder) {
      return fail(ErrorCode::invalid_argument, text_of(path) + " is a folder, not a file.");
    }
    std::string text;
    std::array<char, 16 * 1024> buffer;
    while (text.size() < max_bytes) {
      const std::size_t piece = std::min(buffer.size(), max_bytes - text.size());
      BPD_TRY_AS(got, read_at(file->get(), buffer.data(), piece, text.size(), path));
      if (*got == 0) break;
      text.append(buffer.data(), *got);
    }
    return text;
  }

  Expected<std::vector<DirEntry>> list(const fs::path& folder,
                                       std::size_t max_entries) const override {
    BPD_TRY_AS(pinned, pin(folder));
    WIN32_FIND_DATAW found{};
    const HANDLE search =
        ::FindFirstFileExW(system_path(folder / L"*").c_str(), FindExInfoBasic, &found,
                           FindExSearchNameMatch, nullptr, FIND_FIRST_EX_LARGE_FETCH);
    if (search == INVALID_HANDLE_VALUE) {
      // The root of an empty volume has not even the entry of itself.
      if (::GetLastError() == ERROR_FILE_NOT_FOUND) return std::vector<DirEntry>();
      return fail_last("list", folder);
    }
    const std::unique_ptr<void, BOOL(WINAPI*)(HANDLE)> owner(search, &::FindClose);
    std::vector<DirEntry> entries;
    do {
      const std::wstring_view name = found.cFileName;
      if (name == L"." || name == L"..") continue;
      if (entries.size() == max_entries) {
        return fail(
            ErrorCode::unsupported,
            text_of(folder) + " holds more than " + std::to_string(max_entries) + " entries.",
            "Use another folder, or remove what does not belong there.");
      }
      entries.push_back({narrow(name), kind_of(found.dwFileAttributes, found.dwReserved0)});
    } while (::FindNextFileW(search, &found));
    if (::GetLastError() != ERROR_NO_MORE_FILES) return fail_last("list", folder);
    return entries;
  }

  Expected<fs::path> canonical(const fs::path& path) const override {
    if (!follows_links_) {
      BPD_TRY_AS(found, info(path));
      return path;
    }
    const Descriptor file = open_path(path, FILE_READ_ATTRIBUTES, /*follow=*/true);
    if (!file) return fail_last("find", path);
    fs::path result = final_path(handle_of(file));
    if (result.empty()) return fail_last("find", path);
    return result;
  }

  Expected<std::uint64_t> free_bytes(const fs::path& folder) const override {
    BPD_TRY_AS(pinned, pin(folder));
    ULARGE_INTEGER bytes{};
    if (::GetDiskFreeSpaceExW(system_path(folder).c_str(), &bytes, nullptr, nullptr)) {
      return bytes.QuadPart;
    }
    const DWORD error = ::GetLastError();
    if (error == ERROR_NOT_SUPPORTED || error == ERROR_INVALID_FUNCTION) {
      return std::numeric_limits<std::uint64_t>::max();
    }
    return fail_last("measure", folder);
  }

  std::uint64_t max_file_bytes(const fs::path& folder) const override {
    std::array<wchar_t, MAX_PATH + 1> type{};
    const Descriptor opened = open_path(folder, FILE_READ_ATTRIBUTES, follows_links_);
    const bool known = opened && ::GetVolumeInformationByHandleW(
                                     handle_of(opened), nullptr, 0, nullptr, nullptr, nullptr,
                                     type.data(), static_cast<DWORD>(type.size()));
    const bool fat = known && std::wstring_view(type.data()).starts_with(L"FAT");
    return fat ? kFatMaxBytes : std::numeric_limits<std::uint64_t>::max();
  }

  Expected<> write_atomically(const fs::path& path, std::string_view text,
                              std::uint32_t mode) override {
    BPD_TRY_AS(pinned, pin_folder_of(path));
    const fs::path temporary = temporary_path_of(path);
    // Open, and so locked, until the file has its name.
    BPD_TRY_AS(file, create_locked(temporary));
    auto written = fill(*file, text, mode, temporary);
    if (written && !rename_over(temporary, path)) written = fail_last("replace", path);
    if (!written) (void)remove_name(temporary, 0);
    return written;
  }

  Expected<> make_folders(const fs::path& folder, std::uint32_t mode) override {
    PrivateSecurity security;
    SECURITY_ATTRIBUTES* rights = (mode & 0077U) == 0 ? security.get() : nullptr;
    auto pinned = pin_folder_of(folder);
    if (!pinned && pinned.error().code == ErrorCode::not_found && folder.has_relative_path()) {
      BPD_TRY(make_folders(folder.parent_path(), mode));
      pinned = pin_folder_of(folder);
    }
    if (!pinned) return fail(pinned.error());
    const auto made = [&] { return ::CreateDirectoryW(system_path(folder).c_str(), rights) != 0; };
    if (made()) return {};
    if (::GetLastError() == ERROR_PATH_NOT_FOUND && folder.has_parent_path() &&
        folder.parent_path() != folder) {
      BPD_TRY(make_folders(folder.parent_path(), mode));
      if (made()) return {};
    }
    const DWORD error = ::GetLastError();
    const auto there = info(folder);
    if (there && there->kind == FileInfo::Kind::folder) return {};
    if (!there && there.error().code == ErrorCode::conflict) return fail(there.error());
    if (error != ERROR_ALREADY_EXISTS) {
      return fail(error_from_system(error, "cannot create " + text_of(folder)));
    }
    return fail(ErrorCode::conflict, text_of(folder) + " is there already and is not a folder.",
                "Move it away, or choose another folder.");
  }

  Expected<> rename(const fs::path& from, const fs::path& to) override {
    BPD_TRY_AS(pinned_from, pin_folder_of(from));
    BPD_TRY_AS(pinned_to, pin_folder_of(to));
    if (rename_over(from, to)) return {};
    return fail_last("rename", text_of(from) + " to " + text_of(to));
  }

  Expected<> rename_new(const fs::path& from, const fs::path& to) override {
    BPD_TRY_AS(pinned_from, pin_folder_of(from));
    BPD_TRY_AS(pinned_to, pin_folder_of(to));
    const std::wstring source = system_path(from), target = system_path(to);
    if (with_patience([&] {
          return ::MoveFileExW(source.c_str(), target.c_str(), MOVEFILE_WRITE_THROUGH) != 0;
        })) {
      return {};
    }
    return fail_new_name("rename", from, to);
  }

  Expected<> link(const fs::path& from, const fs::path& to) override {
    BPD_TRY_AS(pinned_from, pin_folder_of(from));
    BPD_TRY_AS(pinned_to, pin_folder_of(to));
    if (::CreateHardLinkW(system_path(to).c_str(), system_path(from).c_str(), nullptr)) return {};
    const bool cannot = links_are_unknown(::GetLastError());
    auto failed = fail_new_name("link", from, to);
    if (cannot) failed.value().code = ErrorCode::unsupported;
    return failed;
  }

  Expected<> remove(const fs::path& path) override {
    BPD_TRY_AS(pinned, pin_folder_of(path));
    if (remove_name(path, 0)) return {};
    return fail_last("remove", path);
  }

  Expected<> remove_empty_folder(const fs::path& folder) override {
    BPD_TRY_AS(pinned, pin_folder_of(folder));
    if (remove_name(folder, FILE_ATTRIBUTE_DIRECTORY)) return {};
    return fail_last("remove", folder);
  }

  // What was made for its user alone stays that: only whether it may be written changes.
  Expected<> set_mode(const fs::path& path, std::uint32_t mode) override {
    BPD_TRY_AS(file, open_to_read(path, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES));
    FILE_BASIC_INFO info{};
    if (!::GetFileInformationByHandleEx(handle_of(*file), FileBasicInfo, &info, sizeof info)) {
      return fail_last("set the permissions of", path);
    }
    constexpr DWORD kReadOnly = FILE_ATTRIBUTE_READONLY;
    const bool folder = (info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    const DWORD wanted = folder || (mode & 0200U) != 0 ? info.FileAttributes & ~kReadOnly
                                                       : info.FileAttributes | kReadOnly;
    if (wanted == info.FileAttributes) return {};
    info.FileAttributes = wanted == 0 ? FILE_ATTRIBUTE_NORMAL : wanted;
    if (::SetFileInformationByHandle(handle_of(*file), FileBasicInfo, &info, sizeof info)) {
      return {};
    }
    return fail_last("set the permissions of", path);
  }

  // NTFS keeps names in its journal, and our renames are written through; where a folder can be
  // flushed, it is.
  Expected<> sync_folder(const fs::path& folder) override {
    BPD_TRY_AS(pinned, pin(folder));
    const Descriptor opened =
        owned(::CreateFileW(system_path(folder).c_str(), GENERIC_WRITE, kShareAll, nullptr,
                            OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    if (opened) (void)::FlushFileBuffers(handle_of(opened));
    return {};
  }

 private:
  // Without links: the folder held where its path says it is, so that names in it lead nowhere
  // else. Nothing where links are followed.
  Expected<std::optional<Folder>> pin(const fs::path& folder) const {
    if (follows_links_) return std::optional<Folder>();
    BPD_TRY_AS(opened, Folder::open(folder));
    return std::optional<Folder>(std::move(*opened));
  }
  // The root of a drive lies in no folder.
  Expected<std::optional<Folder>> pin_folder_of(const fs::path& path) const {
    return pin(path.parent_path());
  }

  Expected<FileInfo> status_of(const fs::path& path, bool follow) const {
    BPD_TRY_AS(pinned, pin_folder_of(path));
    const Descriptor file = open_path(path, FILE_READ_ATTRIBUTES, follow);
    if (!file) return fail_last("find", path);
    return info_of(handle_of(file), path);
  }

  Expected<Descriptor> open_to_read(const fs::path& path, DWORD access) const {
    BPD_TRY_AS(pinned, pin_folder_of(path));
    Descriptor file = open_path(path, access, follows_links_);
    if (!file) return fail_last("open", path);
    if (!follows_links_ && is_link(handle_of(file))) return fail(link_error(path));
    return file;
  }

  static Expected<> fill(const Descriptor& file, std::string_view text, std::uint32_t mode,
                         const fs::path& path) {
    BPD_TRY(write_at(file.get(), text.data(), text.size(), 0, path));
    BPD_TRY(sync_file(file.get(), path));
    if ((mode & 0077U) == 0) return {};
    // Not for its user alone: as any file that is made there.
    ACL none{};
    ::InitializeAcl(&none, sizeof none, ACL_REVISION);
    const Descriptor rights = owned(::CreateFileW(system_path(path).c_str(), WRITE_DAC, kShareAll,
                                                  nullptr, OPEN_EXISTING, 0, nullptr));
    if (rights) {
      (void)::SetSecurityInfo(handle_of(rights), SE_FILE_OBJECT,
                              DACL_SECURITY_INFORMATION | UNPROTECTED_DACL_SECURITY_INFORMATION,
                              nullptr, nullptr, &none, nullptr);
    }
    return {};
  }

  const bool follows_links_;
};

}  // namespace

FileSystem& system_files() {
  static SystemFiles files(/*follows_links=*/true);
  return files;
}

}  // namespace core
