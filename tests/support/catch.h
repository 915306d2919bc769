// Catch2, whichever major version the system has, and what it prints of a result that is an error.
#pragma once

#include <string>

#include "core/base/error.h"

#ifdef BPD_CATCH2_V3
#include <catch2/catch_all.hpp>
#include <utility>
using Catch::Approx;

// The names that version 2 has for the matchers of texts.
namespace Catch {
using Matchers::StartsWith;
inline auto Contains(std::string text) {
  return Matchers::ContainsSubstring(std::move(text));
}
}  // namespace Catch
#else
#include <catch2/catch.hpp>
#endif

namespace Catch {
template <class T>
struct StringMaker<core::Expected<T>> {
  static std::string convert(const core::Expected<T>& result) {
    return result ? "a value"
                  : std::string(to_string(result.error().code)) + ": " + result.error().message;
  }
};
}  // namespace Catch
