#include "core/discovery/location.h"

#include <array>

#include "core/base/glob.h"
#include "core/base/paths.h"

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

}  // namespace

std::string cloud_service_of(const fs::path& path) {
  std::string service;
  for (const fs::path& folder : path.parent_path()) {
    for (const CloudFolder& cloud : kCloudFolders) {
      // The innermost name says most: CloudStorage/Dropbox is Dropbox.
      if (fits_pattern(text_of(folder), cloud.pattern)) service = cloud.service;
    }
  }
  return service;
}

}  // namespace core
