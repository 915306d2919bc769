#include "support/pipe.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#endif

#include <stdexcept>
#include <thread>

namespace test {
namespace {

constexpr std::size_t kPieceBytes = 4096;

}  // namespace

#ifdef _WIN32

namespace {

HANDLE handle_of_end(const core::Descriptor& end) {
  return reinterpret_cast<HANDLE>(end.get());
}

}  // namespace

Pipe::Pipe() {
  HANDLE to_read = nullptr, to_write = nullptr;
  if (!::CreatePipe(&to_read, &to_write, nullptr, 0)) throw std::runtime_error("no pipe");
  read_end = core::Descriptor(reinterpret_cast<core::Descriptor::Handle>(to_read));
  write_end = core::Descriptor(reinterpret_cast<core::Descriptor::Handle>(to_write));
}

bool Pipe::write(std::string_view text) const {
  while (!text.empty()) {
    DWORD written = 0;
    if (!::WriteFile(handle_of_end(write_end), text.data(), static_cast<DWORD>(text.size()),
                     &written, nullptr) ||
        written == 0) {
      return false;
    }
    text.remove_prefix(written);
  }
  return true;
}

std::string Pipe::read(std::chrono::milliseconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  DWORD there = 0;
  while (there == 0) {
    if (!::PeekNamedPipe(handle_of_end(read_end), nullptr, 0, nullptr, &there, nullptr)) return {};
    if (there > 0) break;
    if (std::chrono::steady_clock::now() >= deadline) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::string piece(kPieceBytes, '\0');
  DWORD got = 0;
  if (!::ReadFile(handle_of_end(read_end), piece.data(), kPieceBytes, &got, nullptr)) return {};
  piece.resize(got);
  return piece;
}

#else

Pipe::Pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  read_end = core::Descriptor(ends[0]);
  write_end = core::Descriptor(ends[1]);
}

bool Pipe::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = ::write(write_end.get(), text.data(), text.size());
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string Pipe::read(std::chrono::milliseconds timeout) const {
  pollfd end{read_end.get(), POLLIN, 0};
  if (::poll(&end, 1, static_cast<int>(timeout.count())) != 1) return {};
  std::string piece(kPieceBytes, '\0');
  const ssize_t count = ::read(read_end.get(), piece.data(), piece.size());
  piece.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return piece;
}

#endif

}  // namespace test
