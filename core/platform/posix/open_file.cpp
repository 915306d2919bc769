#include "core/platform/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/base/cannot.h"
#include "core/base/paths.h"
#include "core/platform/folder.h"

namespace core {
namespace fs = std::filesystem;

namespace {

tl::unexpected<Error> failed(const std::string& verb, const fs::path& path) {
  const int error_number = errno;
  return fail(error_from_errno(error_number, "cannot " + verb + " " + text_of(path)));
}

bool has_length(int fd, std::uint64_t bytes) {
  const int error_number = errno;
  struct stat status {};
  const bool has = ::fstat(fd, &status) == 0 && static_cast<std::uint64_t>(status.st_size) == bytes;
  errno = error_number;
  return has;
}

}  // namespace

Expected<Descriptor> open_for_reading(const fs::path& path) {
  BPD_TRY_AS(folder, Folder::of(path));
  Descriptor file(::openat(folder->descriptor(), path.filename().c_str(),
                           O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return failed("open", path);
#ifdef POSIX_FADV_SEQUENTIAL
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  return file;
}

Expected<> write_at(int fd, const void* data, std::size_t bytes, std::uint64_t offset,
                    const fs::path& path) {
  const auto* from = static_cast<const unsigned char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::pwrite(fd, from, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = EIO;  // no file system may; it would go on for ever
    if (written <= 0) return failed("write", path);
    from += written;
    offset += static_cast<std::uint64_t>(written);
    bytes -= static_cast<std::size_t>(written);
  }
  return {};
}

Expected<std::size_t> read_at(int fd, void* data, std::size_t bytes, std::uint64_t offset,
                              const fs::path& path) {
  for (;;) {
    const ssize_t got = ::pread(fd, data, bytes, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return failed("read", path);
  }
}

Expected<> reserve(int fd, std::uint64_t bytes, const fs::path& path) {
  if (bytes == 0) return {};
  const std::string verb = "reserve " + std::to_string(bytes) + " bytes for";
#ifdef __linux__
  // Not posix_fallocate: where the file system cannot do it, that one writes the whole file.
  while (::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) != 0) {
    if (errno == EINTR) continue;
    if (!means_cannot(Operation::reserve, errno)) return failed(verb, path);
    break;
  }
#elif defined(F_PREALLOCATE)
  fstore_t wanted{F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(bytes), 0};
  if (::fcntl(fd, F_PREALLOCATE, &wanted) != 0 && errno == ENOSPC) return failed(verb, path);
#endif
  return {};
}

// Files that cannot be cut have nothing reserved.
Expected<> set_length(int fd, std::uint64_t bytes, const fs::path& path) {
  if (::ftruncate(fd, static_cast<off_t>(bytes)) == 0 || has_length(fd, bytes)) return {};
  return failed("set the length of", path);
}

Expected<bool> sync_file(int fd, const fs::path& path) {
#ifdef F_FULLFSYNC
  if (::fcntl(fd, F_FULLFSYNC) == 0) return true;
#endif
  if (::fsync(fd) == 0) return true;
  if (means_cannot(Operation::sync_file, errno)) return false;
  return failed("sync", path);
}

void start_write_back([[maybe_unused]] int fd, [[maybe_unused]] std::uint64_t offset,
                      [[maybe_unused]] std::uint64_t bytes) {
#ifdef SYNC_FILE_RANGE_WRITE
  // Where the file system knows nothing of it, the final sync does all the work.
  (void)::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes),
                          SYNC_FILE_RANGE_WRITE);
#endif
}

void forget_cached_pages([[maybe_unused]] int fd) {
#ifdef POSIX_FADV_DONTNEED
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
#endif
}

}  // namespace core
