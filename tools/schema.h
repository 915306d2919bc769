// The embedded schema texts by tool.
#pragma once

#include <string_view>

namespace tools {

// The text of schemas/<name>.json; asserts that there is one, as the build put it there.
std::string_view schema_of(std::string_view name);

}  // namespace tools
