// What a run warns of: a text, and its kind where somebody asks for that. And the form in which
// history.db keeps it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace core {

enum class WarningKind {
  other,
  shrunk,      // the database has lost most of its rows or bytes (loss.h)
  ping,        // ping_url was not reached
  on_failure,  // the on_failure command went wrong
  gone,        // a database below a schedule's folder is there no more
};

struct Warning {
  // Not explicit: most are a text and no more.
  Warning(std::string what, WarningKind which = WarningKind::other)
      : text(std::move(what)), kind(which) {}
  bool operator==(const Warning&) const = default;

  std::string text;
  WarningKind kind;
};

bool warns_of(const std::vector<Warning>& warnings, WarningKind kind);
std::vector<std::string> texts_of(const std::vector<Warning>& warnings);

// The stored form: a line each, of which earlier versions take the kind from how it begins. Where
// the beginning says another kind, or may be taken for one, the kind's name follows after a
// kKindMark. A line break in a text becomes a blank. A kind of a later version counts as `other`.
std::string encode_warnings(const std::vector<Warning>& warnings);
std::vector<Warning> decode_warnings(std::string_view lines);
inline constexpr char kKindMark = '\x1f';  // ASCII's unit separator

}  // namespace core
