// File names against patterns of * and ?.
#pragma once

#include <string_view>

namespace core {

// True when `name` fits a pattern of * and ? (any bytes, case counts). Pure.
bool fits_pattern(std::string_view name, std::string_view pattern);

}  // namespace core
