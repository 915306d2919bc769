#include "server/base/printable.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "core/base/utf8.h"
#include "server/base/exit_codes.h"

namespace server {
namespace {

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
    const core::Utf8Character character = core::first_character(text);
    const bool valid = character.bytes > 0;
    const bool plain = lines && (character.code == '\n' || character.code == '\t');
    std::array<char, 16> spelled{};
    if (!valid || (is_control(character.code) && !plain)) {
      const auto code = valid ? character.code : static_cast<std::uint32_t>(text[0]) & 0xffU;
      std::snprintf(spelled.data(), spelled.size(), "\\x%02x", code);
    } else if (turns_or_breaks(character.code)) {
      std::snprintf(spelled.data(), spelled.size(), "\\u{%04x}", character.code);
    }
    if (spelled[0] != 0) {
      result += spelled.data();
    } else {
      result += text.substr(0, character.bytes);
    }
    text.remove_prefix(valid ? character.bytes : 1);
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

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

void print_error(std::string_view text) {
  std::fprintf(stderr, "%s\n", printable(text).c_str());
}

int usage_error(std::string_view text) {
  print_error(text);
  return kExitUsage;
}

std::string error_text(const core::Error& error) {
  std::string text = std::string(core::to_string(error.code)) + ": " + error.message;
  if (!error.hint.empty()) text += "\nNext step: " + error.hint;
  return text;
}

int report(const core::Error& error) {
  print_error(error_text(error));
  return exit_code(error.code);
}

}  // namespace server
