#include "server/platform/console.h"

#include <fcntl.h>
#include <io.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "server/platform/windows/waiting.h"

namespace server {
namespace {

// Of one answer; the system gives no more of a line at once either.
constexpr DWORD kLineUnits = 8'192;  // of UTF-16

UINT code_page_before = 0;

bool is_console(DWORD which) {
  DWORD mode = 0;
  return ::GetConsoleMode(::GetStdHandle(which), &mode) != 0;
}

// The page belongs to the window, and so to whoever uses it after us.
void give_code_page_back() {
  ::SetConsoleOutputCP(code_page_before);
}

}  // namespace

void prepare_streams() {
  for (FILE* const file : {stdin, stdout, stderr}) ::_setmode(::_fileno(file), _O_BINARY);
  // What is no console would get its lines with the end of the process only.
  (void)std::setvbuf(stderr, nullptr, _IONBF, 0);
  bool any = false;
  for (const DWORD which : {STD_OUTPUT_HANDLE, STD_ERROR_HANDLE}) {
    DWORD mode = 0;
    const HANDLE handle = ::GetStdHandle(which);
    if (::GetConsoleMode(handle, &mode) == 0) continue;
    ::SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    any = true;
  }
  if (!any) return;
  code_page_before = ::GetConsoleOutputCP();
  if (code_page_before == CP_UTF8 || ::SetConsoleOutputCP(CP_UTF8) == 0) return;
  (void)std::atexit(give_code_page_back);
}

bool input_is_terminal() {
  return is_console(STD_INPUT_HANDLE);
}

bool error_is_terminal() {
  DWORD mode = 0;
  return ::GetConsoleMode(::GetStdHandle(STD_ERROR_HANDLE), &mode) != 0 &&
         (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

std::size_t output_columns() {
  const HANDLE output = ::GetStdHandle(STD_OUTPUT_HANDLE);
  DWORD mode = 0;
  CONSOLE_SCREEN_BUFFER_INFO info{};
  if (::GetConsoleMode(output, &mode) == 0 || ::GetConsoleScreenBufferInfo(output, &info) == 0 ||
      (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) == 0 || info.dwSize.X <= 0) {
    return 0;
  }
  return static_cast<std::size_t>(info.dwSize.X);
}

// Ctrl-C ends the read, and sets `stop` from a thread of the system's, perhaps a little later.
std::optional<std::string> read_line(const Event* stop) {
  std::string line;
  if (!input_is_terminal()) {
    if (!std::getline(std::cin, line)) return std::nullopt;
  } else {
    std::array<wchar_t, kLineUnits> units{};
    DWORD count = 0;
    if (::ReadConsoleW(::GetStdHandle(STD_INPUT_HANDLE), units.data(), kLineUnits, &count,
                       nullptr) == 0 ||
        count == 0) {
      return std::nullopt;
    }
    line = core::narrow({units.data(), count});
  }
  if (stop != nullptr && stop->is_set()) return std::nullopt;
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace server
