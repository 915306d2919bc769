// take_snapshot on a full disk and in a process that is killed, by what POSIX has for both.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <random>
#include <thread>

#include "core/catalog/names.h"
#include "core/platform/sha256.h"
#include "core/sqlite/pinned_source.h"
#include "support/catch.h"
#include "support/failing_snapshots.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using test::files_below;
using test::read_file;
using test::SnapshotWorld;
using test::failing::Case;
using test::failing::fails_its_check;
using test::failing::kMaxSteps;
using test::failing::set_up;
using test::failing::take_with;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

// Claims any amount of free space, so that the disk itself has to say that it is full.
class Boasting final : public test::ForwardingFiles {
 public:
  Expected<std::uint64_t> free_bytes(const Path&) const override { return 1ULL << 50; }
};

constexpr int kNoNamespace = 77;

// Runs in a process of its own whose destination is a tmpfs of that size.
int on_small_disk(const SnapshotWorld& world, std::uint64_t bytes,
                  const std::function<int()>& run) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int flags = ::getuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
    const std::string size = "size=" + std::to_string(bytes);
    if (::unshare(flags) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", world.destination.c_str(), "tmpfs", 0, size.c_str()) != 0) {
      ::_exit(kNoNamespace);
    }
    ::_exit(run());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// 0 when the run failed with `code` and the destination holds just `left`.
int outcome(SnapshotWorld& world, core::FileSystem& files, ErrorCode code, const Names& left) {
  const auto result = take_with(world, files);
  if (result) return 1;
  if (result.error().code != code) return 10 + static_cast<int>(result.error().code);
  if (result.error().message.find(world.destination.string()) == std::string::npos) return 2;
  return files_below(world.destination) == left ? 0 : 3;
}

TEST_CASE("A full disk is an error that names it, and nothing partial is published") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 2000});
  const std::uint64_t bytes = fs::file_size(world.source);
  Boasting boasting;
  // Seen beforehand; seen by the reservation; seen only as the manifest is written.
  const int foreseen = on_small_disk(world, bytes / 2, [&] {
    return outcome(world, core::system_files(), ErrorCode::no_space, {});
  });
  const int reserved = on_small_disk(
      world, bytes / 2, [&] { return outcome(world, boasting, ErrorCode::no_space, {}); });
  const int manifest = on_small_disk(
      world, bytes, [&] { return outcome(world, boasting, ErrorCode::no_space, {}); });
  if (foreseen == kNoNamespace) {
    WARN("No small disk can be mounted here: only the limits below stand for a full one.");
    return;
  }
  CHECK(foreseen == 0);
  CHECK(reserved == 0);
  CHECK(manifest == 0);
}

TEST_CASE("A WAL database on a full disk is refused for that reason") {
  SnapshotWorld world;
  const fs::path source = world.destination / "global.db";
  const int result = on_small_disk(world, 4 << 20, [&] {
    test::make_notes_database(source);
    std::ofstream other(world.destination / "other");
    while (other << std::string(4096, 'x') << std::flush) {
    }
    other.close();
    const auto opened = core::PinnedSource::open(source, 0ms, world.env(), {});
    if (opened) return 1;
    if (opened.error().code != ErrorCode::no_space) return 2;
    return files_below(world.destination) == Names{"global.db", "other"} ? 0 : 3;
  });
  if (result == kNoNamespace) {
    WARN("No small disk can be mounted here.");
    return;
  }
  CHECK(result == 0);
}

TEST_CASE("A disk that fills up under a replacement leaves the earlier snapshot as it was") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 2000});
  const std::uint64_t bytes = fs::file_size(world.source);
  Boasting boasting;
  const int result = on_small_disk(world, 2 * bytes + 16 * 4096, [&] {
    const auto first = take_with(world, boasting);
    if (!first) return 20;
    const std::string before = read_file(first->snapshot) + read_file(first->manifest_path);
    const Names left = files_below(world.destination);
    test::run_sql(world.source, "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(300000))");
    if (const int code = outcome(world, boasting, ErrorCode::no_space, left); code != 0) {
      return code;
    }
    return before == read_file(first->snapshot) + read_file(first->manifest_path) ? 0 : 21;
  });
  if (result == kNoNamespace) {
    WARN("No small disk can be mounted here.");
    return;
  }
  CHECK(result == 0);
}

TEST_CASE("A write that fails in the middle of the copy leaves nothing") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 2000});
  const pid_t child = ::fork();
  if (child == 0) {
    (void)std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{500'000, 500'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(99);
    const auto result = world.take();
    if (result) ::_exit(1);
    ::_exit(fs::is_empty(world.destination) ? 0 : 2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("A run that is killed at any step leaves whole snapshots, and loses none that was full") {
  using Fault = test::FaultyFiles::Fault;
  const Case kind = GENERATE(Case::first, Case::replacing, Case::shrunk);
  const Fault fault = GENERATE(Fault::dies_before, Fault::dies_within, Fault::dies_after);
  for (int step = 1; step <= kMaxSteps; ++step) {
    SnapshotWorld world;
    set_up(world, kind);
    const pid_t child = ::fork();
    if (child == 0) {
      test::FaultyFiles files(step, fault);
      (void)take_with(world, files);
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CAPTURE(static_cast<int>(kind), static_cast<int>(fault), step);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 0) break;
    REQUIRE(step < kMaxSteps);
    bool full_one = false;
    const auto check_all = [&] {
      full_one = false;
      for (const std::string& name : files_below(world.destination)) {
        const fs::path path = world.destination / name;
        if (!core::parse_snapshot_name(path.filename().string())) continue;
        CAPTURE(name);
        CHECK_FALSE(fails_its_check(world, path));
        full_one |= test::query_integer(path, "SELECT count(*) FROM notes") >= 60;
      }
    };
    check_all();
    CHECK((full_one || kind == Case::first));
    const auto next = world.take();
    REQUIRE(next);
    check_all();
    CHECK(full_one);
    for (const std::string& name : files_below(world.destination)) {
      CHECK(name.find(".tmp") == std::string::npos);
    }
  }
}

// Commits and takes snapshots until it is killed.
[[noreturn]] void run_until_killed(SnapshotWorld& world, std::uint64_t number) {
  for (;; ++number) {
    test::run_sql(world.source, test::commit_sql(number));
    if (!world.take()) ::_exit(1);
  }
}

TEST_CASE("Killed at any moment, a run leaves only whole snapshots, and the next one sweeps") {
  constexpr int kKills = 200;
  SnapshotWorld world;
  test::make_notes_database(world.source);
  std::minstd_rand random(20261123);
  // Moments all over a run of this machine's speed, and into the next one.
  const auto begun = std::chrono::steady_clock::now();
  const auto first = world.take();
  REQUIRE(first);
  const std::chrono::duration<double, std::micro> one_run =
      std::chrono::steady_clock::now() - begun;
  auto max_delay_us = static_cast<unsigned>(std::clamp(one_run.count() * 2.5, 10'000.0, 200'000.0));
  const fs::path snapshot = first->snapshot;
  std::string digest = first->manifest.sha256;
  int replaced = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const auto number = 1'000'000 + static_cast<std::uint64_t>(kill) * 1'000;
    const pid_t child = ::fork();
    if (child == 0) run_until_killed(world, number);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % max_delay_us));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const std::string now = core::sha256_of(read_file(snapshot));
    replaced += now != digest ? 1 : 0;
    digest = now;
    core::NoProgress progress;
    core::VerifyRequest request;
    request.snapshot = snapshot;
    const auto report = core::verify_snapshot(request, world.env(), progress, {});
    REQUIRE(report);
    for (const auto& check : report->checks) {
      INFO("kill " << kill << ", " << check.name << ": " << check.reason
                   << (check.findings.empty() ? "" : check.findings[0]));
      CHECK(check.outcome != core::VerifyCheck::Outcome::failed);
    }
    REQUIRE(test::invariant_holds(snapshot));
    // The machine has become slower since, and each run was killed before its end.
    if (kill % 50 == 49 && replaced == 0) max_delay_us *= 2;
  }
  CHECK(replaced > 0);
  CHECK(test::invariant_holds(world.source));
  const auto last = world.take();
  REQUIRE(last);
  CHECK(files_below(world.destination) ==
        Names{"testhost/global-2026-11-23.db", "testhost/global-2026-11-23.db.manifest.json"});
}

}  // namespace
