// Bounds on a JSON text, looked at before it is parsed: what comes from a client, or lies in a
// destination, may be made to cost a parser hours or all its memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace core {

struct JsonLimits {
  std::size_t depth = 0;    // of arrays and objects in each other
  std::size_t members = 0;  // of all objects together
  std::size_t values = 0;   // likewise, with the elements of arrays
};

// "nested deeper than 64 levels" and the like; empty for a text within the limits. One pass without
// memory of its own; says nothing about whether it is JSON.
std::string beyond_limits(std::string_view text, const JsonLimits& limits);

}  // namespace core
