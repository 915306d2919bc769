#include "core/map_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

namespace core {
namespace {

// Mappings watched at one time: lanes of a few verifications. Beyond it a mapping goes unwatched.
constexpr std::size_t kMaxWatched = 64;
// What one page fault brings in beside the page it is about (Linux: fault_around_bytes).
constexpr std::size_t kGranuleBytes = 64 * 1024;

struct Slot {
  std::atomic<bool> taken{false};
  std::atomic<std::uintptr_t> begin{0}, end{0};
  std::atomic<bool> faulted{false};
};

// Constant-initialised: the handler must find it at any time.
constinit std::array<Slot, kMaxWatched> slots{};
struct sigaction previous {};

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

// Runs in a signal handler: nothing but atomics and mmap.
bool replace_page(std::uintptr_t address) {
  for (Slot& slot : slots) {
    if (address < slot.begin.load() || address >= slot.end.load()) continue;
    auto* page = reinterpret_cast<void*>(address / page_bytes() * page_bytes());
    void* zeros =
        ::mmap(page, page_bytes(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) return false;
    slot.faulted = true;
    return true;
  }
  return false;
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  if (replace_page(reinterpret_cast<std::uintptr_t>(info->si_addr))) return;
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else {
    // The instruction runs again and meets whoever was there before us: by default, the end.
    ::sigaction(signal, &previous, nullptr);
  }
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_bytes();
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &previous);
  });
}

}  // namespace

MapGuard::~MapGuard() {
  stop();
}

void MapGuard::stop() {
  base_ = nullptr;
  bytes_ = 0;
  if (slot_ < 0) return;
  Slot& slot = slots[static_cast<std::size_t>(slot_)];
  slot.end = 0;
  slot.begin = 0;
  slot.faulted = false;
  slot.taken = false;
  slot_ = -1;
}

void MapGuard::watch(const void* base, std::size_t bytes) {
  install_handler();
  stop();
  base_ = base;
  bytes_ = bytes;
  forget_touched();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].taken.exchange(true)) continue;
    slot_ = static_cast<int>(i);
    slots[i].begin = reinterpret_cast<std::uintptr_t>(base);
    slots[i].end = reinterpret_cast<std::uintptr_t>(base) + bytes;
    return;
  }
}

bool MapGuard::faulted() const {
  return slot_ >= 0 && slots[static_cast<std::size_t>(slot_)].faulted;
}

void MapGuard::touch(const void* data, std::size_t bytes, std::size_t max_bytes) {
  if (max_bytes == 0 || bytes == 0) return;
  const auto offset =
      static_cast<std::size_t>(static_cast<const char*>(data) - static_cast<const char*>(base_));
  if (offset + bytes > bytes_) return;
  touched_begin_ = std::min(touched_begin_, offset);
  touched_end_ = std::max(touched_end_, offset + bytes);
  for (std::size_t granule = offset / kGranuleBytes;
       granule <= (offset + bytes - 1) / kGranuleBytes; ++granule) {
    if (touched_[granule]) continue;
    touched_[granule] = true;
    ++touched_granules_;
  }
  if (touched_granules_ * kGranuleBytes <= max_bytes) return;
  // What was touched is mapped for certain. Beyond it may, should the file have shrunk as it was
  // mapped, lie memory of somebody else's, whose content this call would lose.
  const std::size_t begin = touched_begin_ / page_bytes() * page_bytes();
  ::madvise(static_cast<char*>(const_cast<void*>(base_)) + begin, touched_end_ - begin,
            MADV_DONTNEED);
  forget_touched();
}

void MapGuard::forget_touched() {
  touched_.assign(bytes_ / kGranuleBytes + 1, false);
  touched_granules_ = 0;
  touched_begin_ = bytes_;
  touched_end_ = 0;
}

}  // namespace core
