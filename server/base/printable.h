// Text for people's terminals: names of files, tables and machines may be anybody's, and must not
// steer a terminal or pass for a line of ours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace server {

// The text with everything that could steer a terminal spelled out: control characters but tab and
// line feed (C0, DEL, C1) and bytes that are no UTF-8 as \xNN, characters that turn the direction
// of text or break a line as \u{202e}.
std::string printable(std::string_view text);
// The same for a text that is one cell of a table or the name of something: without tabs and lines.
std::string printable_line(std::string_view text);
// Characters, not bytes: what a terminal shows of UTF-8 text.
std::size_t width_of(std::string_view text);
// One text and a line feed on standard error, printable.
void print_error(std::string_view text);
// The same, and the exit code of a call that was not understood.
int usage_error(std::string_view text);
// "busy: … \nNext step: …": an error as models and people read it.
std::string error_text(const core::Error& error);
// That text on standard error, printable, and the exit code of that kind of error.
int report(const core::Error& error);

}  // namespace server
