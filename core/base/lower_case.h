// A to Z in small letters, and nothing else: as SQLite folds names and HTTP those of its fields.
#pragma once

#include <string>
#include <string_view>

namespace core {

constexpr char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower_case(c);
  return result;
}

}  // namespace core
