#include "core/platform/ownership.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/paths.h"
#ifdef __linux__
#include <sys/xattr.h>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "core/base/shell_word.h"
#include "core/platform/descriptor.h"
#include "core/platform/folder.h"

namespace core {
namespace {

constexpr mode_t kPermissions = 0777;

// A temporary file of ours, opened; others may be let into its folder. Nothing for what is not a
// file with one name: somebody put it there, and would have us give away another file.
Descriptor open_own(const fs::path& path) {
  const auto folder = Folder::of(path);
  if (!folder) return {};
  Descriptor file(::openat(folder->descriptor(), path.filename().c_str(),
                           O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  const bool ours =
      file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink <= 1;
  return ours ? std::move(file) : Descriptor();
}

std::string owners(uid_t user, gid_t group) {
  return "user " + std::to_string(user) + ", group " + std::to_string(group);
}

#ifdef __linux__

constexpr std::size_t kMaxAttributeBytes = 64 * 1024;  // of the list and of each value: xattr(7)

// What speaks of the bytes (signatures), grants rights to programs, or is the file system's own.
bool is_kept_attribute(const std::string& name) {
  constexpr std::array kOther{"security.ima", "security.evm", "security.capability"};
  return !name.starts_with("trusted.") &&
         std::none_of(kOther.begin(), kOther.end(),
                      [&](const char* other) { return name == other; });
}

std::vector<std::string> attributes_of(const fs::path& path) {
  std::vector<std::string> names;
  std::string list(kMaxAttributeBytes, '\0');
  const ssize_t bytes = ::llistxattr(path.c_str(), list.data(), list.size());
  if (bytes <= 0) return names;  // none, or the file system has none at all
  list.resize(static_cast<std::size_t>(bytes));
  for (std::size_t at = 0; at < list.size();) {
    const std::string name = list.c_str() + at;
    at += name.size() + 1;
    if (!name.empty() && is_kept_attribute(name)) names.push_back(name);
  }
  return names;
}

bool copy_attribute(int fd, const fs::path& like, const std::string& name) {
  std::string value(kMaxAttributeBytes, '\0');
  const ssize_t bytes = ::lgetxattr(like.c_str(), name.c_str(), value.data(), value.size());
  if (bytes < 0) return errno == ENODATA;
  value.resize(static_cast<std::size_t>(bytes));
  // The system may have given the new file the same one, and deny setting it: a security label.
  std::string now(kMaxAttributeBytes, '\0');
  const ssize_t has = ::fgetxattr(fd, name.c_str(), now.data(), now.size());
  if (has == bytes && now.compare(0, value.size(), value) == 0) return true;
  return ::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0;
}

// The folder may have given the new file rights that the old one never had.
void drop_inherited_acl(int fd) {
  (void)!::fremovexattr(fd, "system.posix_acl_access");
}

// The names of those that could not be kept.
std::string copy_attributes(int fd, const fs::path& like, bool same_owners) {
  std::string lost;
  for (const std::string& name : attributes_of(like)) {
    // Its entries for owner and group would be for other ones.
    const bool about_owners = name.starts_with("system.");
    if ((same_owners || !about_owners) && copy_attribute(fd, like, name)) continue;
    lost += (lost.empty() ? "" : ", ") + name;
  }
  return lost;
}

#else

void drop_inherited_acl(int) {}

std::string copy_attributes(int, const fs::path&, bool) {
  return "";
}

#endif

std::string cannot_open_warning(const fs::path& target, const struct stat& folder, uid_t owner) {
  return text_of(target) + " belongs to user " + std::to_string(owner) +
         " and no other user can open it, but its folder belongs to user " +
         std::to_string(folder.st_uid) +
         ". If the database is that user's, hand it over as root: " +
         shell_command({"chown", "--reference=" + text_of(target.parent_path()), text_of(target)});
}

}  // namespace

std::vector<std::string> take_after(const fs::path& file, const fs::path& like) {
  struct stat wanted {};
  const auto beside = Folder::of(like);
  const std::string name = text_of(like.filename());
  if (!beside || ::fstatat(beside->descriptor(), name.c_str(), &wanted, AT_SYMLINK_NOFOLLOW) != 0) {
    return {};
  }
  const Descriptor own = open_own(file);
  struct stat made {};
  if (!own || ::fstat(own.get(), &made) != 0) {
    return {"Owner and permissions of " + text_of(like) + " could not be kept: it is readable to " +
            "the user who restored it alone."};
  }
  std::vector<std::string> warnings;
  // Only root may give files away; a group may be any of the user's own.
  if (::fchown(own.get(), wanted.st_uid, wanted.st_gid) != 0) {
    (void)!::fchown(own.get(), static_cast<uid_t>(-1), wanted.st_gid);
  }
  (void)::fstat(own.get(), &made);
  const bool same_owners = made.st_uid == wanted.st_uid && made.st_gid == wanted.st_gid;
  // What the group may must not become another group's right.
  const mode_t mode = wanted.st_mode & (same_owners ? kPermissions : 0700U);
  drop_inherited_acl(own.get());
  const std::string lost = copy_attributes(own.get(), beside->way_to(name), same_owners);
  (void)!::fchmod(own.get(), mode);
  (void)::fstat(own.get(), &made);
  if (!same_owners) {
    warnings.push_back(text_of(like) + " belonged to " + owners(wanted.st_uid, wanted.st_gid) +
                       " (mode " + mode_text(wanted.st_mode & kPermissions) +
                       "); what comes in its place belongs to " + owners(made.st_uid, made.st_gid) +
                       " (mode " + mode_text(made.st_mode & kPermissions) +
                       "): only root can give it back.");
  } else if ((made.st_mode & kPermissions) != mode) {
    warnings.push_back("The permissions of " + text_of(like) + " could not be kept: " +
                       mode_text(mode) + " became " + mode_text(made.st_mode & kPermissions) + ".");
  }
  if (!lost.empty()) {
    warnings.push_back("Extended attributes of " + text_of(like) + " could not be kept: " + lost +
                       ".");
  }
  return warnings;
}

std::vector<std::string> take_after_folder(const fs::path& file, const fs::path& target) {
  const auto opened = Folder::of(target);
  struct stat folder {};
  if (opened && ::fstat(opened->descriptor(), &folder) == 0 && ::geteuid() == 0 &&
      folder.st_uid != 0) {
    const Descriptor own = open_own(file);
    if (own) (void)!::fchown(own.get(), folder.st_uid, folder.st_gid);
  }
  const auto warning = told_of_owner(file, target);
  return warning ? std::vector{*warning} : std::vector<std::string>();
}

std::optional<std::string> told_of_owner(const fs::path& file, const fs::path& target) {
  struct stat folder {
  }, made{};
  if (::stat(target.parent_path().c_str(), &folder) != 0) return std::nullopt;
  if (::lstat(file.c_str(), &made) != 0) return std::nullopt;
  if (folder.st_uid == made.st_uid || folder.st_uid == 0) return std::nullopt;
  return cannot_open_warning(target, folder, made.st_uid);
}

std::optional<std::string> open_to_others(const fs::path& file, const FileSystem& files) {
  const auto info = files.link_info(file);
  if (!info || (info->mode & 0077U) == 0) return std::nullopt;
  for (fs::path folder = file.parent_path(); !folder.empty(); folder = folder.parent_path()) {
    const auto above = files.info(folder);
    // As the folder in which desktops mount a user's disks.
    if (above && (above->mode & 0001U) == 0) return std::nullopt;
    if (folder == folder.root_path()) break;
  }
  return "The file system of " + text_of(file.parent_path()) +
         " does not keep permissions: others on this machine may be able to read the snapshots "
         "there (mode " +
         mode_text(info->mode & kPermissions) +
         "). Mounted with the option umask=077 it keeps them out.";
}

}  // namespace core
