// Base64: RFC 4648.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace core {

std::string base64(std::string_view bytes);     // standard alphabet, padded
std::string base64url(std::string_view bytes);  // no padding
// Strict: only the alphabet, no padding, no stray bits.
std::optional<std::string> from_base64url(std::string_view text);
// Strict: the standard alphabet, padding required, no stray bits.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace core
