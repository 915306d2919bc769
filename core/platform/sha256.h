// SHA-256 of bytes as they come, and of a whole file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace core {

// One running SHA-256 (FIPS 180-4). Movable; used by one thread at a time. Never fails.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(const void* data, std::size_t bytes);
  // 64 lower-case hex digits of all bytes so far. Ends the digest: only destruction may follow.
  std::string finish();
  // The same as 32 bytes.
  std::array<unsigned char, 32> finish_raw();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_of(std::string_view text);

// Hashes a file from its first to its last byte, read once, in constant memory. `on_bytes`, if set,
// hears the bytes done after each piece. A stop request ends it within 100 ms (cancelled).
//
// For files nobody else knows or holds: opening and closing a live database beside SQLite drops the
// locks this process has on it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
Expected<std::string> sha256_of_file(const std::filesystem::path& path, std::stop_token stop,
                                     const std::function<void(std::uint64_t)>& on_bytes = {});

}  // namespace core
