#include "core/base/json_limits.h"

namespace core {

// Brackets, colons and commas inside strings do not count.
std::string beyond_limits(std::string_view text, const JsonLimits& limits) {
  std::size_t depth = 0, members = 0, values = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limits.depth) {
        return "nested deeper than " + std::to_string(limits.depth) + " levels";
      }
      ++values;
    } else if (c == ']' || c == '}') {
      depth -= depth > 0 ? 1 : 0;
    } else if (c == ':') {
      if (++members > limits.members) {
        return "more than " + std::to_string(limits.members) + " members of objects";
      }
    } else if (c == ',') {
      ++values;
    }
    if (values > limits.values) return "more than " + std::to_string(limits.values) + " values";
  }
  return "";
}

}  // namespace core
