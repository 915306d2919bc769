#include "core/catalog/name_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "core/platform/mounts.h"
#include "core/platform/room.h"
#include "core/platform/sha256.h"
#include "core/platform/temporary.h"

namespace core {
namespace {

constexpr std::string_view kNotOnWindows = "?*:\"<>|\\";
constexpr std::size_t kHashDigits = 8;
constexpr std::size_t kUsualMaxBytes = 255;
constexpr std::size_t kMinStemBytes = 16;  // whatever a file system says
constexpr std::string_view kLongestKeptMark = "-before-loss-100";

constexpr std::array<std::string_view, 5> kWindowsTypes{"vfat", "msdos", "exfat", "ntfs", "ntfs3"};

// Whatever the file system is.
#ifdef _WIN32
constexpr bool kOnWindows = true;
#else
constexpr bool kOnWindows = false;
#endif

bool is_forbidden(char c) {
  return kNotOnWindows.find(c) != std::string_view::npos || static_cast<unsigned char>(c) < 0x20;
}

// What is added to a stem at most: a kept snapshot's manifest while it is written.
std::size_t added_bytes(bool by_hour) {
  SnapshotName name;
  name.stem = std::string(kLongestKeptMark);
  name.date = Date{std::chrono::sys_days{}};  // all have one length
  if (by_hour) name.time = std::chrono::minutes{0};
  const fs::path manifest = manifest_path_of(path_of(format_snapshot_name(name)));
  return text_of(temporary_path_of(manifest).filename()).size();
}

// No part of a character stays behind.
void cut(std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80) --bytes;
  text.resize(bytes);
}

// Windows takes the raised digits of Latin-1 for digits.
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file
bool is_port_number(std::string_view text) {
  if (text.size() == 1) return text[0] >= '1' && text[0] <= '9';
  return text == "\u00b9" || text == "\u00b2" || text == "\u00b3";
}

// CON, PRN, AUX, NUL, COM1 to COM9, LPT1 to LPT9, with any extension.
bool is_device(const std::string& name) {
  std::string base = name.substr(0, name.find('.'));
  std::transform(base.begin(), base.end(), base.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool numbered = (base.starts_with("com") || base.starts_with("lpt")) &&
                        is_port_number(std::string_view(base).substr(3));
  return numbered || base == "con" || base == "prn" || base == "aux" || base == "nul";
}

}  // namespace

NameRules name_rules_of(const fs::path& folder, const FileSystem& files) {
  NameRules rules;
  // FAT counts its 255 characters in the longest bytes they may have.
  rules.max_bytes = std::min(kUsualMaxBytes, longest_name_in(folder).value_or(kUsualMaxBytes));
  const auto mount = mount_of(folder, files);
  rules.windows = kOnWindows || (mount && std::find(kWindowsTypes.begin(), kWindowsTypes.end(),
                                                    mount->type) != kWindowsTypes.end());
  return rules;
}

std::string fitting_stem(const std::string& stem, const NameRules& rules, bool by_hour) {
  const std::size_t room =
      std::max(kMinStemBytes, rules.max_bytes - std::min(rules.max_bytes, added_bytes(by_hour)));
  std::string fitting = stem;
  if (rules.windows) std::replace_if(fitting.begin(), fitting.end(), is_forbidden, '_');
  if (fitting == stem && stem.size() <= room) return stem;
  cut(fitting, room - kHashDigits - 1);
  return fitting + "-" + sha256_of(stem).substr(0, kHashDigits);
}

Expected<> check_folder_fits(const std::string& name, const std::string& what,
                             const NameRules& rules) {
  if (!rules.windows || name.empty()) return {};
  const bool ends_badly = name.ends_with('.') || name.ends_with(' ');
  if (!ends_badly && !is_device(name) && std::none_of(name.begin(), name.end(), is_forbidden)) {
    return {};
  }
  return fail(ErrorCode::invalid_argument,
              "The " + what + " \"" + name +
                  "\" cannot name a folder on the destination's file system (FAT, exFAT or NTFS).",
              "Give a " + what +
                  " without ? * : \" < > |, that does not end in a dot or a space and is none of "
                  "Windows' device names (con, aux, nul, com1, …).");
}

}  // namespace core
