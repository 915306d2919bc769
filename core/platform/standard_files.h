// How this program was started: its standard files, its terminal, and who started it.
#pragma once

#include <cstdint>

namespace core {

// Takes the place of each of the descriptors 0 to 2 that is closed, so that no other file gets its
// number; reading and writing it go on to fail. Call it first of all.
void hold_standard_files();

// Whether standard input and output are both a terminal.
bool typed_in_terminal();

// The process that started this one. Thread-safe.
class Starter {
 public:
  Starter();
  // Whether it has ended. Always false where it had ended before this was made, or is the first
  // process of all, which outlives everything.
  bool gone() const;

 private:
  const std::intptr_t id_;  // as the system knows it
};

}  // namespace core
