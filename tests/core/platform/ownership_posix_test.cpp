#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/platform/ownership.h"
#include "support/catch.h"
#include "support/forwarding_files.h"
#include "support/restore_scene.h"
#include "support/temp_folder.h"

namespace fs = std::filesystem;
using Catch::Contains;
using test::TempFolder;

namespace {

constexpr uid_t kOwner = 4711;
constexpr gid_t kGroup = 4712;
constexpr const char* kAcl = "system.posix_acl_access";
constexpr const char* kDefaultAcl = "system.posix_acl_default";

// acl(5) as the kernel keeps it: version 2, then tag, permissions and id of each entry.
std::string acl_for(std::uint32_t user) {
  std::string bytes{2, 0, 0, 0};
  const auto add = [&](std::uint8_t tag, std::uint8_t permissions, std::uint32_t id) {
    for (const std::uint32_t part : {std::uint32_t{tag}, std::uint32_t{permissions}}) {
      bytes += static_cast<char>(part);
      bytes += '\0';
    }
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(id >> shift);
  };
  constexpr std::uint32_t kNobody = 0xffffffff;
  add(0x01, 6, kNobody);  // the owner
  add(0x02, 4, user);
  add(0x04, 0, kNobody);  // the group
  add(0x10, 4, kNobody);  // the mask
  add(0x20, 0, kNobody);  // others
  return bytes;
}

bool set_attribute(const fs::path& path, const char* name, const std::string& value) {
  return ::lsetxattr(path.c_str(), name, value.data(), value.size(), 0) == 0;
}

std::string attribute(const fs::path& path, const char* name) {
  std::string value(1024, '\0');
  const ssize_t bytes = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  value.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  return value;
}

struct stat status_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

bool is_root() {
  if (::geteuid() == 0) return true;
  WARN("needs root: not tested here");
  return false;
}

// This process as another user, for what a user without rights meets.
class AsUser {
 public:
  explicit AsUser(uid_t user) { REQUIRE(::seteuid(user) == 0); }
  ~AsUser() { (void)!::seteuid(0); }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;
};

struct TwoFiles {
  TempFolder folder;
  fs::path like = folder / "live.db";
  fs::path file = folder / ".~live.db.0123456789abcdef.tmp";
  TwoFiles() {
    test::write_file(like, "old");
    test::write_file(file, "new");
    fs::permissions(file, fs::perms{0600});
    fs::permissions(like, fs::perms{0640});
  }
};

}  // namespace

TEST_CASE("What replaces a database keeps its permissions, ACL and attributes") {
  TwoFiles files;
  if (!set_attribute(files.like, "user.note", "kept") ||
      !set_attribute(files.like, kAcl, acl_for(4713))) {
    WARN("no extended attributes on this file system: not tested here");
    return;
  }
  CHECK(core::take_after(files.file, files.like).empty());
  CHECK(attribute(files.file, "user.note") == "kept");
  CHECK(attribute(files.file, kAcl) == attribute(files.like, kAcl));
  CHECK(status_of(files.file).st_mode == status_of(files.like).st_mode);
}

TEST_CASE("What replaces a database gets no rights that the old one did not give") {
  TwoFiles files;
  if (!set_attribute(files.folder.path(), kDefaultAcl, acl_for(4713))) {
    WARN("no ACLs on this file system: not tested here");
    return;
  }
  fs::remove(files.file);
  test::write_file(files.file, "new");
  REQUIRE_FALSE(attribute(files.file, kAcl).empty());
  CHECK(core::take_after(files.file, files.like).empty());
  CHECK(attribute(files.file, kAcl).empty());
  CHECK((status_of(files.file).st_mode & 0777U) == 0640);
}

TEST_CASE("What root restores belongs to whom it belonged before") {
  if (!is_root()) return;
  TwoFiles files;
  REQUIRE(::chown(files.like.c_str(), kOwner, kGroup) == 0);
  CHECK(core::take_after(files.file, files.like).empty());
  CHECK(status_of(files.file).st_uid == kOwner);
  CHECK(status_of(files.file).st_gid == kGroup);
  CHECK((status_of(files.file).st_mode & 0777U) == 0640);
}

TEST_CASE("A user who cannot give a database back is told so, and nobody else may read it") {
  if (!is_root()) return;
  TwoFiles files;
  REQUIRE(::chown(files.like.c_str(), kOwner, kGroup) == 0);
  REQUIRE(::chmod(files.folder.path().c_str(), 0755) == 0);
  REQUIRE(::chown(files.file.c_str(), 65534, 65534) == 0);
  const AsUser user(65534);
  const auto warnings = core::take_after(files.file, files.like);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("belonged to user 4711, group 4712 (mode 0640)"));
  CHECK_THAT(warnings[0], Contains("user 65534"));
  CHECK((status_of(files.file).st_mode & 0777U) == 0600);
}

TEST_CASE("A file that somebody gave a second name is not given away") {
  if (!is_root()) return;
  TwoFiles files;
  REQUIRE(::chown(files.like.c_str(), kOwner, kGroup) == 0);
  fs::create_hard_link(files.file, files.folder / "second");
  CHECK(core::take_after(files.file, files.like).size() == 1);
  CHECK(status_of(files.file).st_uid == 0);
}

TEST_CASE("A lost database that root brings back becomes its folder's owner's") {
  if (!is_root()) return;
  test::RestoreScene scene;
  const fs::path home = scene.live.parent_path();
  REQUIRE(::chown(home.c_str(), kOwner, kGroup) == 0);
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(scene.live.string() + suffix);
  const auto restored = scene.restore(scene.in_place());
  CHECK(restored.warnings.empty());
  CHECK(status_of(scene.live).st_uid == kOwner);
  CHECK(status_of(scene.live).st_gid == kGroup);
  CHECK((status_of(scene.live).st_mode & 0777U) == 0600);
}

TEST_CASE("A new file in another user's folder stays its maker's, with a warning") {
  if (!is_root()) return;
  test::RestoreScene scene;
  const fs::path target = scene.world / "home/new.db";
  REQUIRE(::chown(target.parent_path().c_str(), kOwner, kGroup) == 0);
  const auto restored = scene.restore({.snapshot = scene.snapshot, .target = target});
  REQUIRE(restored.warnings.size() == 1);
  CHECK_THAT(restored.warnings[0], Contains("its folder belongs to user 4711"));
  CHECK_THAT(restored.warnings[0], Contains("chown --reference="));
  CHECK(status_of(target).st_uid == 0);
}

TEST_CASE("What others may read is told, unless a folder above keeps them out") {
  class Modes final : public test::ForwardingFiles {
   public:
    std::uint32_t file = 0755, above = 0755;
    Expected<core::FileInfo> link_info(const Path&) const override { return of(file); }
    Expected<core::FileInfo> info(const Path& path) const override {
      return of(path == "/media/user" ? above : 0755);
    }

   private:
    static core::FileInfo of(std::uint32_t mode) {
      core::FileInfo info;
      info.mode = mode;
      return info;
    }
  };
  Modes files;
  const fs::path snapshot = "/media/user/disk/h/n-2026-11-23.db";
  const auto told = core::open_to_others(snapshot, files);
  REQUIRE(told);
  CHECK_THAT(*told, Contains("/media/user/disk/h") && Contains("0755"));
  files.above = 0750;
  CHECK_FALSE(core::open_to_others(snapshot, files));
  files.above = 0755;
  files.file = 0700;
  CHECK_FALSE(core::open_to_others(snapshot, files));
}
