// An event is one of the system's, which stays set.
#include "server/platform/event.h"

#include <array>

#include "server/platform/windows/waiting.h"

namespace server {

core::Expected<Event> Event::make() {
  core::Descriptor made = core::owned(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
  if (!made) return core::fail(core::error_from_system(::GetLastError(), "cannot make an event"));
  return Event(std::move(made), {});
}

void Event::set() const {
  const DWORD saved = ::GetLastError();
  ::SetEvent(system_handle(heard_.get()));
  ::SetLastError(saved);
}

bool Event::wait_for(std::chrono::milliseconds timeout) const {
  return is_set_before(system_handle(heard_.get()), static_cast<DWORD>(timeout.count()));
}

bool is_set_first(const Event& first, const Event& second) {
  const std::array<HANDLE, 2> both{system_handle(handle_of(&first)),
                                   system_handle(handle_of(&second))};
  return ::WaitForMultipleObjects(both.size(), both.data(), FALSE, INFINITE) == WAIT_OBJECT_0;
}

}  // namespace server
