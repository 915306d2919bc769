#include "core/base/base64.h"

#include <cstdint>

namespace core {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// `text` without padding.
std::optional<std::string> decode(std::string_view text, std::string_view alphabet) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFFFU;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count & 0xFFU));
    }
  }
  // The bits that fill up the last character must be zero, or two texts would mean the same.
  if ((bits & ((1U << count) - 1U)) != 0) return std::nullopt;
  return bytes;
}

std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xFFFFFFU;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text.push_back(alphabet[bits >> count & 63U]);
    }
  }
  if (count > 0) text.push_back(alphabet[bits << (6 - count) & 63U]);
  return text;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text = encode(bytes, kStandard);
  while (text.size() % 4 != 0) text.push_back('=');
  return text;
}

std::string base64url(std::string_view bytes) {
  return encode(bytes, kUrl);
}

std::optional<std::string> from_base64url(std::string_view text) {
  return decode(text, kUrl);
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  return decode(text.substr(0, text.size() - padding), kStandard);
}

}  // namespace core
