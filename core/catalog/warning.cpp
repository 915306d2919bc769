// Warnings as values, and as lines of history.db.
#include "core/catalog/warning.h"

#include <algorithm>
#include <array>

namespace core {
namespace {

struct StoredKind {
  WarningKind kind;
  std::string_view name;
  std::string_view beginning;  // by which earlier versions tell it
};
// Names and beginnings stand in people's histories: they stay as they are, however a warning is
// worded today. The last is for all that fits no other.
constexpr std::array<StoredKind, 5> kStoredKinds{{
    {WarningKind::shrunk, "shrunk", "The database has lost most of its content"},
    {WarningKind::ping, "ping", "ping_url"},
    {WarningKind::on_failure, "on_failure", "on_failure"},
    {WarningKind::gone, "gone", "\x1f"},  // no earlier version knows it
    {WarningKind::other, "other", ""},
}};

Warning decode_line(std::string_view line) {
  const std::size_t mark = line.rfind(kKindMark);
  const auto stored =
      std::find_if(kStoredKinds.begin(), kStoredKinds.end() - 1, [&](const StoredKind& one) {
        return mark == line.npos ? line.starts_with(one.beginning)
                                 : line.substr(mark + 1) == one.name;
      });
  return {std::string(line.substr(0, mark)), stored->kind};
}

std::string encode_line(Warning warning) {
  std::replace(warning.text.begin(), warning.text.end(), '\n', ' ');
  if (decode_line(warning.text) == warning) return warning.text;
  const auto stored = std::find_if(kStoredKinds.begin(), kStoredKinds.end() - 1,
                                   [&](const StoredKind& one) { return one.kind == warning.kind; });
  return warning.text + kKindMark + std::string(stored->name);
}

}  // namespace

bool warns_of(const std::vector<Warning>& warnings, WarningKind kind) {
  return std::any_of(warnings.begin(), warnings.end(),
                     [&](const Warning& warning) { return warning.kind == kind; });
}

std::vector<std::string> texts_of(const std::vector<Warning>& warnings) {
  std::vector<std::string> texts;
  texts.reserve(warnings.size());
  for (const Warning& warning : warnings) texts.push_back(warning.text);
  return texts;
}

std::string encode_warnings(const std::vector<Warning>& warnings) {
  std::string lines;
  for (const Warning& warning : warnings) {
    lines += (lines.empty() ? "" : "\n") + encode_line(warning);
  }
  return lines;
}

std::vector<Warning> decode_warnings(std::string_view lines) {
  std::vector<Warning> warnings;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (!line.empty()) warnings.push_back(decode_line(line));
  }
  return warnings;
}

}  // namespace core
