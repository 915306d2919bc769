#include "core/platform/write_behind.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include "core/base/env.h"
#include "core/base/paths.h"
#include "core/base/threads.h"
#include "core/platform/folder.h"
#include "core/platform/open_file.h"
#include "core/platform/temporary.h"

namespace core {
namespace fs = std::filesystem;

namespace {

constexpr std::align_val_t kAlignment{4096};

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
  BPD_TRY_AS(created, create_locked(path, &*folder));
  std::unique_ptr<WriteBehind> file(
      new WriteBehind(path, std::move(*created), options, std::move(stop)));
  if (!file->ring_) {
    (void)system_files().no_links().remove(path);
    return fail(ErrorCode::internal, "There is no memory to write " + text_of(path) + " through.");
  }
  if (auto room = reserve(file->file_.get(), options.expected_bytes, path); !room) {
    (void)system_files().no_links().remove(path);
    return fail(room.error());
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
      ring_(static_cast<unsigned char*>(
          ::operator new(kBlocks* kBlockBytes, kAlignment, std::nothrow))) {}

// Where one cannot be had the caller does its work: writes each block itself, hashes at the end.
void WriteBehind::start_threads() {
  (void)start_thread(writer_, [this] { write_blocks(); });
  if (digest_mode_ == DigestMode::beside && !start_thread(hasher_, [this] { hash_blocks(); })) {
    digest_mode_ = DigestMode::after;
  }
}

void WriteBehind::FreeMemory::operator()(void* memory) const noexcept {
  ::operator delete(memory, kAlignment);
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
    if (auto written = write_at(file_.get(), from, inside, offset, path_); !written) {
      set_failure(std::move(written).error());
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
    BPD_TRY_AS(got, read_at(file_.get(), static_cast<unsigned char*>(data) + done, wanted - done,
                            offset + done, path_));
    if (*got == 0) return fail(cut_short());
    done += *got;
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
  return set_length(file_.get(), size_, path_);
}

Expected<std::string> WriteBehind::digest() {
  if (hasher_.joinable()) hasher_.join();
  BPD_TRY(failure());
  if (digest_mode_ == DigestMode::none) return std::string();
  if (!overwritten_ && digest_ready_) return digest_;
  return hash_file();
}

Expected<bool> WriteBehind::sync() {
  return sync_file(file_.get(), path_);
}

void WriteBehind::drop_cache() {
  forget_cached_pages(file_.get());
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
    if (auto written = write_at(file_.get(), data, bytes, written_bytes_, path_); !written) {
      set_failure(std::move(written).error());
      return false;
    }
    written_bytes_ += bytes;
    write_back();
    lock.lock();
    ++written_;
    if (written_ % kBatchBlocks == 0 || written_ == produced_) space_.notify_all();
  }
  return true;
}

void WriteBehind::write_back() {
  if (written_bytes_ - write_back_started_ < kWriteBackBytes) return;
  start_write_back(file_.get(), write_back_started_, written_bytes_ - write_back_started_);
  write_back_started_ = written_bytes_;
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
    auto got = read_at(file_.get(), buffer.data(), wanted, done, path_);
    if (!got || *got == 0) {
      set_failure(got ? cut_short() : std::move(got).error());
      return fail(failure().error());
    }
    sha.update(buffer.data(), *got);
    done += *got;
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

// Of a file whose end came before the bytes that we wrote.
Error WriteBehind::cut_short() const {
  return error_from_errno(EIO, "cannot read " + text_of(path_));
}

std::string unsynced_file_warning(const fs::path& file) {
  return "The file system of " + text_of(file) +
         " cannot be told to write to its disk: a power failure soon after may take the file away.";
}

}  // namespace core
