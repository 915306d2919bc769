// The program's own log: lines on standard error, never on standard output.
#pragma once

#include <string_view>

namespace server {

// Thread-safe. The logger is made on the first line that is written.
void log_warning(std::string_view text);
void log_error(std::string_view text);

}  // namespace server
