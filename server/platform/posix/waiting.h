// poll(2) for the few descriptors that one call waits for; it passes over those below 0.
#pragma once

#include <poll.h>

#include <array>
#include <cerrno>

#include "core/platform/descriptor.h"

namespace server {

inline constexpr int kForEver = -1;

// Waits until one of them is ready or has failed; whether one is before `timeout_ms` has passed.
template <std::size_t Count>
bool poll_all(std::array<pollfd, Count>& entries, int timeout_ms) {
  int ready = 0;
  do {
    ready = ::poll(entries.data(), static_cast<nfds_t>(entries.size()), timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

inline bool poll_one(core::Descriptor::Handle handle, short events, int timeout_ms) {
  std::array<pollfd, 1> entry{pollfd{handle, events, 0}};
  return poll_all(entry, timeout_ms);
}

}  // namespace server
