// UTF-8, told from what only looks like it.
#include "core/base/utf8.h"

#include <string>

#include "support/catch.h"

using core::first_character;
using core::is_utf8;

TEST_CASE("UTF-8 is told from what only looks like it") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("é日\xF0\x9F\x92\xBE"));
  CHECK(is_utf8(std::string_view("\0", 1)));
  for (const char* text : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
                           "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3",
                           "\xE2\x82", "\xF0\x9F\x92", "\xC3\x28", "\x80", "\xFF", "a\xFE"}) {
    CAPTURE(text);
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("The first and last characters of each length are characters") {
  const auto check = [](std::string_view text, std::uint32_t code) {
    CHECK(first_character(text).code == code);
    CHECK(first_character(text).bytes == text.size());
  };
  check("\x7F", 0x7F);
  check("\xC2\x80", 0x80);
  check("\xDF\xBF", 0x7FF);
  check("\xE0\xA0\x80", 0x800);
  check("\xED\x9F\xBF", 0xD7FF);
  check("\xEE\x80\x80", 0xE000);
  check("\xEF\xBF\xBF", 0xFFFF);
  check("\xF0\x90\x80\x80", 0x10000);
  check("\xF4\x8F\xBF\xBF", 0x10FFFF);
  CHECK(first_character("").bytes == 0);
  CHECK(first_character("ab").bytes == 1);
}
