// Text as UTF-8: RFC 3629, section 4. Over-long forms, surrogates and what lies beyond U+10FFFF are
// no characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace core {

struct Utf8Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  // 0: there is no character here
};
// The character at the front.
Utf8Character first_character(std::string_view text);

// Characters from its first to its last byte.
bool is_utf8(std::string_view text);
// And none of them is NUL: what JSON, XML and unit files of systemd can hold.
bool is_utf8_without_nul(std::string_view text);

}  // namespace core
