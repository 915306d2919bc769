// How a result is shown to a person: times by their clock, `~` for their home, problems in colour.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/env.h"

namespace server {

struct View {
  std::size_t width = 0;  // of the terminal; 0: there is none, and nothing is folded
  bool colour = false;    // a terminal that has it, unless NO_COLOR or TERM=dumb forbid it
  std::string home;       // shown as ~; empty: paths stay, for other programs read them
  core::Instant now{};
};
// Of standard output.
View view_of_output(const core::Env& env);

enum class Colour { good, care, bad };
// A word that stands out where a line begins with it: "failing".
struct Paint {
  std::string word;
  Colour colour = Colour::bad;
};

// "2026-11-28T03:07:00Z" -> "2026-11-28 04:07", by the machine's time zone, and with the offset,
// " (+02:00)", where that is another one than now: across a change to daylight saving. Only what
// stands by itself, as in our own sentences: not in quotes or in a path.
std::string with_local_times(const std::string& text, core::Instant now);
// Both of these and the home, for a sentence.
std::string as_seen(const std::string& text, const View& view);
// The whole text: sentences folded to the width, heads of tables and problems in colour. The text
// must be printable already. Lines that are indented or parts of a table stay as they are.
std::string laid_out(const std::string& text, const View& view, const std::vector<Paint>& paints);
// Says it on standard error: as seen, and where that is a terminal folded, an error's code in
// colour.
void tell(const std::string& text, const View& view);

}  // namespace server
