// The program behind WriterProcess: DATABASE MODE INTERVAL_MS CHECKPOINTS. Prints "+" when it has
// committed once or has its lock; on SIGTERM, on Windows at the end of its input, closes cleanly
// and prints "<commits> <failures>".
#include <signal.h>
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "support/test_database.h"

namespace {

volatile sig_atomic_t stop_requested = 0;

void on_terminate(int) {
  stop_requested = 1;
}

void say_ready() {
  std::fputs("+", stdout);
  std::fflush(stdout);
}

void sleep_ms(long duration_ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(duration_ms));
}

int commit_until_stopped(test::OpenDatabase& database, long interval_ms) {
  auto number =
      static_cast<std::uint64_t>(std::stoll(database.text("SELECT commits FROM counter")));
  unsigned long long commits = 0, failures = 0;
  bool ready = false;
  while (stop_requested == 0) {
    try {
      database.run(test::commit_sql(number));
      ++number;
      ++commits;
      if (!ready) say_ready();
      ready = true;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "writer: %s\n", error.what());
      sqlite3_exec(database.get(), "ROLLBACK", nullptr, nullptr, nullptr);
      if (++failures > 100) return 1;
    }
    if (interval_ms > 0) sleep_ms(interval_ms);
  }
  std::printf("%llu %llu", commits, failures);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  signal(SIGTERM, on_terminate);
#ifdef _WIN32
  std::thread([] {
    while (std::getchar() != EOF) {
    }
    stop_requested = 1;
  }).detach();
#endif
  try {
    test::OpenDatabase database(argv[1]);
    if (std::string(argv[4]) == "0") database.run("PRAGMA wal_autocheckpoint = 0");
    const std::string mode = argv[2];
    if (mode == "commit") return commit_until_stopped(database, std::atol(argv[3]));
    if (mode == "hold_read") database.run("BEGIN");
    database.text("SELECT commits FROM counter");
    if (mode == "hold_write") database.run("BEGIN IMMEDIATE; UPDATE counter SET commits = 1e9");
    if (mode == "hold_exclusive") {
      database.run("BEGIN EXCLUSIVE; UPDATE counter SET commits = 1e9");
    }
    say_ready();
    while (stop_requested == 0) sleep_ms(20);
    std::printf("0 0");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "writer: %s\n", error.what());
    return 1;
  }
  return 0;
}
