// Bytes as hexadecimal digits, in small letters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace core {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

// http://www.isthe.com/chongo/tech/comp/fnv/
inline std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

// Six digits of it: enough to tell a user's few paths apart in names.
inline std::string short_hash(std::string_view text) {
  std::uint64_t hash = fnv1a(text);
  std::string digits;
  for (int i = 0; i < 6; ++i, hash >>= 4) digits += kHexDigits[hash & 15];
  return digits;
}

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
