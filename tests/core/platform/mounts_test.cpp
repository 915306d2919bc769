// What mountinfo tells of the mount that a file lies on.
#include "core/platform/mounts.h"

#include "support/catch.h"

namespace {

constexpr const char* kMounts =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
    "30 22 8:17 / /media/usb\\040stick ro,nosuid - vfat /dev/sdb1 ro,utf8\n"
    "31 22 0:40 / /mnt/server ro - nfs4 server:/x ro,vers=4.2\n"
    "32 22 8:1 /data /data ro,relatime - ext4 /dev/sda1 rw,errors=remount-ro\n"
    "33 22 8:1 /host/app.db /app/app.db rw - ext4 /dev/sda1 rw\n"
    "34 22 11:0 / /media/disc ro shared:2 master:1 - iso9660 /dev/sr0 ro\n"
    "35 22 0:50 / /media/disc rw - tmpfs tmpfs rw\n"
    "36 22 0:51 / /run/nameless rw -  tmpfs ro\n"
    "37 22 0:52 / /run/deviceless rw - tmpfs  ro\n"
    "no mount\n"
    "38 22 0:53 / /cut/short rw -";

core::Mount mount(const char* path) {
  const auto found = core::mount_of(path, std::string_view(kMounts));
  REQUIRE(found);
  return *found;
}

TEST_CASE("The innermost mount holds a path, and of two on one folder the later one") {
  CHECK(mount("/home/u/x.db").point == "/");
  CHECK(mount("/media/usb stick/x.db").type == "vfat");
  CHECK(mount("/media/disc/x.db").type == "tmpfs");
  CHECK(mount("/app/app.db").point == "/app/app.db");
  CHECK(mount("/app/other.db").point == "/");
  CHECK_FALSE(core::mount_of("/x.db", std::string_view()));
}

TEST_CASE("Only a local file system that is read-only itself is never written") {
  CHECK(mount("/media/usb stick/x.db").never_written);
  CHECK_FALSE(mount("/data/x.db").never_written);        // elsewhere it may be
  CHECK_FALSE(mount("/mnt/server/x.db").never_written);  // its server may
  CHECK_FALSE(mount("/home/u/x.db").never_written);
}

TEST_CASE("Of a mount without a device the type and the options are told all the same") {
  CHECK(mount("/run/deviceless/x.db").type == "tmpfs");
  CHECK(mount("/run/deviceless/x.db").device.empty());
  CHECK(mount("/run/deviceless/x.db").never_written);
  CHECK(mount("/home/u/x.db").device == "/dev/sda1");
}

TEST_CASE("A line that is no mount is passed over") {
  CHECK(mount("/run/nameless/x.db").point == "/");
  CHECK(mount("/cut/short/x.db").point == "/");
}

}  // namespace
