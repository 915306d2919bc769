// Writes one new file in large pieces on a thread of its own, hashing the bytes beside.
//
// A caller appends small pieces; they gather in a few buffers that a writer thread writes out and a
// hash thread hashes while the caller goes on. Write-back to the disk starts early, so that the
// final sync finds little left to do.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "core/base/error.h"
#include "core/platform/descriptor.h"
#include "core/platform/sha256.h"

namespace core {

enum class DigestMode {
  none,
  beside,  // from the buffers: the cheapest, but appending never runs ahead of the hash
  after    // from the file, when digest() is called: appending has both cores to itself
};

struct WriteBehindOptions {
  std::uint64_t expected_bytes = 0;  // reserved on the disk before the first byte is written
  DigestMode digest = DigestMode::beside;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

// Where the system gives no threads, it works on the caller's. All methods but the threads' own are
// for one thread at a time. After the first failure every method gives that failure again.
class WriteBehind {
 public:
  // Also the size of each write: from 1 MiB on, Linux takes several times as long for each byte.
  static constexpr std::size_t kBlockBytes = 256 * 1024;
  static constexpr std::size_t kBlocks = 16;
  // Threads wake each other for this many blocks at a time: a switch for each block would cost more
  // than the block's work.
  static constexpr std::size_t kBatchBlocks = 4;
  // A thread may sleep on up to two batches that it has not been told of. The caller waits for one
  // free batch beside them: with fewer blocks they would wait for each other.
  static_assert(kBlocks >= 3 * kBatchBlocks);
  static constexpr std::uint64_t kWriteBackBytes = 8 * 1024 * 1024;

  // Creates the file (which must not exist), mode 0600, holding a lock (flock) that tells the
  // leftovers of dead processes from files at work. no_space when it cannot be reserved.
  static Expected<std::unique_ptr<WriteBehind>> create(const std::filesystem::path& path,
                                                       const WriteBehindOptions& options,
                                                       std::stop_token stop);
  // Ends the threads and closes the file; never removes it.
  ~WriteBehind();
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  // At size() it appends. A gap left before `offset` reads as zeros. Elsewhere it overwrites, at
  // the cost of hashing the file once more at the end.
  Expected<> write(std::uint64_t offset, const void* data, std::size_t bytes);
  // Reads what was written, flushing first; the number of bytes that were there.
  Expected<std::size_t> read(std::uint64_t offset, void* data, std::size_t bytes);
  std::uint64_t size() const { return size_; }

  // Hands everything to the system (not yet to the disk) and sets the file's final length.
  // Nothing may be written afterwards.
  Expected<> finish();
  // After finish(): waits for the hash of the whole file; empty with DigestMode::none.
  Expected<std::string> digest();
  // After finish(): to the disk; false where the file system cannot be told to
  // (core/base/cannot.h). Safe to call beside digest().
  Expected<bool> sync();
  // Lets the system forget the cached pages of the file that are on the disk. Safe to call beside
  // sync().
  void drop_cache();

 private:
  struct FreeMemory {
    void operator()(void* memory) const noexcept;
  };

  WriteBehind(std::filesystem::path path, Descriptor file, const WriteBehindOptions& options,
              std::stop_token stop);
  void start_threads();
  Expected<> append(const unsigned char* data, std::size_t bytes);
  Expected<> append_zeros(std::uint64_t bytes);
  Expected<> take_block();
  void publish_block();
  Expected<> drain();
  void write_blocks();
  // Writes what there is, letting the lock go meanwhile; false, without the lock, on a failure.
  bool write_pending(std::unique_lock<std::mutex>& lock);
  void hash_blocks();
  std::uint64_t free_blocks() const;
  Expected<std::string> hash_file();
  void write_back();
  void set_failure(Error error);
  Expected<> failure() const;
  Error cut_short() const;

  const std::filesystem::path path_;
  const Descriptor file_;
  const WriteBehindOptions options_;
  const std::stop_token stop_;
  DigestMode digest_mode_;  // as asked for, or after where there was no thread for it

  unsigned char* block(std::uint64_t number) const {
    return ring_.get() + number % kBlocks * kBlockBytes;
  }

  std::unique_ptr<unsigned char, FreeMemory> ring_;  // kBlocks blocks; block n lies at n % kBlocks
  std::array<std::size_t, kBlocks> used_{};
  bool filling_ = false;             // the block of sequence number produced_ belongs to the caller
  std::uint64_t size_ = 0;           // bytes appended
  std::uint64_t written_bytes_ = 0;  // the writer's
  std::uint64_t write_back_started_ = 0;  // likewise

  mutable std::mutex mutex_;
  std::condition_variable_any space_;  // for the caller
  std::condition_variable_any work_;   // for the threads
  // Sequence numbers of blocks: produced_ >= written_, hashed_; a block is free when both passed
  // it.
  std::uint64_t produced_ = 0, written_ = 0, hashed_ = 0;
  bool flushing_ = false;   // the caller waits for the last block
  bool ended_ = false;      // no more blocks will come
  bool abandoned_ = false;  // the threads are to leave at once
  bool overwritten_ = false;
  std::unique_ptr<Error> failure_;
  std::string digest_;
  bool digest_ready_ = false;

  std::thread writer_;
  std::thread hasher_;
};

// For a file that sync() could not bring to the disk, under the name that it gets.
std::string unsynced_file_warning(const std::filesystem::path& file);

}  // namespace core
