// Randomized stress: snapshots of databases of every shape while other processes write, checkpoint,
// vacuum and are killed. Arguments `COUNT [SEED]`; exit code 1 if any snapshot was bad.
//
// A snapshot is good if SQLite finds it whole, if its digest is that of its bytes, if the invariant
// of every transaction holds in it, and if its counter lies between the writers' before and after
// (so that it is one moment of the time in which it was taken).
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include "core/platform/sha256.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;
using Random = std::mt19937_64;
using namespace std::chrono_literals;

constexpr int kSnapshotsPerDatabase = 10;
constexpr int kMaxRows = 400;
constexpr auto kMaxStall = 60s;  // without a commit or a snapshot something hangs

// Shared between the processes: which count of commits is at least done, and at most begun.
struct Counters {
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> begun{0};
  std::atomic<bool> ending{false};
};

void raise_to(std::atomic<std::uint64_t>& counter, std::uint64_t value) {
  std::uint64_t now = counter.load();
  while (now < value && !counter.compare_exchange_weak(now, value)) {
  }
}

template <class Choices>
auto pick(Random& random, const Choices& choices) {
  return choices[random() % std::size(choices)];
}

struct Shape {
  int page_size = 4096;
  std::string journal_mode, auto_vacuum;
  int writers = 1;
  bool kills = false;
};

Shape random_shape(Random& random) {
  static const std::vector<int> sizes = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};
  static const std::vector<std::string> modes = {"wal",      "wal",     "wal",    "delete",
                                                 "truncate", "persist", "memory", "off"};
  static const std::vector<std::string> vacuums = {"none", "full", "incremental"};
  Shape shape;
  shape.page_size = pick(random, sizes);
  shape.journal_mode = pick(random, modes);
  shape.auto_vacuum = pick(random, vacuums);
  // Without a journal on disk a killed writer ruins its database: nobody's copy could be good. And
  // with none at all not even a failed COMMIT can be undone.
  const bool journal = shape.journal_mode != "memory" && shape.journal_mode != "off";
  shape.kills = journal && random() % 2 == 0;
  shape.writers = journal ? 1 + static_cast<int>(random() % 2) : 1;
  return shape;
}

void create(const fs::path& path, const Shape& shape) {
  test::OpenDatabase database(path);
  database.run("PRAGMA page_size=" + std::to_string(shape.page_size) +
               ";PRAGMA auto_vacuum=" + shape.auto_vacuum);
  database.text("PRAGMA journal_mode=" + shape.journal_mode);
  database.run(
      "CREATE TABLE counter(n INTEGER); INSERT INTO counter VALUES (0);"
      "CREATE TABLE a(id INTEGER PRIMARY KEY, amount INTEGER, filler BLOB);"
      "CREATE TABLE b(id INTEGER PRIMARY KEY, amount INTEGER, filler BLOB);"
      "CREATE INDEX ai ON a(amount); CREATE INDEX bi ON b(filler);");
}

// One connection of a writer process.
class Writer {
 public:
  Writer(const fs::path& path, const Shape& shape, Counters& counters, std::uint64_t seed)
      : database_(path), shape_(shape), counters_(counters), random_(seed) {
    database_.text("PRAGMA journal_mode=" + shape.journal_mode);
    database_.run("PRAGMA synchronous=OFF; PRAGMA cache_size=20");
    if (random_() % 3 == 0) database_.run("PRAGMA wal_autocheckpoint=0");
  }

  void act() {
    const auto what = random_() % 100;
    if (what < 80) {
      commit();
    } else if (what < 92) {
      static const std::vector<std::string> kinds = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
      try_run("PRAGMA wal_checkpoint(" + pick(random_, kinds) + ")");
    } else if (what < 96) {
      try_run("PRAGMA incremental_vacuum(5)");
    } else if (what < 98) {
      try_run("VACUUM");
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 20));
    }
  }

 private:
  // Busy is no failure: another writer, or a snapshot of a rollback-mode database, was there.
  bool try_run(const std::string& sql) {
    return sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }

  void commit() {
    if (!try_run("BEGIN IMMEDIATE")) return;
    const auto number = std::stoull(database_.text("SELECT n FROM counter")) + 1;
    const std::string amount = std::to_string(random_() % 1000);
    const std::string size =
        std::to_string(random_() % 4 == 0 ? random_() % 40'000 : random_() % 300);
    std::string sql;
    for (const char* table : {"a", "b"}) {
      sql += "INSERT INTO " + std::string(table) + "(amount, filler) VALUES (" + amount +
             ", randomblob(" + size + "));";
      // The same rows of both, by their order.
      sql += "DELETE FROM " + std::string(table) + " WHERE id <= (SELECT max(id) FROM " + table +
             ") - " + std::to_string(1 + number * 7919 % kMaxRows) + ";";
    }
    sql += "UPDATE counter SET n = " + std::to_string(number);
    if (!try_run(sql)) {
      try_run("ROLLBACK");
      return;
    }
    raise_to(counters_.begun, number);
    for (int attempt = 0; attempt < 10; ++attempt) {
      if (!try_run("COMMIT")) continue;
      raise_to(counters_.done, number);
      return;
    }
    try_run("ROLLBACK");
  }

  test::OpenDatabase database_;
  const Shape shape_;
  Counters& counters_;
  Random random_;
};

pid_t start_writer(const fs::path& path, const Shape& shape, Counters& counters,
                   std::uint64_t seed) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    Writer writer(path, shape, counters, seed);
    while (!counters.ending && ::getppid() != 1) writer.act();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "writer: %s\n", error.what());
    std::_Exit(1);
  }
  std::_Exit(0);
}

struct Report {
  int good = 0, bad = 0, retried = 0, killed = 0;
};

// Empty when the snapshot is good.
std::string judge(const core::SnapshotResult& result, std::uint64_t low, std::uint64_t high) {
  const std::string bytes = test::read_file(result.snapshot);
  if (core::sha256_of(bytes) != result.manifest.sha256) return "digest";
  if (bytes.substr(18, 2) != "\1\1") return "header";
  const auto whole = test::query_text(result.snapshot, "PRAGMA integrity_check");
  if (whole != "ok") return "integrity: " + whole;
  if (test::query_text(result.snapshot,
                       "SELECT (SELECT total(amount) || '/' || count(*) FROM a) ="
                       " (SELECT total(amount) || '/' || count(*) FROM b)") != "1") {
    return "invariant";
  }
  const auto counter =
      static_cast<std::uint64_t>(test::query_integer(result.snapshot, "SELECT n FROM counter"));
  if (counter < low || counter > high) {
    return "moment: " + std::to_string(counter) + " not in " + std::to_string(low) + ".." +
           std::to_string(high);
  }
  return "";
}

class Stress {
 public:
  Stress(Counters& counters, std::uint64_t seed) : counters_(counters), random_(seed) {}

  // Snapshots of one database, at most `count`.
  void run_database(int count) {
    test::SnapshotWorld world;
    world.source = world.live / "stress.db";
    const Shape shape = random_shape(random_);
    create(world.source, shape);
    counters_.done = 0;
    counters_.begun = 0;
    counters_.ending = false;
    std::vector<pid_t> writers;
    const auto start = [&] {
      writers.push_back(start_writer(world.source, shape, counters_, random_()));
    };
    for (int i = 0; i < shape.writers; ++i) start();
    for (int number = 0; number < count; ++number) {
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 15'000));
      std::thread killer;
      if (shape.kills && random_() % 3 == 0) {
        const auto delay = std::chrono::microseconds(random_() % 8'000);
        killer = std::thread([&, delay] {
          std::this_thread::sleep_for(delay);
          ::kill(writers.back(), SIGKILL);
        });
      }
      take_one(world, shape, number);
      if (killer.joinable()) {
        killer.join();
        ::waitpid(writers.back(), nullptr, 0);
        writers.pop_back();
        ++report.killed;
        start();
      }
    }
    counters_.ending = true;
    for (const pid_t writer : writers) ::waitpid(writer, nullptr, 0);
  }

  Report report;

 private:
  void take_one(test::SnapshotWorld& world, const Shape& shape, int number) {
    auto request = world.request();
    request.date = std::chrono::sys_days{world.clock.local_date(world.clock.now())} +
                   std::chrono::days{number};
    request.busy_timeout = 30s;
    const auto deadline = std::chrono::steady_clock::now() + kMaxStall;
    for (;;) {
      const auto low = counters_.done.load();
      const auto result = world.take(request);
      const auto high = counters_.begun.load();
      std::string verdict;
      if (result) {
        verdict = judge(*result, low, high);
      } else {
        using core::ErrorCode;
        // A killed writer's journal waits for the next writer; a busy one may starve a reader.
        const auto code = result.error().code;
        const bool later = code == ErrorCode::conflict || code == ErrorCode::busy;
        if (later && std::chrono::steady_clock::now() < deadline) {
          ++report.retried;
          if (code == ErrorCode::conflict) recover(world.source);
          continue;
        }
        verdict = "refused: " + result.error().message;
      }
      if (verdict.empty()) {
        ++report.good;
        fs::remove(result->snapshot);
        return;
      }
      ++report.bad;
      std::fprintf(stderr, "BAD %s: page size %d, %s, auto_vacuum %s, snapshot %d\n",
                   verdict.c_str(), shape.page_size, shape.journal_mode.c_str(),
                   shape.auto_vacuum.c_str(), number);
      return;
    }
  }

  // As the program that owns the database would: opening it undoes the unfinished change.
  static void recover(const fs::path& source) {
    try {
      (void)test::query_integer(source, "SELECT n FROM counter");
    } catch (const std::exception&) {  // busy: another writer is about to do it
    }
  }

  Counters& counters_;
  Random random_;
};

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 100;
  const std::uint64_t seed =
      argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device{}();
  void* memory =
      ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 2;
  Stress stress(*new (memory) Counters, seed);
  for (int done = 0; done < count; done += kSnapshotsPerDatabase) {
    stress.run_database(std::min(kSnapshotsPerDatabase, count - done));
  }
  const Report& report = stress.report;
  std::printf("seed %llu: %d good, %d bad, %d retried, %d writers killed\n",
              static_cast<unsigned long long>(seed), report.good, report.bad, report.retried,
              report.killed);
  return report.bad == 0 && report.good == count ? 0 : 1;
}
