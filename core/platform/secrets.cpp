// Names that nobody guesses; signatures and comparisons, over the system's SHA-256.
#include "core/platform/secrets.h"

#include <algorithm>
#include <array>

#include "core/base/base64.h"
#include "core/platform/sha256.h"

namespace core {
namespace {

constexpr std::size_t kBlockBytes = 64;  // of SHA-256

std::string raw_digest(std::string_view first, std::string_view second) {
  Sha256 digest;
  digest.update(first.data(), first.size());
  digest.update(second.data(), second.size());
  const auto raw = digest.finish_raw();
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

}  // namespace

std::string random_id() {
  return base64url(random_bytes(16));
}

// By RFC 2104, as not every system's library has it in its headers.
std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string padded = key.size() > kBlockBytes ? raw_digest(key, "") : std::string(key);
  padded.resize(kBlockBytes);
  const auto with_each = [&padded](unsigned char mask) {
    std::string mixed = padded;
    for (char& byte : mixed) byte = static_cast<char>(static_cast<unsigned char>(byte) ^ mask);
    return mixed;
  };
  return raw_digest(with_each(0x5c), raw_digest(with_each(0x36), bytes));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile unsigned char differing = 0;  // volatile: no compiler may end the loop early
  for (std::size_t i = 0; i < a.size(); ++i) {
    differing = static_cast<unsigned char>(differing | (a[i] ^ b[i]));
  }
  return differing == 0;
}

}  // namespace core
