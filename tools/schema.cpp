#include "tools/schema.h"

#include <algorithm>
#include <cassert>
#include <string>

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

}  // namespace tools
