// Time zones of the world, one at a time.
#pragma once

#include <memory>
#include <string>

#include "core/base/env.h"

namespace test {

// Only the zone of its clock is to be asked. On POSIX it is the process's zone, for as long as this
// lives, and the real clock; on Windows, where a process has no zone of its own, a clock that goes
// by the system's rules for the zone.
class InZone {
 public:
  explicit InZone(const std::string& zone);  // "Europe/Berlin"
  ~InZone();
  InZone(const InZone&) = delete;
  InZone& operator=(const InZone&) = delete;

  const core::Clock& clock() const;

 private:
  std::string before_;
  std::unique_ptr<core::Clock> own_;
};

}  // namespace test
