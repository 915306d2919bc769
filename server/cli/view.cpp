#include "server/cli/view.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "core/base/paths.h"
#include "core/platform/clock.h"
#include "server/base/exit_codes.h"
#include "server/base/printable.h"
#include "server/cli/help.h"
#include "server/platform/console.h"

namespace server {
namespace {

constexpr std::size_t kInstantBytes = 20;  // "2026-11-28T03:07:00Z"
constexpr const char* kBold = "\x1b[1m";
constexpr const char* kReset = "\x1b[0m";

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::good:
      return "\x1b[32m";
    case Colour::care:
      return "\x1b[33m";
    case Colour::bad:
      break;
  }
  return "\x1b[1;31m";
}

bool begins_word(const std::string& text, std::size_t at) {
  return at == 0 || text[at - 1] == ' ' || text[at - 1] == '\n' || text[at - 1] == '(';
}

std::string offset_text(std::chrono::minutes offset) {
  const auto minutes = std::abs(offset.count());
  const auto two = [](long long number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  return (offset.count() < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60);
}

std::chrono::minutes offset_at(core::Instant instant) {
  const auto second = std::chrono::floor<std::chrono::seconds>(instant);
  return std::chrono::duration_cast<std::chrono::minutes>(core::wall_time(second) - second);
}

std::string local_time(core::Instant instant, core::Instant now) {
  constexpr std::size_t kDay = 10, kMinute = 16;
  std::string text = core::format_instant(core::wall_time(instant)).substr(0, kMinute);
  text[kDay] = ' ';
  const auto offset = offset_at(instant);
  return offset == offset_at(now) ? text : text + " (" + offset_text(offset) + ")";
}

std::string with_short_home(const std::string& text, const std::string& home) {
  if (home.size() < 2) return text;
  std::string shown;
  std::size_t done = 0;
  for (std::size_t at = text.find(home); at != std::string::npos; at = text.find(home, at + 1)) {
    const std::size_t end = at + home.size();
    const bool ends = end == text.size() || text[end] == '/' || text[end] == '\\' ||
                      text[end] == ' ' || text[end] == '\n';
    if (!ends || !begins_word(text, at)) continue;
    shown += text.substr(done, at - done) + "~";
    done = end;
  }
  return shown + text.substr(done);
}

// "TAKEN  AGE  ROWS": capitals, in more than one column.
bool is_head(const std::string& line) {
  return line.find("  ") != std::string::npos && line.front() != ' ' &&
         std::all_of(line.begin(), line.end(),
                     [](unsigned char c) { return c == ' ' || std::isupper(c) != 0; });
}

std::string painted(const std::string& line, const std::vector<Paint>& paints) {
  if (line.empty()) return line;
  if (is_head(line)) return kBold + line + kReset;
  for (const Paint& paint : paints) {
    const std::size_t end = paint.word.size();
    if (!line.starts_with(paint.word)) continue;
    if (end < line.size() && std::isalnum(static_cast<unsigned char>(line[end])) != 0) continue;
    return code_of(paint.colour) + paint.word + kReset + line.substr(end);
  }
  return line;
}

bool may_be_folded(const std::string& line) {
  return line.front() != ' ' && line.find("  ") == std::string::npos;
}

}  // namespace

View view_of_output(const core::Env& env) {
  View view;
  view.width = output_columns();
  view.now = env.clock.now();
  if (view.width == 0) return view;
  view.home = core::text_of(env.places.home);
  const auto variable = [&env](const char* name) {
    const auto found = env.places.variables.find(name);
    return found == env.places.variables.end() ? std::string() : found->second;
  };
  view.colour = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  return view;
}

std::string with_local_times(const std::string& text, core::Instant now) {
  std::string shown;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = at + kInstantBytes;
    const bool may_be =
        end <= text.size() && text[end - 1] == 'Z' && text[at + 10] == 'T' && begins_word(text, at);
    const auto instant = may_be
                             ? core::parse_instant(std::string_view(text).substr(at, kInstantBytes))
                             : std::nullopt;
    shown += instant ? local_time(*instant, now) : text.substr(at, 1);
    at = instant ? end : at + 1;
  }
  return shown;
}

std::string as_seen(const std::string& text, const View& view) {
  return with_short_home(with_local_times(text, view.now), view.home);
}

std::string laid_out(const std::string& text, const View& view, const std::vector<Paint>& paints) {
  if (view.width == 0) return text;
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (width_of(line) > view.width && may_be_folded(line)) line = folded(line, view.width, 2);
    shown += (view.colour ? painted(line, paints) : line) + (end < text.size() ? "\n" : "");
    at = end + 1;
  }
  return shown;
}

void tell(const std::string& text, const View& view) {
  View here = view;
  if (!error_is_terminal()) here.width = 0;
  std::vector<Paint> paints = {{"Next step:", Colour::good}};
  for (const auto& [code, exit] : kExitCodes) {
    paints.push_back({std::string(core::to_string(code)) + ":", Colour::bad});
  }
  std::fputs((laid_out(printable(as_seen(text, view)), here, paints) + "\n").c_str(), stderr);
}

}  // namespace server
