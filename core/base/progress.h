// How far a long operation has come: the one value that travels out while a call is running.
#pragma once

#include <cstdint>
#include <string>

namespace core {

// Receives progress on the thread that works. Implementations return at once and never throw:
// a slow listener must drop updates, not hold up a copy that keeps a read transaction open.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;

  // `done` of `total` units (pages while copying, steps while checking); total is 0 while unknown.
  // `done` never decreases within one phase.
  virtual void report(std::uint64_t done, std::uint64_t total, const std::string& phase) = 0;
};

// Listens to nothing.
class NoProgress final : public ProgressSink {
 public:
  void report(std::uint64_t, std::uint64_t, const std::string&) override {}
};

}  // namespace core
