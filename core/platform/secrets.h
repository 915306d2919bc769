// What secrets are made and checked with.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace core {

// From the system's generator; `count` is at most 256. Ends the process where there is none.
std::string random_bytes(std::size_t count);
// 128 random bits in base64url: a name, or a password, that nobody guesses.
std::string random_id();

// RFC 2104 over SHA-256: 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// Compares in time that depends on the lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace core
