#include "tools/schema.h"

#include <algorithm>
#include <cassert>
#include <cctype>

#include "embedded.h"

namespace tools {

std::string_view schema_of(std::string_view name) {
  const auto files = embedded::embedded_schemas();
  const std::string wanted = std::string(name) + ".json";
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const embedded::File& file) { return file.name == wanted; });
  assert(found != files.end());
  return found == files.end() ? std::string_view{} : found->text;
}

std::string snapshot_uri(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~/";
  std::string uri = "backup://";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      uri += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return uri;
}

}  // namespace tools
