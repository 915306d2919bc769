// Something that happens once, and can be waited for beside input and output.
#pragma once

#include <chrono>

#include "core/base/error.h"
#include "core/platform/descriptor.h"

namespace server {

// Movable until somebody waits for it. Wherever a pointer to one is taken, null means: never.
class Event {
 public:
  // An error when the system gives none.
  static core::Expected<Event> make();

  // From any thread, and from a signal handler. It stays set.
  void set() const;
  bool is_set() const { return wait_for(std::chrono::milliseconds(0)); }
  // Whether it is set before `timeout` has passed.
  bool wait_for(std::chrono::milliseconds timeout) const;

 private:
  friend core::Descriptor::Handle handle_of(const Event* event);
  Event(core::Descriptor heard, core::Descriptor told)
      : heard_(std::move(heard)), told_(std::move(told)) {}

  core::Descriptor heard_, told_;  // one of the two alone where the system has events of its own
};

// For the platform's own waits: readable once it is set, -1 for null.
inline core::Descriptor::Handle handle_of(const Event* event) {
  return event != nullptr ? event->heard_.get() : -1;
}

// Waits until one of the two is set, without a bound; whether `first` is.
bool is_set_first(const Event& first, const Event& second);

}  // namespace server
