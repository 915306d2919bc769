// One TCP connection to a program on this machine, of the system's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/platform/descriptor.h"

namespace core {

// Movable; used by one thread at a time. No program that is started meanwhile has it.
class LoopbackSocket {
 public:
  static LoopbackSocket connect(std::uint16_t port);  // to 127.0.0.1; none where nobody listens
  ~LoopbackSocket();
  LoopbackSocket(LoopbackSocket&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;

  explicit operator bool() const { return handle_ >= 0; }

  // Whether it can be read from, or written to, before `timeout` has passed. A broken one can.
  bool wait(bool for_reading, std::chrono::milliseconds timeout) const;
  // Bytes that moved; 0 from receive() at the end; nothing where the connection is broken.
  std::optional<std::size_t> send(std::string_view bytes) const;
  std::optional<std::size_t> receive(char* to, std::size_t size) const;

 private:
  explicit LoopbackSocket(Descriptor::Handle handle) : handle_(handle) {}
  Descriptor::Handle handle_ = -1;
};

}  // namespace core
