// The system's waits, for handles as core::Descriptor holds them.
#pragma once

#include "core/platform/windows/system.h"

namespace server {

inline HANDLE system_handle(core::Descriptor::Handle handle) {
  return core::handle_of(handle);
}

inline bool is_set_before(HANDLE handle, DWORD timeout_ms) {
  return ::WaitForSingleObject(handle, timeout_ms) == WAIT_OBJECT_0;
}

}  // namespace server
