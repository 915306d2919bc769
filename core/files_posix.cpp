// The real file system, on Linux and macOS.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <memory>

#include "core/cannot.h"
#include "core/env.h"
#include "core/paths.h"
#include "core/room.h"
#include "core/temporary.h"

namespace core {
namespace {

// A descriptor that closes itself. Never to be used on a database that this process has open
// through SQLite: closing it would drop SQLite's locks.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> fail_errno(const char* verb, const fs::path& path) {
  const int error_number = errno;
  return fail(error_from_errno(error_number, std::string("cannot ") + verb + " " + path.string()));
}

tl::unexpected<Error> fail_new_name(const char* verb, const fs::path& from, const fs::path& to) {
  const int error_number = errno;
  if (error_number == EEXIST) {
    return fail(ErrorCode::conflict, to.string() + " is there already.", "Choose another name.");
  }
  const std::string what =
      std::string("cannot ") + verb + " " + from.string() + " to " + to.string();
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
  const std::chrono::seconds seconds = std::clamp(std::chrono::seconds{time.tv_sec}, kFirst, kLast);
  return Instant{std::chrono::duration_cast<Instant::duration>(
      seconds + std::chrono::nanoseconds{time.tv_nsec})};
}

FileInfo info_of(const struct stat& status) {
  FileInfo info;
  info.kind = kind_of(status.st_mode);
  info.bytes = static_cast<std::uint64_t>(status.st_size);
#ifdef __APPLE__
  const timespec& modified = status.st_mtimespec;
#else
  const timespec& modified = status.st_mtim;
#endif
  info.modified = instant_of(modified);
  info.mode = status.st_mode & 07777U;
  info.names = static_cast<std::uint64_t>(status.st_nlink);
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

Expected<> sync_path(const fs::path& path, int flags) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (file.get() < 0) return fail_errno("open", path);
  const bool folder = (flags & O_DIRECTORY) != 0;
  const Operation operation = folder ? Operation::sync_folder : Operation::sync_file;
  if (sync_descriptor(file.get()) != 0 && !means_cannot(operation, errno)) {
    return fail_errno("sync", path);
  }
  return {};
}

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

// A free name for what is at `path`; that path itself when there is none.
fs::path name_aside(const fs::path& path) {
  constexpr int kMaxNames = 100;
  struct stat status {};
  for (int number = 1; number <= kMaxNames; ++number) {
    fs::path aside = with_suffix(path, ".replaced");
    if (number > 1) aside += "-" + std::to_string(number);
    if (::lstat(aside.c_str(), &status) != 0 && errno == ENOENT) return aside;
  }
  return path;
}

// Where no rename goes over a file. A crash in between leaves the old file under its name aside.
bool step_aside_and_rename(const fs::path& from, const fs::path& to) {
  struct stat status {};
  if (::lstat(to.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  const fs::path aside = name_aside(to);
  if (aside == to || ::rename(to.c_str(), aside.c_str()) != 0) return false;
  if (::rename(from.c_str(), to.c_str()) != 0) {
    (void)::rename(aside.c_str(), to.c_str());
    return false;
  }
  ::unlink(aside.c_str());
  return true;
}

bool rename_over(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return true;
  const int error_number = errno;
  if (means_cannot(Operation::rename_over, error_number) && step_aside_and_rename(from, to)) {
    return true;
  }
  errno = error_number;
  return false;
}

class SystemFiles final : public FileSystem {
 public:
  Expected<FileInfo> info(const fs::path& path) const override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return fail_errno("find", path);
    return info_of(status);
  }

  Expected<FileId> cached_id(const fs::path& path) const override {
#ifdef STATX_INO
    struct statx status {};
    if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &status) == 0) {
      return FileId{makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino};
    }
#endif
    const auto found = info(path);
    if (!found) return fail(found.error());
    return found->id;
  }

  Expected<FileInfo> link_info(const fs::path& path) const override {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return fail_errno("find", path);
    return info_of(status);
  }

  Expected<std::string> read(const fs::path& path, std::uint64_t max_bytes) const override {
    // One byte more tells whether there is more.
    auto text = read_start(path, static_cast<std::size_t>(max_bytes) + 1);
    if (text && text->size() > max_bytes) {
      return fail(ErrorCode::invalid_argument,
                  path.string() + " is larger than " + std::to_string(max_bytes) + " bytes.");
    }
    return text;
  }

  Expected<std::string> read_start(const fs::path& path, std::size_t max_bytes) const override {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) return fail_errno("open", path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return fail_errno("read", path);
    if (S_ISDIR(status.st_mode)) {
      return fail(ErrorCode::invalid_argument, path.string() + " is a folder, not a file.");
    }
    std::string text;
    std::array<char, 16 * 1024> buffer;
    while (text.size() < max_bytes) {
      const std::size_t piece = std::min(buffer.size(), max_bytes - text.size());
      const ssize_t got = ::read(file.get(), buffer.data(), piece);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("read", path);
      if (got == 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  Expected<std::vector<DirEntry>> list(const fs::path& folder,
                                       std::size_t max_entries) const override {
    const std::unique_ptr<DIR, int (*)(DIR*)> open_folder(::opendir(folder.c_str()), &::closedir);
    if (!open_folder) return fail_errno("list", folder);
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
            folder.string() + " holds more than " + std::to_string(max_entries) + " entries.",
            "Use another folder, or remove what does not belong there.");
      }
      entries.push_back({std::string(name), kind_of_entry(open_folder.get(), *entry)});
    }
    if (errno != 0) return fail_errno("list", folder);
    return entries;
  }

  Expected<fs::path> canonical(const fs::path& path) const override {
    std::error_code error;
    fs::path result = fs::canonical(path, error);
    if (error) return fail(error_from_errno(error.value(), "cannot find " + path.string()));
    return result;
  }

  Expected<std::uint64_t> free_bytes(const fs::path& folder) const override {
    constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();
    struct statvfs status {};
    if (::statvfs(folder.c_str(), &status) != 0) {
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
    if (::statfs(folder.c_str(), &status) == 0) {
      return max_file_bytes_of_type(static_cast<std::uint64_t>(status.f_type));
    }
#else
    (void)folder;
#endif
    return std::numeric_limits<std::uint64_t>::max();
  }

  Expected<> write_atomically(const fs::path& path, std::string_view text,
                              std::uint32_t mode) override {
    const fs::path temporary = temporary_path_of(path);
    const auto created = create_locked(temporary);
    if (!created) return fail(created.error());
    const Descriptor file(*created);  // open, and so locked, until the file has its name
    auto written = fill(file.get(), text, mode, temporary);
    if (written && !rename_over(temporary, path)) {
      written = fail_errno("replace", path);
    }
    if (!written) {
      ::unlink(temporary.c_str());
      return written;
    }
    return sync_folder(path.parent_path().empty() ? fs::path(".") : path.parent_path());
  }

  Expected<> make_folders(const fs::path& folder, std::uint32_t mode) override {
    if (::mkdir(folder.c_str(), static_cast<mode_t>(mode)) == 0) return sync_entry_of(folder);
    if (errno == ENOENT && folder.has_parent_path() && folder.parent_path() != folder) {
      if (auto parents = make_folders(folder.parent_path(), mode); !parents) return parents;
      if (::mkdir(folder.c_str(), static_cast<mode_t>(mode)) == 0) return sync_entry_of(folder);
    }
    if (errno != EEXIST) return fail_errno("create", folder);
    struct stat status {};
    if (::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
    return fail(ErrorCode::conflict, folder.string() + " is there already and is not a folder.",
                "Move it away, or choose another folder.");
  }

  Expected<> rename(const fs::path& from, const fs::path& to) override {
    if (!rename_over(from, to)) return fail_errno("rename", from.string() + " to " + to.string());
    return {};
  }

  Expected<> rename_new(const fs::path& from, const fs::path& to) override {
#ifdef RENAME_NOREPLACE
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (!means_cannot(Operation::rename_new, errno)) return fail_new_name("rename", from, to);
#endif
    if (auto linked = link(from, to); linked) {
      ::unlink(from.c_str());
      return {};
    } else if (linked.error().code != ErrorCode::unsupported) {
      return linked;
    }
    // The file system knows neither: what is left is to look, and then to rename. Our own runs are
    // kept apart by their locks; of other programs one that makes the file in between loses it.
    struct stat status {};
    if (::lstat(to.c_str(), &status) == 0) errno = EEXIST;
    if (errno != ENOENT || ::rename(from.c_str(), to.c_str()) != 0) {
      return fail_new_name("rename", from, to);
    }
    return {};
  }

  Expected<> link(const fs::path& from, const fs::path& to) override {
    if (::link(from.c_str(), to.c_str()) == 0) return {};
    const bool cannot = means_cannot(Operation::link, errno);
    auto failed = fail_new_name("link", from, to);
    if (cannot) failed.value().code = ErrorCode::unsupported;
    return failed;
  }

  Expected<> remove(const fs::path& path) override {
    if (::unlink(path.c_str()) != 0) return fail_errno("remove", path);
    return {};
  }

  Expected<> remove_empty_folder(const fs::path& folder) override {
    if (::rmdir(folder.c_str()) != 0) return fail_errno("remove", folder);
    return {};
  }

  Expected<> set_mode(const fs::path& path, std::uint32_t mode) override {
    if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0 &&
        !means_cannot(Operation::set_mode, errno)) {
      return fail_errno("set the permissions of", path);
    }
    return {};
  }

  Expected<> sync_file(const fs::path& path) override {
    return sync_path(path, 0);
  }

  Expected<> sync_folder(const fs::path& folder) override {
    return sync_path(folder, O_DIRECTORY);
  }

 private:
  static Expected<> fill(int fd, std::string_view text, std::uint32_t mode, const fs::path& path) {
    // The umask applies to open's mode, not to this one.
    if (::fchmod(fd, static_cast<mode_t>(mode)) != 0 && !means_cannot(Operation::set_mode, errno)) {
      return fail_errno("create", path);
    }
    if (auto written = write_all(fd, text, path); !written) return written;
    if (sync_descriptor(fd) != 0 && !means_cannot(Operation::sync_file, errno)) {
      return fail_errno("sync", path);
    }
    return {};
  }

  // A folder that is new could go with the power otherwise, and all that was synced in it.
  static Expected<> sync_entry_of(const fs::path& folder) {
    const fs::path parent = folder.parent_path().empty() ? fs::path(".") : folder.parent_path();
    // One in which we may make folders but not look cannot be opened, and so not be synced.
    if (::access(parent.c_str(), R_OK) != 0) return {};
    return sync_path(parent, O_DIRECTORY);
  }
};

}  // namespace

FileSystem& system_files() {
  static SystemFiles files;
  return files;
}

}  // namespace core
