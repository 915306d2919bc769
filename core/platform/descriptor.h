// An open file, folder, pipe or socket of the system's that closes itself.
#pragma once

#include <cstdint>
#include <utility>

namespace core {

// Movable; used by one thread at a time. Never to be used on a database that this process has open
// through SQLite: closing it would drop SQLite's locks
// (https://www.sqlite.org/howtocorrupt.html, section 2.2).
class Descriptor {
 public:
// As the system's calls take it: a number, or a HANDLE's value. Negative: none.
#ifdef _WIN32
  using Handle = std::intptr_t;
#else
  using Handle = int;
#endif

  Descriptor() = default;
  explicit Descriptor(Handle handle) : handle_(handle) {}
  ~Descriptor() {
    close();
  }
  Descriptor(Descriptor&& other) noexcept : handle_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  explicit operator bool() const {
    return handle_ >= 0;
  }
  Handle get() const {
    return handle_;
  }
  // The caller's to close from here on.
  Handle release() {
    return std::exchange(handle_, -1);
  }
  // Leaves errno (GetLastError) alone, so that what failed before can still be told.
  void close();

 private:
  Handle handle_ = -1;
};

}  // namespace core
