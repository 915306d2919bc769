// What is said of the programs that have a database open, on every system.
#include "core/platform/open_files.h"

namespace core {
namespace {

constexpr std::size_t kMaxDescribed = 4;

}  // namespace

std::string describe_openers(const std::vector<Opener>& openers) {
  std::string text;
  for (std::size_t i = 0; i < openers.size() && i < kMaxDescribed; ++i) {
    if (i > 0) text += i + 1 == openers.size() ? " and " : ", ";
    text += openers[i].program.empty() ? "a program" : openers[i].program;
    if (openers[i].process_id == 0) continue;
    text += " (process " + std::to_string(openers[i].process_id) +
            (openers[i].user.empty() ? "" : " of " + openers[i].user) + ")";
  }
  if (openers.size() > kMaxDescribed) {
    text += " and " + std::to_string(openers.size() - kMaxDescribed) + " more";
  }
  return text;
}

}  // namespace core
