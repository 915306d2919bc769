// Turns a path or name into text that a scheduler's file format hands on unchanged. Pure.
//
// Each rule was proven by a round trip through the real scheduler or the format's parser
// (tests/schedulers, tests/core/schedule/quoting_test.cpp). What a format cannot carry is refused
// (ErrorCode::invalid_argument), never altered.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace core {

// Holds a line feed or carriage return.
bool has_line_break(std::string_view text);

// One argument of ExecStart=, quoted. Any bytes but NUL, also line breaks and invalid UTF-8.
// systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting".
Expected<std::string> systemd_argument(std::string_view argument);
// A whole ExecStart= value. A program path with a quote, backslash or control character goes
// through /usr/bin/env: systemd refuses these in the path of an executable, escaped or not.
Expected<std::string> systemd_command(const std::vector<std::string>& argv);

// One word of a crontab command, for /bin/sh as Debian's cron and cronie both hand it on. A `%`
// and a backslash are spelled through printf: cron would cut the line at the first, and the two
// disagree on the second. crontab(5).
Expected<std::string> crontab_word(std::string_view word);

// One argument as CommandLineToArgvW takes command lines apart.
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
Expected<std::string> windows_argument(std::string_view argument);
Expected<std::string> windows_arguments(const std::vector<std::string>& arguments);

// Character data of an XML document (plist, task definition): tab and line breaks as references,
// other control characters and invalid UTF-8 refused. https://www.w3.org/TR/xml/#charsets
Expected<std::string> xml_text(std::string_view text);

// UTF-16, little-endian, with a byte order mark, as the Task Scheduler wants its files.
Expected<std::string> utf16le_with_bom(std::string_view utf8);

}  // namespace core
