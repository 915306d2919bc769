#include "server/base/printable.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace server {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

// The character at the front, as UTF-8; over-long forms and surrogates are none.
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes > text.size()) return {};
  std::uint32_t code = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kLeast[bytes] || code > 0x10ffff || surrogate) return {};
  return {code, bytes, true};
}

bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

// https://www.unicode.org/reports/tr9/: marks, embeddings, overrides and isolates; and the line and
// paragraph separators.
bool turns_or_breaks(std::uint32_t code) {
  return code == 0x61c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::string spell(std::string_view text, bool lines) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_of(text);
    const bool plain = lines && (character.code == '\n' || character.code == '\t');
    std::array<char, 16> spelled{};
    if (!character.valid || (is_control(character.code) && !plain)) {
      const auto code =
          character.valid ? character.code : static_cast<std::uint32_t>(text[0]) & 0xffU;
      std::snprintf(spelled.data(), spelled.size(), "\\x%02x", code);
    } else if (turns_or_breaks(character.code)) {
      std::snprintf(spelled.data(), spelled.size(), "\\u{%04x}", character.code);
    }
    if (spelled[0] != 0) {
      result += spelled.data();
    } else {
      result += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  return spell(text, /*lines=*/true);
}

std::string printable_line(std::string_view text) {
  return spell(text, /*lines=*/false);
}

void print_error(std::string_view text) {
  std::fprintf(stderr, "%s\n", printable(text).c_str());
}

}  // namespace server
