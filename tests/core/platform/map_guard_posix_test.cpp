// What a mapping may cost: memory within bounds, and an end to it where it does not pay.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "core/platform/map_guard.h"
#include "support/catch.h"
#include "support/resident.h"
#include "support/temp_folder.h"

using test::resident_file_bytes;

namespace {

constexpr std::size_t kMiB = 1 << 20, kPage = 4096, kFileBytes = 96 * kMiB;
constexpr std::size_t kOneFolio = 2 * kMiB;

class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::string piece(kMiB, 'x');
    for (std::size_t i = 0; i < kFileBytes / kMiB; ++i) {
      REQUIRE(::write(fd, piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()));
    }
    base_ = ::mmap(nullptr, kFileBytes, PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    REQUIRE(base_ != MAP_FAILED);
  }
  ~Mapping() { ::munmap(base_, kFileBytes); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const volatile char* at(std::size_t offset) const {
    return static_cast<const volatile char*>(base_) + offset;
  }
  const void* base() const { return base_; }

 private:
  void* base_ = nullptr;
};

// Reads a page as a VFS does; the most that the process then ever had in memory.
class Reader {
 public:
  Reader(const Mapping& mapping, core::MapLimits limits) : mapping_(mapping), limits_(limits) {
    guard.watch(mapping.base(), kFileBytes);
  }
  void read(std::size_t page) {
    const volatile char* data = mapping_.at(page * kPage);
    CHECK(guard.touch(const_cast<const char*>(data), kPage, limits_));
    CHECK(*data == 'x');
    peak = std::max(peak, resident_file_bytes());
  }
  core::MapGuard guard;
  std::size_t peak = 0;

 private:
  const Mapping& mapping_;
  const core::MapLimits limits_;
};

// Returns how many pages were read here and there until the mapping was given up.
std::size_t read_until_given_up(Reader& reader) {
  std::mt19937 random(7);
  std::size_t reads = 0;
  while (reader.guard.pays() && reads < 100'000) {
    reader.read(random() % (kFileBytes / kPage));
    ++reads;
  }
  return reads;
}

// What is in memory when nothing of the mapping is. Everything is done once before: the program's
// own code counts, too, and comes when it first runs (2 MiB of it with sanitizers).
std::size_t resident_without(const Mapping& mapping) {
  Reader reader(mapping, {16 * kMiB, 16 * kMiB});
  read_until_given_up(reader);
  reader.guard.let_go();
  return resident_file_bytes();
}

}  // namespace

TEST_CASE("A mapping read in sequence keeps little in memory, and pays") {
  const test::TempFolder folder;
  const Mapping mapping(folder / "file");
  const std::size_t before = resident_without(mapping);
  Reader reader(mapping, {8 * kMiB, 0});
  for (std::size_t page = 0; page < kFileBytes / kPage; ++page) reader.read(page);
  CHECK(reader.guard.pays());
  CHECK_FALSE(reader.guard.faulted());
#ifdef __linux__
  CHECK(reader.peak > before + 4 * kMiB);
  CHECK(reader.peak < before + 8 * kMiB + 2 * kOneFolio);
#endif
}

TEST_CASE("A mapping read here and there stays within its bound, and is given up when it must") {
  const test::TempFolder folder;
  const Mapping mapping(folder / "file");
  const std::size_t before = resident_without(mapping);
  Reader reader(mapping, {16 * kMiB, 16 * kMiB});
  CHECK(read_until_given_up(reader) < 100'000);
#ifdef __linux__
  CHECK(reader.peak < before + 16 * kMiB + 3 * kOneFolio);
  CHECK(resident_file_bytes() < before + kOneFolio);
#endif
}

TEST_CASE("How much must be read of what a mapping brings in is for its limits to say") {
  const std::size_t min_reuse = GENERATE(2, 8);
  const test::TempFolder folder;
  const Mapping mapping(folder / "file");
  Reader reader(mapping, {16 * kMiB, 16 * kMiB, min_reuse});
  for (std::size_t page = 0; page < kFileBytes / kPage; page += 4) reader.read(page);
  CHECK(reader.guard.pays() == (min_reuse == 8));
}

TEST_CASE("A mapping is not given up for what another one holds") {
  const test::TempFolder folder;
  const Mapping mapping(folder / "file");
  const Mapping other(folder / "other");
  Reader reader(mapping, {16 * kMiB, 16 * kMiB});
  for (std::size_t at = 0; at < kFileBytes; at += 64 * 1024) CHECK(*other.at(at) == 'x');
  for (std::size_t page = 0; page < kFileBytes / kPage; ++page) reader.read(page);
  CHECK(reader.guard.pays());
}

TEST_CASE("A mapping lets its pages go when it is told to") {
  const test::TempFolder folder;
  const Mapping mapping(folder / "file");
  const std::size_t before = resident_without(mapping);
  Reader reader(mapping, {16 * kMiB, 16 * kMiB});
  for (std::size_t page = 0; page < 8 * kMiB / kPage; ++page) reader.read(page);
#ifdef __linux__
  CHECK(resident_file_bytes() > before + 4 * kMiB);
  reader.guard.let_go();
  CHECK(resident_file_bytes() < before + kOneFolio);
#endif
  reader.read(0);
  CHECK(reader.guard.pays());
}

TEST_CASE("What lies outside the watched bytes is not touched") {
  const test::TempFolder folder;
  const Mapping mapping(folder / "file");
  core::MapGuard guard;
  guard.watch(mapping.base(), kMiB);
  const core::MapLimits limits{kMiB, 0};
  CHECK(guard.touch(mapping.base(), kMiB, limits));
  CHECK_FALSE(guard.touch(const_cast<const char*>(mapping.at(kMiB - 10)), 20, limits));
  guard.stop();
  CHECK_FALSE(guard.touch(mapping.base(), 1, limits));
}
