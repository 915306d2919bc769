#include "core/platform/map_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <limits>
#include <mutex>

#include "core/platform/page_cache.h"

namespace core {
namespace {

// Mappings watched at one time: lanes of a few verifications. Beyond it a mapping goes unwatched.
constexpr std::size_t kMaxWatched = 64;
// What one page fault brings in at least beside the page it is about (Linux: fault_around_bytes).
constexpr std::size_t kGranuleBytes = 64 * 1024;
constexpr std::size_t kGranulesPerLook = 2;
// With less than this part of its limit it tells nothing yet.
constexpr std::size_t kMinShare = 4;

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

// Pages of files in this process, its own program among them; 0 where nobody tells.
std::size_t resident_file_bytes() {
#ifdef __linux__
  // Third number of https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
  static const int statm = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  std::array<char, 128> text{};
  unsigned long long shared = 0;
  if (statm < 0 || ::pread(statm, text.data(), text.size() - 1, 0) <= 0 ||
      std::sscanf(text.data(), "%*u %*u %llu", &shared) != 1) {
    return 0;
  }
  return shared * page_bytes();
#else
  return 0;
#endif
}

// The least that was ever seen as a guard began: what the process has without any mapping of ours.
std::atomic<std::size_t> resident_before{std::numeric_limits<std::size_t>::max()};

void note_resident_before() {
  const std::size_t now = resident_file_bytes();
  std::size_t least = resident_before;
  while (now < least && !resident_before.compare_exchange_weak(least, now)) {
  }
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
  touched_.resize(bytes / kGranuleBytes + 1);
  forget_touched();
  pays_ = true;
  note_resident_before();
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

bool MapGuard::touch(const void* data, std::size_t bytes, const MapLimits& limits) {
  const auto offset =
      static_cast<std::size_t>(static_cast<const char*>(data) - static_cast<const char*>(base_));
  if (bytes == 0 || offset + bytes > bytes_) return false;
  read_bytes_ += bytes;
  const std::size_t before = touched_granules_;
  for (std::size_t granule = offset / kGranuleBytes;
       granule <= (offset + bytes - 1) / kGranuleBytes; ++granule) {
    if (touched_[granule]) continue;
    touched_[granule] = true;
    ++touched_granules_;
  }
  if (touched_granules_ / kGranulesPerLook == before / kGranulesPerLook) return true;
  const std::size_t resident = limits.growth_bytes > 0 ? resident_file_bytes() : 0;
  const std::size_t touched_bytes = touched_granules_ * kGranuleBytes;
  const bool too_much = touched_bytes > limits.touched_bytes ||
                        (resident > 0 && resident + PageCache::bytes_in_use() >
                                             resident_before + limits.growth_bytes);
  if (!too_much) return true;
  const std::size_t read_bytes = read_bytes_;
  let_go();
  // Not what other mappings hold: that is for them to give up.
  const std::size_t held =
      std::max(touched_bytes, resident - std::min(resident, resident_file_bytes()));
  if (held > limits.touched_bytes / kMinShare && held > read_bytes * limits.min_reuse)
    pays_ = false;
  return true;
}

void MapGuard::let_go() {
  if (base_ == nullptr || touched_granules_ == 0) return;
  ::madvise(const_cast<void*>(base_), bytes_, MADV_DONTNEED);
  forget_touched();
}

void MapGuard::forget_touched() {
  touched_.assign(touched_.size(), false);
  touched_granules_ = 0;
  read_bytes_ = 0;
}

}  // namespace core
