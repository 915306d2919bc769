#include "core/platform/write_behind.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/base/cannot.h"
#include "core/base/paths.h"
#include "core/base/threads.h"
#include "core/platform/folder.h"
#include "core/platform/temporary.h"

namespace core {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kAlignment = 4096;

bool write_fully(int fd, const unsigned char* data, std::size_t bytes, std::uint64_t offset) {
  while (bytes > 0) {
    const ssize_t written = ::pwrite(fd, data, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      if (written == 0) errno = EIO;
      return false;
    }
    if (written == 0) {  // no file system may; it would go on for ever
      errno = EIO;
      return false;
    }
    data += written;
    offset += static_cast<std::uint64_t>(written);
    bytes -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

Expected<std::unique_ptr<WriteBehind>> WriteBehind::create(const fs::path& path,
                                                           const WriteBehindOptions& options,
                                                           std::stop_token stop) {
  const auto folder = Folder::of(path);
  if (!folder) {
    Error error = folder.error();
    error.message = "cannot create " + text_of(path) + ": " + error.message;
    return fail(std::move(error));
  }
  const std::string name = text_of(path.filename());
  BPD_TRY_AS(created, create_locked(folder->descriptor(), name, path));
  std::unique_ptr<WriteBehind> file(
      new WriteBehind(path, std::move(*created), options, std::move(stop)));
  if (!file->ring_) {
    ::unlinkat(folder->descriptor(), name.c_str(), 0);
    return fail(ErrorCode::internal, "There is no memory to write " + text_of(path) + " through.");
  }
  if (auto reserved = file->reserve(options.expected_bytes); !reserved) {
    ::unlinkat(folder->descriptor(), name.c_str(), 0);
    return fail(reserved.error());
  }
  file->start_threads();
  return file;
}

WriteBehind::WriteBehind(fs::path path, Descriptor file, const WriteBehindOptions& options,
                         std::stop_token stop)
    : path_(std::move(path)),
      file_(std::move(file)),
      options_(options),
      stop_(std::move(stop)),
      digest_mode_(options.digest),
      ring_(static_cast<unsigned char*>(std::aligned_alloc(kAlignment, kBlocks * kBlockBytes))) {}

// Where one cannot be had the caller does its work: writes each block itself, hashes at the end.
void WriteBehind::start_threads() {
  (void)start_thread(writer_, [this] { write_blocks(); });
  if (digest_mode_ == DigestMode::beside && !start_thread(hasher_, [this] { hash_blocks(); })) {
    digest_mode_ = DigestMode::after;
  }
}

void WriteBehind::FreeMemory::operator()(void* memory) const noexcept {
  std::free(memory);
}

WriteBehind::~WriteBehind() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    abandoned_ = true;
  }
  work_.notify_all();
  if (writer_.joinable()) writer_.join();
  if (hasher_.joinable()) hasher_.join();
}

// So that a full disk shows before the copy, not during it.
Expected<> WriteBehind::reserve(std::uint64_t bytes) {
#ifdef __linux__
  if (bytes == 0) return {};
  // Not posix_fallocate: where the file system cannot do it, that one writes the whole file.
  while (::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) != 0) {
    if (errno == EINTR) continue;
    if (!means_cannot(Operation::reserve, errno)) {
      return fail(error_here(errno, "cannot reserve " + std::to_string(bytes) + " bytes for "));
    }
    break;
  }
#elif defined(F_PREALLOCATE)
  if (bytes == 0) return {};
  fstore_t wanted{F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(bytes), 0};
  if (::fcntl(file_.get(), F_PREALLOCATE, &wanted) != 0 && errno == ENOSPC) {
    return fail(error_here(errno, "cannot reserve " + std::to_string(bytes) + " bytes for "));
  }
#else
  (void)bytes;
#endif
  return {};
}

Expected<> WriteBehind::write(std::uint64_t offset, const void* data, std::size_t bytes) {
  const auto* from = static_cast<const unsigned char*>(data);
  if (offset > size_) {
    BPD_TRY(append_zeros(offset - size_));
  }
  if (offset < size_) {
    const std::size_t inside =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size_ - offset));
    BPD_TRY(drain());
    {
      const std::lock_guard lock(mutex_);
      overwritten_ = true;
    }
    if (!write_fully(file_.get(), from, inside, offset)) {
      set_failure(error_here(errno, "cannot write "));
      return failure();
    }
    from += inside;
    bytes -= inside;
  }
  return append(from, bytes);
}

Expected<> WriteBehind::append_zeros(std::uint64_t bytes) {
  static constexpr std::array<unsigned char, 64 * 1024> kZeros{};
  while (bytes > 0) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kZeros.size()));
    BPD_TRY(append(kZeros.data(), piece));
    bytes -= piece;
  }
  return {};
}

Expected<> WriteBehind::append(const unsigned char* data, std::size_t bytes) {
  while (bytes > 0) {
    if (!filling_) {
      BPD_TRY(take_block());
    }
    std::size_t& used = used_[produced_ % kBlocks];
    const std::size_t piece = std::min(bytes, kBlockBytes - used);
    std::memcpy(block(produced_) + used, data, piece);
    used += piece;
    size_ += piece;
    data += piece;
    bytes -= piece;
    if (used == kBlockBytes) publish_block();
  }
  return {};
}

std::uint64_t WriteBehind::free_blocks() const {
  const std::uint64_t done =
      digest_mode_ == DigestMode::beside ? std::min(written_, hashed_) : written_;
  return kBlocks - (produced_ - done);
}

Expected<> WriteBehind::take_block() {
  std::unique_lock lock(mutex_);
  if (!failure_ && free_blocks() == 0) {
    // A condition variable's clock arithmetic overflows on time_point::max().
    const auto deadline =
        std::min(options_.deadline, std::chrono::steady_clock::now() + std::chrono::hours(24));
    const auto ready = [this] { return failure_ != nullptr || free_blocks() >= kBatchBlocks; };
    if (!space_.wait_until(lock, stop_, deadline, ready)) {
      if (stop_.stop_requested()) {
        return fail(ErrorCode::cancelled, "stopped while writing " + text_of(path_));
      }
      return fail(ErrorCode::timed_out, text_of(path_) + " could not be written in time.",
                  "Check the speed of the destination's disk, or allow more time.");
    }
  }
  if (failure_) return fail(*failure_);
  used_[produced_ % kBlocks] = 0;
  filling_ = true;
  return {};
}

void WriteBehind::publish_block() {
  bool batch = false;
  {
    const std::lock_guard lock(mutex_);
    ++produced_;
    batch = produced_ % kBatchBlocks == 0;
  }
  filling_ = false;
  if (batch) work_.notify_all();
  if (writer_.joinable()) return;
  std::unique_lock lock(mutex_);
  (void)write_pending(lock);  // a failure is kept for the next call
}

Expected<> WriteBehind::drain() {
  if (filling_) publish_block();
  std::unique_lock lock(mutex_);
  flushing_ = true;
  work_.notify_all();
  space_.wait(lock, [this] { return failure_ != nullptr || written_ == produced_; });
  flushing_ = false;
  if (failure_) return fail(*failure_);
  return {};
}

Expected<std::size_t> WriteBehind::read(std::uint64_t offset, void* data, std::size_t bytes) {
  if (offset >= size_) return 0;
  BPD_TRY(drain());
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size_ - offset));
  std::size_t done = 0;
  while (done < wanted) {
    const ssize_t got = ::pread(file_.get(), static_cast<unsigned char*>(data) + done,
                                wanted - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(error_here(got < 0 ? errno : EIO, "cannot read "));
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Expected<> WriteBehind::finish() {
  auto drained = drain();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  work_.notify_all();
  if (writer_.joinable()) writer_.join();
  if (!drained) return drained;
  // Gives back what was reserved and not needed. Files that cannot be cut have nothing reserved.
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0 && !has_final_size()) {
    return fail(error_here(errno, "cannot set the length of "));
  }
  return {};
}

Expected<std::string> WriteBehind::digest() {
  if (hasher_.joinable()) hasher_.join();
  BPD_TRY(failure());
  if (digest_mode_ == DigestMode::none) return std::string();
  if (!overwritten_ && digest_ready_) return digest_;
  return hash_file();
}

bool WriteBehind::has_final_size() const {
  const int error_number = errno;
  struct stat status {};
  const bool final =
      ::fstat(file_.get(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) == size_;
  errno = error_number;
  return final;
}

Expected<bool> WriteBehind::sync() {
#ifdef F_FULLFSYNC
  if (::fcntl(file_.get(), F_FULLFSYNC) == 0) return true;
#endif
  if (::fsync(file_.get()) == 0) return true;
  if (means_cannot(Operation::sync_file, errno)) return false;
  return fail(error_here(errno, "cannot sync "));
}

void WriteBehind::drop_cache() {
#ifdef POSIX_FADV_DONTNEED
  (void)::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
#endif
}

void WriteBehind::write_blocks() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] {
      return abandoned_ || ended_ || produced_ - written_ >= kBatchBlocks ||
             (flushing_ && written_ < produced_);
    });
    if (!write_pending(lock) || abandoned_ || failure_ || ended_) return;
  }
}

bool WriteBehind::write_pending(std::unique_lock<std::mutex>& lock) {
  while (written_ < produced_ && !abandoned_ && !failure_) {
    const unsigned char* data = block(written_);
    const std::size_t bytes = used_[written_ % kBlocks];
    lock.unlock();
    if (!write_fully(file_.get(), data, bytes, written_bytes_)) {
      set_failure(error_here(errno, "cannot write "));
      return false;
    }
    written_bytes_ += bytes;
    start_write_back(written_bytes_);
    lock.lock();
    ++written_;
    if (written_ % kBatchBlocks == 0 || written_ == produced_) space_.notify_all();
  }
  return true;
}

void WriteBehind::start_write_back(std::uint64_t written) {
#ifdef SYNC_FILE_RANGE_WRITE
  if (written - write_back_started_ < kWriteBackBytes) return;
  // Advice: where the file system knows nothing of it, the final sync does all the work.
  (void)::sync_file_range(file_.get(), static_cast<off64_t>(write_back_started_),
                          static_cast<off64_t>(written - write_back_started_),
                          SYNC_FILE_RANGE_WRITE);
  write_back_started_ = written;
#else
  (void)written;
#endif
}

void WriteBehind::hash_blocks() {
  Sha256 sha;
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] {
      return abandoned_ || failure_ || ended_ || produced_ - hashed_ >= kBatchBlocks;
    });
    while (hashed_ < produced_ && !abandoned_ && !failure_) {
      lock.unlock();
      sha.update(block(hashed_), used_[hashed_ % kBlocks]);
      lock.lock();
      ++hashed_;
      if (hashed_ % kBatchBlocks == 0 || hashed_ == produced_) space_.notify_all();
    }
    if (abandoned_ || failure_) return;
    if (ended_) break;
  }
  digest_ = sha.finish();
  digest_ready_ = true;
}

Expected<std::string> WriteBehind::hash_file() {
  Sha256 sha;
  std::vector<unsigned char> buffer(kBlockBytes);
  for (std::uint64_t done = 0; done < size_;) {
    if (stop_.stop_requested()) {
      set_failure(Error{ErrorCode::cancelled, "stopped while hashing " + text_of(path_), ""});
      return fail(failure().error());
    }
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_ - done));
    const ssize_t got = ::pread(file_.get(), buffer.data(), wanted, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      set_failure(error_here(got < 0 ? errno : EIO, "cannot read "));
      return fail(failure().error());
    }
    sha.update(buffer.data(), static_cast<std::size_t>(got));
    done += static_cast<std::uint64_t>(got);
  }
  return sha.finish();
}

void WriteBehind::set_failure(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::make_unique<Error>(std::move(error));
  }
  space_.notify_all();
  work_.notify_all();
}

Expected<> WriteBehind::failure() const {
  const std::lock_guard lock(mutex_);
  if (failure_) return fail(*failure_);
  return {};
}

Error WriteBehind::error_here(int error_number, const std::string& verb) const {
  return error_from_errno(error_number, verb + text_of(path_));
}

std::string unsynced_file_warning(const fs::path& file) {
  return "The file system of " + text_of(file) +
         " cannot be told to write to its disk: a power failure soon after may take the file away.";
}

}  // namespace core
