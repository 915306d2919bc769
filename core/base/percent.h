// Percent encoding of URIs: RFC 3986, section 2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace core {

// As RFC 6570 expands a template's variable, and with slashes left alone, as a path.
std::string percent_encoded(std::string_view text);
// Nothing where a '%' has no two hex digits behind it.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace core
