// The YAML of a skill's frontmatter as JSON.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/mcp/skills.h"

namespace server {
namespace {

struct Line {
  std::size_t indent = 0;
  std::string text;  // without indent and trailing white space
  bool blank() const { return text.empty(); }
};

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

std::vector<Line> frontmatter_lines(std::string_view markdown) {
  std::vector<Line> lines;
  bool inside = false;
  while (!markdown.empty()) {
    const std::size_t end = markdown.find('\n');
    const std::string_view raw = markdown.substr(0, end);
    markdown = end == std::string_view::npos ? std::string_view() : markdown.substr(end + 1);
    const std::string text = trimmed(raw);
    if (text == "---") {
      if (inside) return lines;
      inside = true;
    } else if (!inside) {
      return {};
    } else {
      const std::size_t indent = raw.find_first_not_of(' ');
      lines.push_back({indent == std::string_view::npos ? 0 : indent, text});
    }
  }
  return {};  // the closing line is missing
}

std::string unquoted(std::string_view text, char quote) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote == '\'' && text[i] == '\'' && i + 1 < text.size()) ++i;
    if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      value += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
      continue;
    }
    value += text[i];
  }
  return value;
}

Json plain_scalar(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  if (text.empty() || text == "null" || text == "~") return nullptr;
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto read = std::from_chars(text.data(), end, integer);
      read.ec == std::errc() && read.ptr == end) {
    return integer;
  }
  double number = 0;
  if (const auto read = std::from_chars(text.data(), end, number);
      read.ec == std::errc() && read.ptr == end &&
      std::isdigit(static_cast<unsigned char>(text.back())) != 0) {
    return number;
  }
  return text;
}

Json scalar(std::string text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    return unquoted(std::string_view(text).substr(1, text.size() - 2), text.front());
  }
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    Json list = Json::array();
    std::string rest = text.substr(1, text.size() - 2);
    while (!trimmed(rest).empty()) {
      const std::size_t comma = rest.find(',');
      list.push_back(scalar(trimmed(rest.substr(0, comma))));
      rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    }
    return list;
  }
  if (const std::size_t comment = text.find(" #"); comment != std::string::npos) {
    text = trimmed(text.substr(0, comment));
  }
  return plain_scalar(text);
}

class FrontmatterParser {
 public:
  explicit FrontmatterParser(std::vector<Line> lines) : lines_(std::move(lines)) {}

  // The map or list whose entries stand at exactly `indent`.
  Json block(std::size_t indent) {
    skip_blank();
    if (at_ < lines_.size() && lines_[at_].text.starts_with("- ")) return list(indent);
    Json map = Json::object();
    for (skip_blank(); at_ < lines_.size() && lines_[at_].indent == indent; skip_blank()) {
      const std::string& text = lines_[at_].text;
      const std::size_t colon = text.find(':');
      if (colon == std::string::npos) break;
      const std::string key = trimmed(text.substr(0, colon));
      const std::string rest = trimmed(text.substr(colon + 1));
      ++at_;
      map[key] = value(rest, indent);
    }
    return map;
  }

 private:
  void skip_blank() {
    while (at_ < lines_.size() && (lines_[at_].blank() || lines_[at_].text.front() == '#')) ++at_;
  }

  Json list(std::size_t indent) {
    Json items = Json::array();
    for (skip_blank();
         at_ < lines_.size() && lines_[at_].indent == indent && lines_[at_].text.starts_with("- ");
         skip_blank()) {
      items.push_back(scalar(trimmed(lines_[at_].text.substr(2))));
      ++at_;
    }
    return items;
  }

  Json value(const std::string& rest, std::size_t indent) {
    if (!rest.empty() && (rest.front() == '>' || rest.front() == '|')) {
      return block_text(rest.front() == '>', rest.ends_with('-'), indent);
    }
    skip_blank();
    const bool deeper = at_ < lines_.size() && lines_[at_].indent > indent;
    if (rest.empty()) {
      const bool list_here =
          at_ < lines_.size() && lines_[at_].indent == indent && lines_[at_].text.starts_with("- ");
      return deeper || list_here ? block(lines_[at_].indent) : Json(nullptr);
    }
    std::string text = rest;
    // A plain scalar goes on over deeper lines.
    for (; at_ < lines_.size() && lines_[at_].indent > indent && !lines_[at_].blank(); ++at_) {
      text += ' ' + lines_[at_].text;
    }
    return scalar(std::move(text));
  }

  std::string block_text(bool folded, bool strip, std::size_t indent) {
    std::string text;
    std::optional<std::size_t> base;
    for (; at_ < lines_.size() && (lines_[at_].blank() || lines_[at_].indent > indent); ++at_) {
      const Line& line = lines_[at_];
      if (!base && !line.blank()) base = line.indent;
      if (line.blank()) {
        text += '\n';
        continue;
      }
      if (folded && !text.empty() && text.back() != '\n') text += ' ';
      text += std::string(line.indent - std::min(line.indent, base.value_or(0)), ' ') + line.text;
      if (!folded) text += '\n';
    }
    while (text.ends_with('\n')) text.pop_back();
    return strip ? text : text + '\n';
  }

  std::vector<Line> lines_;
  std::size_t at_ = 0;
};

}  // namespace

Json parse_frontmatter(std::string_view markdown) {
  return FrontmatterParser(frontmatter_lines(markdown)).block(0);
}

}  // namespace server
