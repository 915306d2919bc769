// Catch2, whichever major version the system has.
#pragma once

#ifdef BPD_CATCH2_V3
#include <catch2/catch_all.hpp>
#include <string>
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
