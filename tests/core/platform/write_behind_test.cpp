// The file written behind the caller: order, gaps, overwriting, limits, failures.
#include "core/platform/write_behind.h"

#ifndef _WIN32
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <csignal>

#include "support/catch.h"
#include "support/temp_folder.h"

namespace {

using core::DigestMode;
using core::WriteBehind;
using core::WriteBehindOptions;
namespace fs = std::filesystem;

std::string pattern(std::size_t bytes, unsigned seed) {
  std::string text(bytes, '\0');
  for (char& c : text) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>(seed >> 24);
  }
  return text;
}

TEST_CASE("Pieces of any size become the file, and its digest is right") {
  const DigestMode mode = GENERATE(DigestMode::none, DigestMode::beside, DigestMode::after);
  const std::size_t piece = GENERATE(512U, 4096U, 65'536U, 300'000U);
  test::TempFolder folder;
  const std::string text = pattern(9'000'001, 7);
  auto file = WriteBehind::create(folder / "f", {text.size(), mode}, {});
  REQUIRE(file);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    REQUIRE((*file)->write(at, text.data() + at, std::min(piece, text.size() - at)));
  }
  REQUIRE((*file)->finish());
  const auto digest = (*file)->digest();
  REQUIRE(digest);
  CHECK(*digest == (mode == DigestMode::none ? "" : core::sha256_of(text)));
  REQUIRE((*file)->sync());
  CHECK(test::read_file(folder / "f") == text);
}

TEST_CASE("Gaps read as zeros, overwriting works, and the digest is of the final bytes") {
  const DigestMode mode = GENERATE(DigestMode::beside, DigestMode::after);
  test::TempFolder folder;
  auto file = WriteBehind::create(folder / "f", {0, mode}, {});
  REQUIRE(file);
  std::string expected = pattern(100'000, 1);
  REQUIRE((*file)->write(0, expected.data(), expected.size()));
  const std::string far = pattern(5'000, 2);
  REQUIRE((*file)->write(700'000, far.data(), far.size()));
  expected += std::string(600'000, '\0') + far;
  // Across the end: part overwrites, part appends.
  const std::string across = pattern(10'000, 3);
  REQUIRE((*file)->write(704'000, across.data(), across.size()));
  expected.replace(704'000, across.size(), across);
  REQUIRE((*file)->write(12, "twelve", 6));
  expected.replace(12, 6, "twelve");
  std::string back(20, ' ');
  const auto got = (*file)->read(10, back.data(), back.size());
  REQUIRE(got);
  CHECK(*got == back.size());
  CHECK(back == expected.substr(10, 20));
  CHECK((*file)->read(expected.size() - 3, back.data(), back.size()).value() == 3);
  CHECK((*file)->read(expected.size() + 3, back.data(), back.size()).value() == 0);
  REQUIRE((*file)->finish());
  CHECK((*file)->digest().value() == core::sha256_of(expected));
  CHECK(test::read_file(folder / "f") == expected);
}

TEST_CASE("A file abandoned half way ends its threads and gives back what it reserved") {
  test::TempFolder folder;
  {
    auto file = WriteBehind::create(folder / "f", {50'000'000, DigestMode::beside}, {});
    REQUIRE(file);
    const std::string text = pattern(3'000'000, 5);
    REQUIRE((*file)->write(0, text.data(), text.size()));
  }
  CHECK(fs::file_size(folder / "f") <= 3'000'000);
}

TEST_CASE("More reserved than needed is given back") {
  test::TempFolder folder;
  auto file = WriteBehind::create(folder / "f", {10'000'000, DigestMode::none}, {});
  REQUIRE(file);
  REQUIRE((*file)->write(0, "short", 5));
  REQUIRE((*file)->finish());
  CHECK(test::read_file(folder / "f") == "short");
}

#ifndef _WIN32
TEST_CASE("A file at work holds a lock that says so") {
  test::TempFolder folder;
  auto file = WriteBehind::create(folder / "f", {}, {});
  REQUIRE(file);
  const int fd = ::open((folder / "f").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  CHECK(::flock(fd, LOCK_EX | LOCK_NB) == -1);
  file->reset();
  CHECK(::flock(fd, LOCK_EX | LOCK_NB) == 0);
  ::close(fd);
}
#endif

#ifndef _WIN32
// In a process of its own, since the limit cannot be raised again.
TEST_CASE("A write that the system refuses is reported, not lost") {
  test::TempFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    (void)std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1'000'000, 1'000'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(10);
    auto file = WriteBehind::create(folder / "f", {0, DigestMode::beside}, {});
    if (!file) ::_exit(12);
    const std::string text = pattern(20'000'000, 9);
    const bool written = (*file)->write(0, text.data(), text.size()) && (*file)->finish();
    if (written || (*file)->digest()) ::_exit(13);
    file->reset();  // joins its threads, which _exit would not
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif

}  // namespace
