// A pipe of the system's, both ends ours.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "core/platform/descriptor.h"

namespace test {

// Throws std::runtime_error where the system gives none.
class Pipe {
 public:
  Pipe();

  core::Descriptor read_end, write_end;

  // Waits as long as the reader wants. False when that is not possible.
  bool write(std::string_view text) const;
  // What is there within `timeout`; empty at the end, and when nothing came.
  std::string read(std::chrono::milliseconds timeout) const;
};

}  // namespace test
