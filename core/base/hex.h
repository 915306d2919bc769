// Bytes as hexadecimal digits, in small letters.
#pragma once

#include <string>
#include <string_view>

namespace core {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

inline std::string hex_of(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

}  // namespace core
