// What only Windows does with files: others that hold them, attributes, long paths, shares.
#include <thread>

#include "core/base/paths.h"
#include "core/platform/windows/system.h"
#include "support/catch.h"
#include "support/temp_folder.h"

using core::ErrorCode;
using core::FileInfo;
using std::chrono::milliseconds;
using test::TempFolder;
namespace fs = std::filesystem;

namespace {

// Has a file open as a virus scanner does that shares nothing, for a while.
class Holder {
 public:
  Holder(const fs::path& path, milliseconds duration)
      : file_(core::owned(::CreateFileW(core::system_path(path).c_str(), GENERIC_READ, 0, nullptr,
                                        OPEN_EXISTING, 0, nullptr))) {
    REQUIRE(file_);
    end_ = std::jthread([this, duration](const std::stop_token& stop) {
      core::system_clock().sleep_for(duration, stop);
      file_.close();
    });
  }

 private:
  core::Descriptor file_;
  std::jthread end_;
};

constexpr milliseconds kMoment{150};
constexpr milliseconds kTooLong{60'000};

void set_attributes(const fs::path& path, DWORD attributes) {
  REQUIRE(::SetFileAttributesW(core::system_path(path).c_str(), attributes));
}

}  // namespace

TEST_CASE("A file that another program holds for a moment is replaced and removed all the same") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  const fs::path path = folder / "file";
  test::write_file(path, "old");
  {
    const Holder holder(path, kMoment);
    CHECK(files.write_atomically(path, "new", 0600));
  }
  CHECK(test::read_file(path) == "new");
  {
    const Holder holder(path, kMoment);
    CHECK(files.rename_new(path, folder / "moved"));
  }
  {
    const Holder holder(folder / "moved", kMoment);
    CHECK(files.remove(folder / "moved"));
  }
  CHECK(test::names_in(folder.path()).empty());
}

TEST_CASE("A file that another program keeps is an error after about a second, and stays") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  test::write_file(folder / "file", "old");
  const Holder holder(folder / "file", kTooLong);
  const auto begin = std::chrono::steady_clock::now();
  const auto written = files.write_atomically(folder / "file", "new", 0600);
  CHECK(std::chrono::steady_clock::now() - begin < kTooLong);
  REQUIRE_FALSE(written);
  CHECK(written.error().message.find("file") != std::string::npos);
  CHECK_FALSE(written.error().hint.empty());
  CHECK(test::names_in(folder.path()) == "file");
}

TEST_CASE("What is read-only or hidden is replaced and removed, as it is elsewhere") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  const fs::path path = folder / "file";
  for (const DWORD attributes : {FILE_ATTRIBUTE_READONLY, FILE_ATTRIBUTE_HIDDEN}) {
    test::write_file(path, "old");
    set_attributes(path, attributes);
    CHECK(files.write_atomically(path, "new", 0600));
    CHECK(test::read_file(path) == "new");
    set_attributes(path, attributes);
    CHECK(files.remove(path));
    CHECK(test::names_in(folder.path()).empty());
  }
}

TEST_CASE("Paths of more than 260 characters are as good as others") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  fs::path deep = folder.path();
  for (int i = 0; i < 4; ++i) deep /= std::string(80, 'a');
  REQUIRE(files.make_folders(deep, 0700));
  REQUIRE(files.write_atomically(deep / "file", "text", 0600));
  CHECK(*files.read(deep / "file", 10) == "text");
  CHECK(files.info(deep / "file")->kind == FileInfo::Kind::file);
  REQUIRE(files.rename(deep / "file", deep / "other"));
  REQUIRE(files.link(deep / "other", deep / "second"));
  CHECK(files.list(deep, 10)->size() == 2);
  CHECK(core::system_path(deep).starts_with(L"\\\\?\\"));
  for (const char* name : {"other", "second"}) CHECK(files.remove(deep / name));
  for (int i = 0; i < 4; ++i, deep = deep.parent_path()) CHECK(files.remove_empty_folder(deep));
}

TEST_CASE("A folder is synced as far as Windows can, which is no error where it cannot") {
  const TempFolder folder;
  CHECK(core::system_files().sync_folder(folder.path()));
}

TEST_CASE("A path of a share stays one, however long it is") {
  const fs::path share = core::path_of("\\\\server\\share\\folder");
  CHECK(share.is_absolute());
  CHECK(core::text_of(share / "Löwe") == "\\\\server\\share\\folder\\Löwe");
  CHECK(core::system_path(share) == L"\\\\server\\share\\folder");
  const fs::path deep = share / std::string(200, 'a') / std::string(200, 'b');
  CHECK(core::system_path(deep).starts_with(L"\\\\?\\UNC\\server\\share\\folder\\a"));
  CHECK(core::system_path(L"\\\\?\\C:\\a") == L"\\\\?\\C:\\a");
}

TEST_CASE("Only symbolic links and junctions are links: a cloud client's file is a file") {
  constexpr DWORD kCloud = 0x9000001a;  // IO_REPARSE_TAG_CLOUD
  CHECK(core::is_link(FILE_ATTRIBUTE_REPARSE_POINT, IO_REPARSE_TAG_SYMLINK));
  CHECK(core::is_link(FILE_ATTRIBUTE_REPARSE_POINT, IO_REPARSE_TAG_MOUNT_POINT));
  CHECK_FALSE(core::is_link(FILE_ATTRIBUTE_REPARSE_POINT, kCloud));
  CHECK_FALSE(core::is_link(FILE_ATTRIBUTE_NORMAL, IO_REPARSE_TAG_SYMLINK));
}

TEST_CASE("A file whose content is in the cloud alone is told by its attributes") {
  constexpr DWORD kOnDataAccess = 0x400000, kOnOpen = 0x40000, kPinned = 0x80000;
  for (const DWORD attributes : {kOnDataAccess, kOnOpen, DWORD{FILE_ATTRIBUTE_OFFLINE}}) {
    CHECK(core::is_elsewhere(attributes | FILE_ATTRIBUTE_ARCHIVE));
  }
  CHECK_FALSE(core::is_elsewhere(FILE_ATTRIBUTE_ARCHIVE | kPinned));
  const core::Error error =
      core::error_from_system(ERROR_CLOUD_FILE_PROVIDER_NOT_RUNNING, "cannot read C:\\x");
  CHECK(error.hint.find("cloud") != std::string::npos);
}

TEST_CASE("What others hold, map or delete is busy; what Windows forbids in a name is told") {
  const auto code_of = [](DWORD error) { return core::error_from_system(error, "x").code; };
  for (const DWORD error : {ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_USER_MAPPED_FILE,
                            ERROR_DELETE_PENDING}) {
    CHECK(code_of(error) == ErrorCode::busy);
  }
  CHECK(code_of(ERROR_ACCESS_DENIED) == ErrorCode::permission_denied);
  const core::Error name = core::error_from_system(ERROR_INVALID_NAME, "cannot create C:\\a?");
  CHECK(name.code == ErrorCode::invalid_argument);
  CHECK(name.hint.find("Windows allows no") != std::string::npos);
}

TEST_CASE("No program that Windows' own desktop started has an AppData of its own") {
  const auto places = core::system_places();
  REQUIRE(places);
  CHECK_FALSE(places->hidden_from_others);
}
