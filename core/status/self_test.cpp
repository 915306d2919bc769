#include "core/status/self_test.h"

#include <sqlite3.h>

#include <atomic>
#include <thread>

#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/base/progress.h"
#include "core/base/threads.h"
#include "core/catalog/catalog.h"
#include "core/platform/secrets.h"
#include "core/restore/restore.h"
#include "core/snapshot/snapshot.h"
#include "core/sqlite/sqlite.h"
#include "core/verify/verify.h"

namespace core {
namespace {

using std::chrono::milliseconds;

constexpr int kFirstRows = 2'000;  // of each table, a few hundred bytes each
constexpr int kFewCommits = 20;    // before the snapshot, so that there is a WAL
constexpr milliseconds kCommitPause{2};
constexpr milliseconds kFirstCommits{10'000};
constexpr int kWriterPatience = 10'000;     // ms
constexpr std::size_t kNameBytes = 4;       // of randomness
constexpr std::size_t kMaxOwnEntries = 64;  // of a folder of ours
constexpr int kMaxDepth = 6;

// Both tables get each row in one transaction: in one state of the database they have as many.
constexpr const char* kInsert =
    "BEGIN IMMEDIATE;"
    "INSERT INTO notes(body) VALUES(hex(randomblob(100)));"
    "INSERT INTO copies(body) SELECT body FROM notes ORDER BY id DESC LIMIT 1;"
    "COMMIT;";

Expected<sqlite::ConnectionHandle> open_database(const fs::path& path, int flags) {
  BPD_TRY_AS(connection, sqlite::open(text_of(path), flags));
  sqlite3_busy_timeout(connection->get(), kWriterPatience);
  return connection;
}

// The rows of each table, of one state. An error where they are not as many, or SQLite finds fault.
Expected<std::int64_t> checked_rows(const fs::path& path) {
  BPD_TRY_AS(connection, open_database(path, SQLITE_OPEN_READWRITE));
  const std::string what = "cannot read " + text_of(path);
  BPD_TRY_AS(fault, sqlite::query_text(connection->get(), "PRAGMA quick_check", what));
  if (*fault != "ok") return fail(ErrorCode::damaged, text_of(path) + " is damaged: " + *fault);
  BPD_TRY_AS(difference, sqlite::query_integer(connection->get(),
                                               "SELECT (SELECT count(*) FROM notes) - "
                                               "(SELECT count(*) FROM copies)",
                                               what));
  if (*difference != 0) {
    return fail(ErrorCode::damaged, text_of(path) + " holds half of a transaction.");
  }
  return sqlite::query_integer(connection->get(), "SELECT count(*) FROM notes", what);
}

// Commits from a thread of its own, for as long as it lives.
class BusyWriter {
 public:
  explicit BusyWriter(const fs::path& path) : path_(path) {
    started_ = start_thread(thread_, [this] { work(); });
  }
  ~BusyWriter() { (void)stop(); }
  BusyWriter(const BusyWriter&) = delete;
  BusyWriter& operator=(const BusyWriter&) = delete;

  // Whether it came to a few commits in time.
  bool is_at_work() const {
    const auto deadline = std::chrono::steady_clock::now() + kFirstCommits;
    while (started_ && !failed_ && commits_ < kFewCommits &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kCommitPause);
    }
    return commits_ >= kFewCommits;
  }
  // How many commits there were; the error of the one that failed.
  Expected<int> stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    if (failed_) return fail(error_);
    return commits_.load();
  }

 private:
  void work() {
    const auto worked = [this]() -> Expected<> {
      BPD_TRY_AS(connection, open_database(path_, SQLITE_OPEN_READWRITE));
      while (!stopping_) {
        BPD_TRY(sqlite::execute(connection->get(), kInsert, "cannot write to " + text_of(path_)));
        ++commits_;
        std::this_thread::sleep_for(kCommitPause);
      }
      return {};
    }();
    if (worked) return;
    error_ = worked.error();
    failed_ = true;
  }

  const fs::path path_;
  std::thread thread_;
  std::atomic<bool> stopping_{false}, failed_{false};
  std::atomic<int> commits_{0};
  Error error_;  // written before failed_ is set
  bool started_ = false;
};

std::string rows_text(std::int64_t rows) {
  return std::to_string(rows) + " rows";
}

// Removes it with what it holds; no link is followed.
Expected<> clear_away(const fs::path& folder, FileSystem& files, int depth = 0) {
  if (depth > kMaxDepth) return fail(ErrorCode::conflict, text_of(folder) + " is too deep.");
  BPD_TRY_AS(entries, files.list(folder, kMaxOwnEntries));
  for (const DirEntry& entry : *entries) {
    const fs::path path = folder / path_of(entry.name);
    if (entry.kind == FileInfo::Kind::folder) {
      BPD_TRY(clear_away(path, files, depth + 1));
    } else {
      BPD_TRY(files.remove(path));
    }
  }
  return files.remove_empty_folder(folder);
}

class Course {
 public:
  Course(const fs::path& folder, const Env& env, std::stop_token stop)
      : folder_(folder),
        places_(env.places),
        env_{env.clock, env.files, env.commands, places_},
        stop_(std::move(stop)) {
    places_.state = folder / "state";
    places_.config = folder / "config";
    places_.data = folder / "data";
  }

  std::vector<SelfTestStep> run() {
    step("make a database in WAL mode", &Course::make_database);
    step("snapshot while a program writes", &Course::snapshot);
    step("list", &Course::list);
    step("verify in full", &Course::verify);
    step("restore to a new file", &Course::restore_new);
    step("restore in place", &Course::restore_in_place);
    step("undo", &Course::undo);
    steps_.push_back({.name = "schedule",
                      .skipped = "it would change this user's scheduler; each installation of a "
                                 "schedule proves itself by a run"});
    failed_ = false;
    step("clear away", &Course::clear);
    return std::move(steps_);
  }

 private:
  using Work = Expected<std::string> (Course::*)();

  void step(const char* name, Work work) {
    SelfTestStep taken{.name = name};
    if (failed_) {
      taken.skipped = "an earlier step failed";
    } else {
      const auto begin = std::chrono::steady_clock::now();
      auto found = (this->*work)();
      const std::chrono::duration<double, std::milli> elapsed =
          std::chrono::steady_clock::now() - begin;
      taken.elapsed_ms = elapsed.count();
      if (found) {
        taken.found = std::move(*found);
      } else {
        taken.error = std::move(found).error();
      }
    }
    failed_ |= taken.error.has_value();
    steps_.push_back(std::move(taken));
  }

  Expected<std::string> make_database() {
    for (const fs::path& path : {database_.parent_path(), destination_}) {
      BPD_TRY(env_.files.make_folders(path, kPrivateFolder));
    }
    BPD_TRY_AS(connection, open_database(database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    const std::string what = "cannot make " + text_of(database_);
    BPD_TRY_AS(mode, sqlite::query_text(connection->get(), "PRAGMA journal_mode=WAL", what));
    if (*mode != "wal") {
      return fail(ErrorCode::unsupported, "SQLite has no WAL mode in " + text_of(folder_) + ".",
                  "Give a folder on a local disk.");
    }
    BPD_TRY(
        sqlite::execute(connection->get(),
                        "PRAGMA synchronous=NORMAL; BEGIN;"
                        "CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT NOT NULL);"
                        "CREATE TABLE copies(id INTEGER PRIMARY KEY, body TEXT NOT NULL);"
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" +
                            std::to_string(kFirstRows) +
                            ") INSERT INTO notes(body) SELECT hex(randomblob(100)) FROM n;"
                            "INSERT INTO copies SELECT * FROM notes; COMMIT;",
                        what));
    return rows_text(kFirstRows);
  }

  Expected<std::string> snapshot() {
    BusyWriter writer(database_);
    if (!writer.is_at_work()) {
      BPD_TRY(writer.stop());
      return fail(ErrorCode::timed_out, "The program that writes came to no commits.");
    }
    SnapshotRequest request;
    request.source = database_;
    request.destination = destination_;
    NoProgress quiet;
    auto taken = take_snapshot(request, env_, quiet, stop_);
    BPD_TRY_AS(commits, writer.stop());
    BPD_TRY(taken);
    snapshot_ = taken->snapshot;
    if (!taken->verification) return fail(ErrorCode::damaged, "The snapshot was not verified.");
    BPD_TRY(check(*taken->verification));
    const auto& rows = taken->verification->rows;
    const auto notes = rows.find("notes"), copies = rows.find("copies");
    if (notes == rows.end() || copies == rows.end() || notes->second != copies->second) {
      return fail(ErrorCode::damaged, "The snapshot holds half of a transaction.");
    }
    snapshot_rows_ = static_cast<std::int64_t>(notes->second);
    return rows_text(snapshot_rows_) + ", verified, beside " + std::to_string(*commits) +
           " commits";
  }

  Expected<std::string> list() {
    BPD_TRY_AS(page, list_snapshots(destination_, {}, kMaxOwnEntries, "", env_.files));
    if (page->total != 1 || !page->snapshots.front().verified()) {
      return fail(ErrorCode::not_found, "The snapshot is not listed as a verified one.");
    }
    return text_of(snapshot_.filename());
  }

  Expected<std::string> verify() {
    NoProgress quiet;
    BPD_TRY_AS(report, verify_snapshot({.snapshot = snapshot_, .level = VerifyLevel::full}, env_,
                                       quiet, stop_));
    BPD_TRY(check(*report));
    return std::to_string(report->checks.size()) + " checks";
  }

  Expected<std::string> restore_new() {
    RestoreRequest request{.snapshot = snapshot_, .target = folder_ / path_of("new Ünïcode.db")};
    NoProgress quiet;
    BPD_TRY(restore_snapshot(request, env_, quiet, stop_));
    return expect_rows(request.target, snapshot_rows_);
  }

  Expected<std::string> restore_in_place() {
    BPD_TRY_AS(before, checked_rows(database_));
    rows_before_ = *before;
    RestoreRequest request{
        .snapshot = snapshot_, .target = database_, .in_place = true, .confirmed = true};
    NoProgress quiet;
    BPD_TRY_AS(restored, restore_snapshot(request, env_, quiet, stop_));
    if (!restored->safety_copy) return fail(ErrorCode::not_found, "There is no safety copy.");
    safety_copy_ = *restored->safety_copy;
    return expect_rows(database_, snapshot_rows_);
  }

  Expected<std::string> undo() {
    RestoreRequest request{
        .snapshot = safety_copy_, .target = database_, .in_place = true, .confirmed = true};
    NoProgress quiet;
    BPD_TRY(restore_snapshot(request, env_, quiet, stop_));
    return expect_rows(database_, rows_before_);
  }

  Expected<std::string> clear() {
    auto cleared = clear_away(folder_, env_.files);
    if (cleared) return std::string("nothing is left");
    cleared.error().hint = "Remove " + text_of(folder_) + " by hand. " + cleared.error().hint;
    return fail(std::move(cleared).error());
  }

  static Expected<> check(const VerifyReport& report) {
    if (report.verdict == VerifyReport::Verdict::verified) return {};
    return fail(ErrorCode::damaged, "The verdict is " + std::string(to_string(report.verdict)) +
                                        ": " + describe_failures(report));
  }

  static Expected<std::string> expect_rows(const fs::path& path, std::int64_t rows) {
    BPD_TRY_AS(counted, checked_rows(path));
    if (*counted == rows) return rows_text(rows);
    return fail(ErrorCode::damaged, text_of(path) + " has " + rows_text(*counted) +
                                        " in place of " + std::to_string(rows) + ".");
  }

  const fs::path folder_;
  Places places_;
  const Env env_;
  const std::stop_token stop_;
  // A name that needs care in every layer below.
  const fs::path database_ = folder_ / path_of("with spaces, 日本") / "live.db";
  const fs::path destination_ = folder_ / "snapshots";
  fs::path snapshot_, safety_copy_;
  std::int64_t snapshot_rows_ = 0, rows_before_ = 0;
  std::vector<SelfTestStep> steps_;
  bool failed_ = false;
};

}  // namespace

Expected<SelfTest> self_test(const fs::path& within, const Env& env, std::stop_token stop) {
  BPD_TRY_AS(real, env.files.canonical(within));
  SelfTest test;
  test.sqlite_version = sqlite3_libversion();
  test.folder = *real / ("backup-plugin-db-self-test-" + hex_of(random_bytes(kNameBytes)));
  BPD_TRY(env.files.make_folders(test.folder, kPrivateFolder));
  test.steps = Course(test.folder, env, std::move(stop)).run();
  return test;
}

}  // namespace core
