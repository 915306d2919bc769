// The real file system, on Linux and macOS.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#elif defined(__APPLE__)
#include <sys/mount.h>
#include <sys/param.h>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>

#include "core/base/cannot.h"
#include "core/base/env.h"
#include "core/base/paths.h"
#include "core/platform/descriptor.h"
#include "core/platform/folder.h"
#include "core/platform/posix/rename_over.h"
#include "core/platform/room.h"
#include "core/platform/temporary.h"

namespace core {
namespace {

tl::unexpected<Error> fail_errno(const char* verb, const fs::path& path) {
  const int error_number = errno;
  return fail(error_from_errno(error_number, std::string("cannot ") + verb + " " + text_of(path)));
}

tl::unexpected<Error> fail_new_name(const char* verb, const fs::path& from, const fs::path& to) {
  const int error_number = errno;
  if (error_number == EEXIST) {
    return fail(ErrorCode::conflict, text_of(to) + " is there already.", "Choose another name.");
  }
  const std::string what =
      std::string("cannot ") + verb + " " + text_of(from) + " to " + text_of(to);
  return fail(error_from_errno(error_number, what));
}

FileInfo::Kind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileInfo::Kind::file;
  if (S_ISDIR(mode)) return FileInfo::Kind::folder;
  if (S_ISLNK(mode)) return FileInfo::Kind::symlink;
  return FileInfo::Kind::other;
}

// A file may bear any time; what is beyond counting counts as the first or the last.
Instant instant_of(const timespec& time) {
  constexpr std::chrono::seconds kFirst{-2'145'916'800}, kLast{6'973'948'800};  // 1902, 2191
  const std::chrono::seconds whole = std::clamp(std::chrono::seconds{time.tv_sec}, kFirst, kLast);
  return Instant{std::chrono::duration_cast<Instant::duration>(
      whole + std::chrono::nanoseconds{time.tv_nsec})};
}

FileInfo info_of(const struct stat& status) {
  FileInfo info;
  info.kind = kind_of(status.st_mode);
  info.bytes = static_cast<std::uint64_t>(status.st_size);
#ifdef __APPLE__
  const timespec &modified = status.st_mtimespec, &changed = status.st_ctimespec;
#else
  const timespec &modified = status.st_mtim, &changed = status.st_ctim;
#endif
  info.modified = instant_of(modified);
  info.changed = instant_of(changed);
  info.mode = status.st_mode & 07777U;
  info.names = static_cast<std::uint64_t>(status.st_nlink);
#ifdef SF_DATALESS
  info.elsewhere = (status.st_flags & SF_DATALESS) != 0;
#endif
  info.id = {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
  return info;
}

FileInfo::Kind kind_of_entry(DIR* folder, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return FileInfo::Kind::file;
    case DT_DIR:
      return FileInfo::Kind::folder;
    case DT_LNK:
      return FileInfo::Kind::symlink;
    case DT_UNKNOWN: {  // some file systems leave it to us
      struct stat status {};
      if (fstatat(dirfd(folder), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        return kind_of(status.st_mode);
      }
      return FileInfo::Kind::other;
    }
    default:
      return FileInfo::Kind::other;
  }
}

// Fsync on macOS does not reach the disk; F_FULLFSYNC does, where the file system has it.
int sync_descriptor(int fd) {
#ifdef F_FULLFSYNC
  if (::fcntl(fd, F_FULLFSYNC) == 0) return 0;
#endif
  return ::fsync(fd);
}

// A path as the *at calls take it.
struct Place : NameAt {
  std::optional<Folder> opened;  // keeps `folder` open; nothing where links are followed
};

Expected<> write_all(int fd, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = EIO;  // no file system may; it would go on for ever
    if (written <= 0) return fail_errno("write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
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
    auto found = status_of(path, follows_links_ ? 0 : AT_SYMLINK_NOFOLLOW);
    if (found && found->kind == FileInfo::Kind::symlink) return fail(link_error(path));
    return found;
  }

  Expected<FileId> cached_id(const fs::path& path) const override {
#ifdef STATX_INO
    if (follows_links_) {
      struct statx status {};
      if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &status) == 0) {
        return FileId{makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino};
      }
    }
#endif
    BPD_TRY_AS(found, info(path));
    return found->id;
  }

  Expected<FileInfo> link_info(const fs::path& path) const override {
    return status_of(path, AT_SYMLINK_NOFOLLOW);
  }

  Expected<FileInfo::Kind> link_kind(const fs::path& path) const override {
    BPD_TRY_AS(info, link_info(path));
    return info->kind;
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
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    BPD_TRY_AS(file, open_to_read(path, O_NONBLOCK));
    struct stat status {};
    if (::fstat(file->get(), &status) != 0) return fail_errno("read", path);
    if (S_ISDIR(status.st_mode)) {
      return fail(ErrorCode::invalid_argument, text_of(path) + " is a folder, not a file.");
    }
    std::string text;
    std::array<char, 16 * 1024> buffer;
    while (text.size() < max_bytes) {
      const std::size_t piece = std::min(buffer.size(), max_bytes - text.size());
      const ssize_t got = ::read(file->get(), buffer.data(), piece);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("read", path);
      if (got == 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  Expected<std::vector<DirEntry>> list(const fs::path& folder,
                                       std::size_t max_entries) const override {
    BPD_TRY_AS(fd, open_to_read(folder, O_DIRECTORY, "list"));
    const std::unique_ptr<DIR, int (*)(DIR*)> open_folder(::fdopendir(fd->get()), &::closedir);
    if (!open_folder) return fail_errno("list", folder);
    (void)fd->release();  // closed with the stream
    std::vector<DirEntry> entries;
    while (true) {
      errno = 0;
      // NOLINTNEXTLINE(concurrency-mt-unsafe): safe on a stream that one thread reads
      const dirent* entry = ::readdir(open_folder.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (entries.size() == max_entries) {
        return fail(
            ErrorCode::unsupported,
            text_of(folder) + " holds more than " + std::to_string(max_entries) + " entries.",
            "Use another folder, or remove what does not belong there.");
      }
      entries.push_back({std::string(name), kind_of_entry(open_folder.get(), *entry)});
    }
    if (errno != 0) return fail_errno("list", folder);
    return entries;
  }

  Expected<fs::path> canonical(const fs::path& path) const override {
    if (!follows_links_) {
      BPD_TRY_AS(found, info(path));
      return path;
    }
    std::error_code error;
    fs::path result = fs::canonical(path, error);
    if (error) return fail(error_from_errno(error.value(), "cannot find " + text_of(path)));
    return result;
  }

  Expected<std::uint64_t> free_bytes(const fs::path& folder) const override {
    constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();
    struct statvfs status {};
    int rc = 0;
    if (follows_links_) {
      rc = ::statvfs(folder.c_str(), &status);
    } else {
      BPD_TRY_AS(opened, Folder::open(folder));
      rc = ::fstatvfs(opened->descriptor(), &status);
    }
    if (rc != 0) {
      if (means_cannot(Operation::measure, errno)) return kUnknown;
      return fail_errno("measure", folder);
    }
    // What FUSE answers for a server that does not tell.
    if (status.f_blocks == 0) return kUnknown;
    const auto blocks = static_cast<std::uint64_t>(status.f_bavail);
    const bool too_many = status.f_frsize != 0 && blocks > kUnknown / status.f_frsize;
    return too_many ? kUnknown : blocks * status.f_frsize;
  }

  std::uint64_t max_file_bytes(const fs::path& folder) const override {
#ifdef __linux__
    struct statfs status {};
    bool known = false;
    if (follows_links_) {
      known = ::statfs(folder.c_str(), &status) == 0;
    } else if (const auto opened = Folder::open(folder)) {
      known = ::fstatfs(opened->descriptor(), &status) == 0;
    }
    if (known) return max_file_bytes_of_type(static_cast<std::uint64_t>(status.f_type));
#elif defined(__APPLE__)
    struct statfs status {};
    if (::statfs(folder.c_str(), &status) == 0 &&
        std::string_view(status.f_fstypename) == "msdos") {
      return kFatMaxBytes;
    }
#else
    (void)folder;
#endif
    return std::numeric_limits<std::uint64_t>::max();
  }

  Expected<> write_atomically(const fs::path& path, std::string_view text,
                              std::uint32_t mode) override {
    BPD_TRY_AS(to, place_of(path));
    const fs::path temporary = temporary_path_of(path);
    const std::string name = text_of(follows_links_ ? temporary : temporary.filename());
    // Open, and so locked, until the file has its name.
    BPD_TRY_AS(file, create_locked(temporary, to->opened ? &*to->opened : nullptr));
    auto written = fill(file->get(), text, mode, temporary);
    const NameAt from{to->folder, name};
    if (written && !rename_over(from, *to)) written = fail_errno("replace", path);
    if (!written) {
      ::unlinkat(to->folder, name.c_str(), 0);
      return written;
    }
    return sync_folder(path.parent_path().empty() ? fs::path(".") : path.parent_path());
  }

  Expected<> make_folders(const fs::path& folder, std::uint32_t mode) override {
    auto place = place_of(folder);
    if (!place && place.error().code == ErrorCode::not_found && folder.has_relative_path()) {
      BPD_TRY(make_folders(folder.parent_path(), mode));
      place = place_of(folder);
    }
    if (!place) return fail(place.error());
    const auto made = [&] {
      return ::mkdirat(place->folder, place->name.c_str(), static_cast<mode_t>(mode)) == 0;
    };
    if (made()) return sync_entry_of(folder);
    if (errno == ENOENT && folder.has_parent_path() && folder.parent_path() != folder) {
      BPD_TRY(make_folders(folder.parent_path(), mode));
      if (made()) return sync_entry_of(folder);
    }
    if (errno != EEXIST) return fail_errno("create", folder);
    const auto there = info(folder);
    if (there && there->kind == FileInfo::Kind::folder) return {};
    if (!there && there.error().code == ErrorCode::conflict) return fail(there.error());
    return fail(ErrorCode::conflict, text_of(folder) + " is there already and is not a folder.",
                "Move it away, or choose another folder.");
  }

  Expected<> rename(const fs::path& from, const fs::path& to) override {
    return both(from, to, [&](const Place& a, const Place& b) -> Expected<> {
      if (rename_over(a, b)) return {};
      return fail_errno("rename", text_of(from) + " to " + text_of(to));
    });
  }

  Expected<> rename_new(const fs::path& from, const fs::path& to) override {
#ifdef RENAME_NOREPLACE
    bool unknown = false;
    auto renamed = both(from, to, [&](const Place& a, const Place& b) -> Expected<> {
      if (::renameat2(a.folder, a.name.c_str(), b.folder, b.name.c_str(), RENAME_NOREPLACE) == 0) {
        return {};
      }
      unknown = means_cannot(Operation::rename_new, errno);
      return fail_new_name("rename", from, to);
    });
    if (renamed || !unknown) return renamed;
#endif
    if (auto linked = link(from, to); linked) {
      (void)remove(from);
      return {};
    } else if (linked.error().code != ErrorCode::unsupported) {
      return linked;
    }
    // The file system knows neither: what is left is to look, and then to rename. Our own runs are
    // kept apart by their locks; of other programs one that makes the file in between loses it.
    return both(from, to, [&](const Place& a, const Place& b) -> Expected<> {
      struct stat status {};
      if (::fstatat(b.folder, b.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) errno = EEXIST;
      if (errno == ENOENT && rename_at(a, b)) return {};
      return fail_new_name("rename", from, to);
    });
  }

  Expected<> link(const fs::path& from, const fs::path& to) override {
    return both(from, to, [&](const Place& a, const Place& b) -> Expected<> {
      if (::linkat(a.folder, a.name.c_str(), b.folder, b.name.c_str(), 0) == 0) return {};
      const bool cannot = means_cannot(Operation::link, errno);
      auto failed = fail_new_name("link", from, to);
      if (cannot) failed.value().code = ErrorCode::unsupported;
      return failed;
    });
  }

  Expected<> remove(const fs::path& path) override {
    return unlink_at(path, 0);
  }

  Expected<> remove_empty_folder(const fs::path& folder) override {
    return unlink_at(folder, AT_REMOVEDIR);
  }

  Expected<> set_mode(const fs::path& path, std::uint32_t mode) override {
    if (follows_links_) {
      if (::chmod(path.c_str(), static_cast<mode_t>(mode)) == 0) return {};
      if (means_cannot(Operation::set_mode, errno)) return {};
      return fail_errno("set the permissions of", path);
    }
    BPD_TRY_AS(file, open_to_read(path, O_NONBLOCK));
    if (::fchmod(file->get(), static_cast<mode_t>(mode)) == 0) return {};
    if (means_cannot(Operation::set_mode, errno)) return {};
    return fail_errno("set the permissions of", path);
  }

  Expected<> sync_folder(const fs::path& folder) override {
    BPD_TRY_AS(opened, open_to_read(folder, O_DIRECTORY));
    if (sync_descriptor(opened->get()) != 0 && !means_cannot(Operation::sync_folder, errno)) {
      return fail_errno("sync", folder);
    }
    return {};
  }

 private:
  Expected<Place> place_of(const fs::path& path) const {
    if (follows_links_) return Place{{AT_FDCWD, text_of(path)}, std::nullopt};
    BPD_TRY_AS(folder, Folder::of(path));
    const int fd = folder->descriptor();
    const fs::path name = path.filename();
    return Place{{fd, name.empty() ? "." : text_of(name)}, std::move(*folder)};
  }

  Expected<FileInfo> status_of(const fs::path& path, int flags) const {
    BPD_TRY_AS(place, place_of(path));
    struct stat status {};
    if (::fstatat(place->folder, place->name.c_str(), &status, flags) != 0) {
      return fail_errno("find", path);
    }
    return info_of(status);
  }

  Expected<Descriptor> open_to_read(const fs::path& path, int flags,
                                    const char* verb = "open") const {
    BPD_TRY_AS(place, place_of(path));
    const int links = follows_links_ ? 0 : O_NOFOLLOW;
    Descriptor file(
        ::openat(place->folder, place->name.c_str(), O_RDONLY | O_CLOEXEC | flags | links));
    if (file) return file;
    if (!follows_links_ && (errno == ELOOP || errno == ENOTDIR)) {
      const auto there = link_info(path);
      if (there && there->kind == FileInfo::Kind::symlink) return fail(link_error(path));
      errno = ENOTDIR;
    }
    return fail_errno(verb, path);
  }

  template <class Change>
  Expected<> both(const fs::path& from, const fs::path& to, Change change) {
    BPD_TRY_AS(a, place_of(from));
    BPD_TRY_AS(b, place_of(to));
    return change(*a, *b);
  }

  Expected<> unlink_at(const fs::path& path, int flags) {
    BPD_TRY_AS(place, place_of(path));
    if (::unlinkat(place->folder, place->name.c_str(), flags) != 0) {
      return fail_errno("remove", path);
    }
    return {};
  }

  static Expected<> fill(int fd, std::string_view text, std::uint32_t mode, const fs::path& path) {
    // The umask applies to open's mode, not to this one.
    if (::fchmod(fd, static_cast<mode_t>(mode)) != 0 && !means_cannot(Operation::set_mode, errno)) {
      return fail_errno("create", path);
    }
    BPD_TRY(write_all(fd, text, path));
    if (sync_descriptor(fd) != 0 && !means_cannot(Operation::sync_file, errno)) {
      return fail_errno("sync", path);
    }
    return {};
  }

  // A folder that is new could go with the power otherwise, and all that was synced in it.
  Expected<> sync_entry_of(const fs::path& folder) {
    const fs::path parent = folder.parent_path().empty() ? fs::path(".") : folder.parent_path();
    // One in which we may make folders but not look cannot be opened, and so not be synced.
    auto synced = sync_folder(parent);
    if (!synced && synced.error().code == ErrorCode::permission_denied) return {};
    return synced;
  }

  const bool follows_links_;
};

}  // namespace

FileSystem& system_files() {
  static SystemFiles files(/*follows_links=*/true);
  return files;
}

}  // namespace core
