// Calendar days as tests write them.
#pragma once

#include <chrono>

#include "core/base/date.h"

namespace test {

inline core::Date day(const char* text) {
  return *core::parse_date(text);
}

inline core::Date make_date(int year, unsigned month, unsigned day) {
  return {std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
}

}  // namespace test
