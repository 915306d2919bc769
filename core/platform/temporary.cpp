// The names of temporary files.
#include "core/platform/temporary.h"

#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/platform/secrets.h"

namespace core {
namespace {

constexpr std::string_view kPrefix = ".~";
constexpr std::string_view kSuffix = ".tmp";
constexpr std::size_t kRandomDigits = 16;

}  // namespace

fs::path temporary_path_of(const fs::path& file) {
  std::string name(kPrefix);
  name += text_of(file.filename()) + "." + hex_of(random_bytes(kRandomDigits / 2));
  name += kSuffix;
  return file.parent_path() / path_of(name);
}

std::optional<std::string> name_of_temporary(std::string_view file_name) {
  if (!file_name.starts_with(kPrefix) || !file_name.ends_with(kSuffix)) return std::nullopt;
  file_name.remove_prefix(kPrefix.size());
  if (file_name.size() < kSuffix.size()) return std::nullopt;
  file_name.remove_suffix(kSuffix.size());
  const std::size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  const std::string_view random = file_name.substr(dot + 1);
  if (random.size() != kRandomDigits ||
      random.find_first_not_of(kHexDigits) != std::string_view::npos) {
    return std::nullopt;
  }
  return std::string(file_name.substr(0, dot));
}

}  // namespace core
