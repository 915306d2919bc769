// What the place of a database says about its safety (declared in discover.h).
#include <algorithm>
#include <array>

#include "core/discover.h"
#include "core/mounts.h"
#include "core/paths.h"

namespace core {
namespace {

struct CloudFolder {
  const char* pattern;  // of one folder's name
  const char* service;
};

constexpr std::array kCloudFolders = {
    CloudFolder{"Dropbox", "Dropbox"},
    CloudFolder{"Dropbox (*)", "Dropbox"},
    CloudFolder{"OneDrive", "OneDrive"},
    CloudFolder{"OneDrive - *", "OneDrive"},
    CloudFolder{"OneDrive-*", "OneDrive"},
    CloudFolder{"Mobile Documents", "iCloud Drive"},
    CloudFolder{"iCloudDrive", "iCloud Drive"},
    CloudFolder{"iCloud Drive*", "iCloud Drive"},
    CloudFolder{"Google Drive", "Google Drive"},
    CloudFolder{"GoogleDrive*", "Google Drive"},
    CloudFolder{"My Drive", "Google Drive"},
    CloudFolder{"Nextcloud", "Nextcloud"},
    CloudFolder{"ownCloud", "ownCloud"},
    CloudFolder{"pCloudDrive", "pCloud"},
    CloudFolder{"pCloud Drive", "pCloud"},
    CloudFolder{"Box", "Box"},
    CloudFolder{"Box Sync", "Box"},
    CloudFolder{"MEGA", "MEGA"},
    CloudFolder{"MEGAsync", "MEGA"},
    CloudFolder{"Syncthing", "Syncthing"},
    CloudFolder{"CloudStorage", "a cloud service"},  // macOS: ~/Library/CloudStorage/<service>
};

// The next field of a line, fields being separated by one space.
std::string_view next_field(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

}  // namespace

std::string_view to_string(DatabaseKind kind) {
  switch (kind) {
    case DatabaseKind::global:
      return "global";
    case DatabaseKind::legacy_global:
      return "legacy global";
    case DatabaseKind::project:
      return "project";
    case DatabaseKind::other:
      return "other";
  }
  return "other";
}

std::string cloud_service_of(const fs::path& path) {
  std::string service;
  for (const fs::path& folder : path.parent_path()) {
    for (const CloudFolder& cloud : kCloudFolders) {
      // The innermost name says most: CloudStorage/Dropbox is Dropbox.
      if (fits_pattern(folder.native(), cloud.pattern)) service = cloud.service;
    }
  }
  return service;
}

std::string mount_type_of(const fs::path& path, std::string_view mounts) {
  std::string type;
  std::size_t longest = 0;
  while (!mounts.empty()) {
    const std::size_t end = std::min(mounts.find('\n'), mounts.size());
    std::string_view line = mounts.substr(0, end);
    mounts.remove_prefix(std::min(end + 1, mounts.size()));
    next_field(line);  // the device
    const std::string folder = unescape_mount(next_field(line));
    // Of two mounts on one folder the later one is seen.
    if (folder.empty() || folder.size() < longest || !is_inside(path, folder)) continue;
    longest = folder.size();
    type = next_field(line);
  }
  return type;
}

bool is_mount_point(const fs::path& path, std::string_view mounts) {
  while (!mounts.empty()) {
    const std::size_t end = std::min(mounts.find('\n'), mounts.size());
    std::string_view line = mounts.substr(0, end);
    mounts.remove_prefix(std::min(end + 1, mounts.size()));
    next_field(line);  // the device
    if (unescape_mount(next_field(line)) == path) return true;
  }
  return false;
}

bool fits_pattern(std::string_view name, std::string_view pattern) {
  // Goes on; at a mismatch lets the latest * take one more. No worse than |name| * |pattern|.
  std::size_t n = 0, p = 0, star = std::string_view::npos, retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace core
