// Digests, signatures, base64 and random bytes, by libcrypto and the system.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace server {

std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
// Compares in time that depends on the lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

std::string base64(std::string_view bytes);     // standard alphabet, padded
std::string base64url(std::string_view bytes);  // no padding
// Strict: only the alphabet, no padding, no stray bits.
std::optional<std::string> from_base64url(std::string_view text);
// Strict: the standard alphabet, padding required, no stray bits.
std::optional<std::string> from_base64(std::string_view text);

// From the system's generator; `count` is at most 256.
std::string random_bytes(std::size_t count);
// 128 random bits in base64url: an unguessable name.
std::string random_id();

}  // namespace server
