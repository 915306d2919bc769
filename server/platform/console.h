// The person at the terminal that a program was started from, if there is one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "server/platform/event.h"

namespace server {

// Has the standard streams carry bytes as they are, and a terminal show UTF-8. Call it once, before
// anything is read or written.
void prepare_streams();

// Whether somebody types standard input, or sees standard error (and what it is told by escape
// sequences).
bool input_is_terminal();
bool error_is_terminal();
// The same of standard output, and how many characters fit on its line; 0: it is no terminal.
std::size_t output_columns();

// One line of standard input, without its end, waited for without a bound; nothing at the end of
// input and once `stop` is set.
std::optional<std::string> read_line(const Event* stop);

}  // namespace server
