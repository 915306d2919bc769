// Random rounds of "write or don't write": a run must never take a source for unchanged that has
// changed, whoever wrote to it and however.
//
//   unchanged_stress ROUNDS [SEED]
//
// Each round does something to a database, or nothing, and then runs as a schedule does. What it
// may say, a copy tells that is made without asking whether anything changed. Some rounds write
// while the run goes on: there the next one must see it.
#ifndef _WIN32
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <thread>

#include "core/snapshot/snapshot.h"
#include "core/snapshot/unchanged.h"
#include "support/snapshots.h"
#include "support/test_database.h"

#ifdef _WIN32
int main() {
  return 0;  // no such mappings there, and every run is decided by the digest
}
#else

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Random = std::mt19937_64;

constexpr auto kQuiet = 250ms;  // the tick of this machine's clock is all that it must outlast
constexpr const char* kModes[] = {"wal", "delete", "truncate", "persist", "memory"};
// What a writer past SQLite changes: the text of a note, found by what it holds.
constexpr std::string_view kMark = "stored through a mapping: ";

// The whole file, mapped by a program that knows nothing of SQLite and keeps the mapping.
class Mapping {
 public:
  explicit Mapping(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) throw std::runtime_error("cannot map the database");
    bytes_ = static_cast<std::size_t>(status.st_size);
    at_ = static_cast<char*>(::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    ::close(fd);
    if (at_ == MAP_FAILED) throw std::runtime_error("cannot map the database");
  }
  ~Mapping() { ::munmap(at_, bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // Changes a letter behind the mark; false where the file has none by now.
  bool store(Random& random) {
    const std::string_view text(at_, bytes_);
    const auto found = text.find(kMark);
    if (found == std::string_view::npos) return false;
    at_[found + kMark.size() + random() % 8] = static_cast<char>('a' + random() % 26);
    return true;
  }
  void sync() { ::msync(at_, bytes_, MS_SYNC); }

 private:
  char* at_ = nullptr;
  std::size_t bytes_ = 0;
};

struct Tally {
  int proved = 0, compared = 0, written = 0;
};

class Stress {
 public:
  explicit Stress(std::uint64_t seed) : random_(seed) {
    test::make_notes_database(world_.source, {"wal", 4096, 30});
    test::run_sql(world_.source,
                  "CREATE TABLE marked(id INTEGER PRIMARY KEY, text TEXT);"
                  "INSERT INTO marked VALUES (1, '" +
                      std::string(kMark) + "aaaaaaaa')");
    fs::create_directory(world_ / "truth");
  }

  void round(int number) {
    number_ = number;
    act();
    wait();
    std::thread beside;
    if (chance(6)) {
      const auto delay = std::chrono::microseconds(random_() % 8000);
      beside = std::thread([this, delay] {
        std::this_thread::sleep_for(delay);
        write_by_sql();
      });
    }
    const bool alone = !beside.joinable();
    const auto result = run();
    if (!alone) beside.join();
    if (alone) compare(result);
    ++(!result.unchanged            ? tally_.written
       : result.timings.copy_ms > 0 ? tally_.compared
                                    : tally_.proved);
  }
  const Tally& tally() const { return tally_; }

 private:
  bool chance(unsigned one_in) { return random_() % one_in == 0; }

  void act() {
    using Act = void (Stress::*)();
    static constexpr Act kActs[] = {
        &Stress::nothing,       &Stress::nothing,      &Stress::nothing, &Stress::nothing,
        &Stress::nothing,       &Stress::nothing,      &Stress::nothing, &Stress::nothing,
        &Stress::write_by_sql,  &Stress::write_by_sql, &Stress::connect, &Stress::checkpoint,
        &Stress::change_mode,   &Stress::store,        &Stress::store,   &Stress::overwrite,
        &Stress::set_time_back, &Stress::replace,      &Stress::remap};
    did_ = static_cast<int>(random_() % std::size(kActs));
    (this->*kActs[did_])();
  }
  void nothing() {}

  test::OpenDatabase& connection() {
    if (!connection_) connection_ = std::make_unique<test::OpenDatabase>(world_.source);
    return *connection_;
  }
  void connect() {
    connection_.reset();
    if (chance(2)) return;
    connection().run(
        "PRAGMA busy_timeout = 10000; PRAGMA synchronous = " + std::to_string(random_() % 3) +
        "; PRAGMA mmap_size = " + std::to_string(chance(2) ? 1 << 20 : 0));
  }
  void write_by_sql() {
    const std::string sql = "UPDATE marked SET text = '" + std::string(kMark) +
                            std::to_string(10'000'000 + random_() % 80'000'000) + "'";
    try {
      connection().run("PRAGMA busy_timeout = 10000");
      connection().run(sql);
    } catch (const std::exception&) {
      connection_.reset();  // the file was replaced under it
    }
  }
  void checkpoint() {
    static constexpr const char* kKinds[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
    connection().text(std::string("PRAGMA wal_checkpoint(") + kKinds[random_() % 4] + ")");
  }
  void change_mode() {
    connection_.reset();
    connection().text(std::string("PRAGMA journal_mode = ") + kModes[random_() % 5]);
    if (chance(2)) connection_.reset();
  }
  // As a program would that writes past SQLite; what is in the -wal hides it, so that goes first.
  void store() {
    settle();
    if (!mapping_) mapping_ = std::make_unique<Mapping>(world_.source);
    mapping_->store(random_);
    if (chance(3)) mapping_->sync();
  }
  void remap() { mapping_.reset(); }
  void settle() {
    connection_.reset();
    test::OpenDatabase closing(world_.source);  // the last one to close: no -wal stays
  }
  void overwrite() {
    settle();
    const auto modified = fs::last_write_time(world_.source);
    const auto text = test::read_file(world_.source);
    const auto found = text.find(kMark);
    if (found == std::string::npos) return;
    std::fstream stream(world_.source, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(found + kMark.size()));
    stream.put(static_cast<char>('a' + random_() % 26));
    stream.close();
    if (chance(2)) fs::last_write_time(world_.source, modified);
  }
  void set_time_back() {
    fs::last_write_time(world_.source, fs::last_write_time(world_.source) - 1h);
  }
  // By a copy of another time, as a restore does; sometimes with the same counters in its header.
  void replace() {
    settle();
    mapping_.reset();
    const fs::path aside = world_ / "aside.db";
    const auto modified = fs::last_write_time(world_.source);
    if (fs::exists(aside)) fs::rename(aside, world_.source);
    fs::copy_file(world_.source, aside, fs::copy_options::overwrite_existing);
    test::run_sql(aside, "UPDATE marked SET text = '" + std::string(kMark) + "fromaside'");
    fs::last_write_time(world_.source, modified);
  }

  // Mostly long enough for the times to prove something.
  void wait() {
    if (chance(3)) return;
    std::this_thread::sleep_for(kQuiet + 20ms);
  }

  core::SnapshotResult take(core::SnapshotRequest request) {
    world_.clock.instant = std::chrono::system_clock::now();
    auto result = world_.take(request);
    if (!result)
      throw std::runtime_error("round " + std::to_string(number_) + ": " + result.error().message);
    return std::move(*result);
  }
  core::SnapshotResult run() {
    auto request = world_.request();
    request.unless_unchanged = true;
    request.quiet = kQuiet;
    request.schedule = "hourly";
    return take(request);
  }
  void compare(const core::SnapshotResult& result) {
    auto request = world_.request();
    request.destination = world_ / "truth";
    const auto truth = take(request);
    if (truth.manifest.sha256 == result.manifest.sha256) return;
    throw std::runtime_error("round " + std::to_string(number_) + ": " +
                             (result.unchanged ? "a false \"unchanged\"" : "another copy") +
                             ", after act " + std::to_string(did_));
  }

  Random random_;
  test::SnapshotWorld world_;
  std::unique_ptr<test::OpenDatabase> connection_;
  std::unique_ptr<Mapping> mapping_;
  Tally tally_;
  int number_ = 0, did_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  try {
    Stress stress(seed);
    for (int round = 1; round <= rounds; ++round) stress.round(round);
    const Tally& tally = stress.tally();
    std::printf(
        "%d rounds, seed %llu: %d times proved unchanged, %d times by the digest, %d "
        "snapshots; never a false one\n",
        rounds, static_cast<unsigned long long>(seed), tally.proved, tally.compared, tally.written);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed), error.what());
    return 1;
  }
}
#endif
