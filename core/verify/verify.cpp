#include "core/verify/verify.h"

#include <sqlite3.h>

#include <algorithm>
#include <thread>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/catalog/names.h"
#include "core/platform/bounds.h"
#include "core/sqlite/lanes.h"
#include "core/sqlite/newer_schema.h"
#include "core/sqlite/sealed_vfs.h"
#include "core/verify/verify_checks.h"

namespace core {
namespace {

using Outcome = VerifyCheck::Outcome;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Below this a thread costs more than it saves.
constexpr std::uint64_t kMinParallelBytes = 8ULL << 20;
// A snapshot that is replaced while it is looked at is looked at again.
constexpr int kMaxAttempts = 2;

double ms_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

class Verification {
 public:
  Verification(const VerifyRequest& request, const Env& env, ProgressSink& progress,
               std::stop_token stop)
      : request_(request), env_(env), progress_(progress), stop_(std::move(stop)) {}

  Expected<VerifyReport> run() {
    const auto start = steady_clock::now();
    report_.path = request_.snapshot;
    BPD_TRY(find_file());
    read_expectation();
    if (is_live()) {
      return fail(ErrorCode::conflict,
                  text_of(request_.snapshot) + " is a live database: a program has it open.",
                  "Take a snapshot of it with " + say(Action::snapshot) + ", and verify that.");
    }
    if (is_second_name()) {
      return fail(ErrorCode::conflict,
                  text_of(request_.snapshot) + " is a second name of the live database " +
                      report_.manifest->source +
                      ": the restore that was to keep it was interrupted.",
                  "Remove it with its manifest; the next restore does so, too.");
    }
    BPD_TRY_AS(connection, open_sealed(request_.snapshot));
    bool readable = false;
    add(timed([&] { return check_header(connection->get(), bytes_, header_, readable); }));
    // What cannot be looked at now is an error, as with the file itself: no check that was passed
    // over.
    BPD_TRY_AS(side_files, check_side_files(request_.snapshot, env_.files));
    add(timed([&] { return std::move(*side_files); }));
    run_lanes(connection->get(), readable);
    if (stop_.stop_requested()) {
      return fail(ErrorCode::cancelled,
                  "The check of " + text_of(request_.snapshot) + " was cancelled.");
    }
    if (unreadable_ || read_failed(connection->get(), bytes_)) return fail_unreadable();
    conclude(readable);
    if (request_.live_source && readable) {
      add(timed(
          [&] { return compare_live_source(counted(), *request_.live_source, env_, stop_); }));
    }
    judge();
    report_.elapsed_ms = ms_since(start);
    return std::move(report_);
  }

  // Whether another file or another manifest is there now than when run() began: then it compared
  // two that do not belong together.
  bool changed_meanwhile() const {
    if (request_.expected) return false;
    const auto info = env_.files.info(request_.snapshot);
    if (!info || info->id != id_ || info->modified != modified_) return true;
    const auto manifest = read_manifest(request_.snapshot, env_.files);
    return manifest_as_read_ != (manifest ? encode_manifest(*manifest) : manifest.error().message);
  }

 private:
  Expected<> find_file() {
    BPD_TRY_AS(info, env_.files.info(request_.snapshot));
    if (info->kind != FileInfo::Kind::file) {
      return fail(ErrorCode::invalid_argument, text_of(request_.snapshot) + " is not a file.",
                  "Name a snapshot that " + say(Action::list_snapshots) + " shows.");
    }
    bytes_ = info->bytes;
    id_ = info->id;
    modified_ = info->modified;
    return {};
  }

  // Whether that is damage nobody can tell: a cable, a server or a driver may be at fault.
  tl::unexpected<Error> fail_unreadable() const {
    return fail(ErrorCode::io,
                text_of(request_.snapshot) +
                    " could not be read to its end, so nobody can tell whether it is good.",
                "Look at the disk and the system's log, then verify again.");
  }

  // Somebody's live database has its wal-index beside it and no manifest: an immutable look at it
  // would find errors where there are none.
  bool is_live() const {
    return !report_.manifest && env_.files.info(shm_of(request_.snapshot)).has_value();
  }

  bool is_second_name() const {
    if (!report_.manifest || !is_safety_copy(text_of(request_.snapshot.filename()))) return false;
    const fs::path live =
        request_.snapshot.parent_path() / path_of(report_.manifest->source).filename();
    const auto ours = env_.files.info(request_.snapshot);
    const auto theirs = env_.files.info(live);
    return ours && theirs && ours->names > 1 && ours->id == theirs->id;
  }

  void read_expectation() {
    if (request_.expected) {
      report_.manifest = request_.expected;
      return;
    }
    auto manifest = read_manifest(request_.snapshot, env_.files);
    manifest_as_read_ = manifest ? encode_manifest(*manifest) : manifest.error().message;
    if (manifest) {
      report_.manifest = std::move(*manifest);
    } else if (manifest.error().code == ErrorCode::not_found) {
      no_manifest_ = "There is no manifest beside the snapshot.";
    } else {
      no_manifest_ = manifest.error().message;
      no_manifest_hint_ = manifest.error().hint;
    }
  }

  bool must_hash() const {
    return request_.known_sha256.empty() && report_.manifest && !report_.manifest->sha256.empty();
  }

  milliseconds time_limit() const {
    const auto mib = static_cast<std::int64_t>(bytes_ >> 20);
    return request_.time_limit.value_or(kCheckBase + mib * kCheckPerMib);
  }

  // A statement that the deadline ended says that it was interrupted.
  void mark_unfinished(VerifyCheck& check) const {
    if (check.outcome != Outcome::skipped || check.name.empty()) return;
    check.unfinished = true;
    check.reason = "It was not done within " +
                   std::to_string(std::chrono::ceil<std::chrono::seconds>(time_limit()).count()) +
                   " seconds, which is out of proportion to the file: its schema may be made to "
                   "take long.";
  }

  void run_lanes(sqlite3* connection, bool readable) {
    std::vector<Task> tasks;
    const Bound bound{stop_, steady_clock::now() + time_limit()};
    const auto plan = [&](auto& result, auto check) {
      tasks.emplace_back([this, &result, check, &bound](sqlite3* on) {
        const auto start = steady_clock::now();
        auto made = check(on);
        set_elapsed(made, ms_since(start));
        if (bound.passed()) mark_unfinished(check_of(made));
        result = std::move(made);
        if (read_failed(on, bytes_)) unreadable_ = true;
      });
    };
    // The two longest first.
    if (readable) {
      plan(structure_, [this](sqlite3* on) {
        structure_reads_ = &bytes_read(on);
        return check_structure(on, request_.level);
      });
    }
    if (must_hash()) {
      plan(digest_, [this](sqlite3* on) { return hash_file(on, bytes_, stop_, hashed_, sha256_); });
    }
    if (readable) {
      plan(pages_, [this](sqlite3* on) {
        return check_pages(on, bytes_, header_, accounting_left_by_sqlite(on), stop_);
      });
      plan(rows_, [this](sqlite3* on) { return count(on); });
      plan(foreign_keys_, [](sqlite3* on) { return check_foreign_keys(on); });
      plan(full_text_, [this](sqlite3* on) { return check_full_text(on, stop_); });
      plan(virtual_tables_, [](sqlite3* on) { return check_virtual_tables(on); });
    }
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const unsigned lanes = bytes_ < kMinParallelBytes ? 1 : std::min(kMaxLanes, cores);
    Lanes running(request_.snapshot, std::move(tasks), bound);
    running.run(connection, lanes, [this] { tick(); });
    progress_.report(total_steps(), total_steps(), "verify");
  }

  VerifyCheck count(sqlite3* connection) {
    VerifyCheck check;
    check.name = "row_counts";
    auto rows = count_rows(connection, stop_);
    if (!rows) return ended_by(check.name, rows.error());
    check.outcome = Outcome::passed;
    report_.rows = std::move(rows->rows);
    report_.virtual_rows = std::move(rows->virtual_rows);
    report_.rows_complete = !misses_tables(connection);
    if (!report_.rows_complete) check.reason = "Not each table could be counted.";
    return check;
  }

  RowCounts counted() const { return {report_.rows, report_.virtual_rows}; }

  std::uint64_t total_steps() const { return bytes_ * (must_hash() ? 2 : 1); }

  // The structure check reads each page about once, in any order: an estimate.
  void tick() {
    const std::atomic<std::uint64_t>* reads = structure_reads_;
    const std::uint64_t structure = reads != nullptr ? std::min(bytes_, reads->load()) : 0;
    progress_.report(structure + hashed_, total_steps(), "verify");
  }

  template <class Check>
  static VerifyCheck timed(Check make) {
    const auto start = steady_clock::now();
    VerifyCheck check = make();
    check.elapsed_ms = ms_since(start);
    return check;
  }
  static VerifyCheck& check_of(VerifyCheck& check) { return check; }
  static VerifyCheck& check_of(StructureCheck& check) { return check.structure; }
  static VerifyCheck& check_of(PagesCheck& check) { return check.pages; }
  static VerifyCheck& check_of(CountedCheck& counted) { return counted.check; }
  static void set_elapsed(auto& made, double ms) { check_of(made).elapsed_ms = ms; }

  void add(VerifyCheck check) {
    if (!check.name.empty()) report_.checks.push_back(std::move(check));
  }

  static VerifyCheck skipped(std::string name, std::string reason) {
    VerifyCheck check;
    check.name = std::move(name);
    check.reason = std::move(reason);
    return check;
  }

  // Puts what the lanes found beside what the manifest says.
  void conclude(bool readable) {
    add(conclude_digest());
    if (!readable) {
      const bool full = request_.level == VerifyLevel::full;
      for (const char* name :
           {full ? "integrity_check" : "quick_check", "row_counts", "foreign_keys"}) {
        add(skipped(name, report_.checks.front().outcome == Outcome::skipped
                              ? report_.checks.front().reason
                              : "The header is not that of an SQLite database."));
      }
      return;
    }
    compare_with_manifest();
    const VerifyCheck& structure = with_pages(structure_.structure);
    if (structure.outcome != Outcome::skipped) {
      report_.level = structure.name == "integrity_check" ? VerifyLevel::full : VerifyLevel::quick;
    }
    add(structure);
    add(conclude_counted(std::move(structure_.column_rules)));
    add(conclude_counted(all_of_indexes()));
    add(conclude_rows());
    add(conclude_counted(std::move(foreign_keys_)));
    add(conclude_counted(std::move(full_text_)));
    add(std::move(virtual_tables_));
  }

  // What SQLite passed without having looked at all pages has not passed yet. Where it could not
  // look at all, damaged pages are damage still.
  const VerifyCheck& with_pages(VerifyCheck& structure) const {
    const VerifyCheck& pages = pages_.pages;
    const bool counts = pages.outcome == Outcome::failed || structure.outcome == Outcome::passed;
    if (structure.outcome != Outcome::failed && pages.outcome != Outcome::passed && counts) {
      structure.outcome = pages.outcome;
      structure.findings = pages.findings;
      structure.reason = pages.reason;
    }
    return structure;
  }

  // SQLite's full check and the account of pages may find the same.
  CountedCheck all_of_indexes() {
    return structure_.indexes.total > 0 ? structure_.indexes : pages_.indexes;
  }

  VerifyCheck conclude_digest() {
    if (!report_.manifest) {
      const std::string hint = no_manifest_hint_.empty() ? "" : " " + no_manifest_hint_;
      return skipped("digest", no_manifest_ + hint);
    }
    if (report_.manifest->sha256.empty()) return skipped("digest", "The manifest has no digest.");
    if (!request_.known_sha256.empty()) sha256_ = request_.known_sha256;
    if (digest_.outcome == Outcome::failed) return digest_;  // could not be read to the end
    VerifyCheck check = compare_digest(sha256_, *report_.manifest);
    check.elapsed_ms = digest_.elapsed_ms;
    is_replaced_one_ = is_replaced_snapshot(*report_.manifest, sha256_);
    digest_passed_ = check.outcome == Outcome::passed;
    return check;
  }

  void compare_with_manifest() {
    VerifyCheck& header = report_.checks.front();
    if (!report_.manifest || is_replaced_one_ || header_.page_size == 0) return;
    for (std::string& finding : compare_header(header_, bytes_, *report_.manifest)) {
      header.outcome = Outcome::failed;
      header.findings.push_back(std::move(finding));
    }
  }

  VerifyCheck conclude_rows() {
    if (rows_.outcome != Outcome::passed) return rows_;
    if (!report_.manifest) return skipped("row_counts", no_manifest_);
    if (request_.expected) return rows_;
    if (is_replaced_one_) return skipped("row_counts", "The manifest is of a later run.");
    if (report_.manifest->rows.empty() && !report_.rows.empty()) {
      return skipped("row_counts", "The manifest has no row counts.");
    }
    VerifyCheck check = compare_rows(counted(), report_.rows_complete, *report_.manifest);
    check.elapsed_ms = rows_.elapsed_ms;
    if (check.outcome == Outcome::passed) check.reason = rows_.reason;
    return check;
  }

  // Findings that the source itself had are no damage of its copy.
  VerifyCheck conclude_counted(CountedCheck counted) {
    VerifyCheck check = std::move(counted.check);
    if (check.outcome != Outcome::failed || counted.total == 0) return check;
    if (request_.expected) report_.source_findings[check.name] = counted.total;
    if (request_.expected || is_of_source(check.name, counted.total)) {
      check.outcome = Outcome::passed;
      check.reason = "The source itself has " + std::to_string(counted.total) +
                     (counted.total == 1 ? " such finding" : " such findings") +
                     "; the copy is faithful." + (check.reason.empty() ? "" : " ") + check.reason;
    } else if (!report_.manifest || report_.manifest->sha256.empty()) {
      check.outcome = Outcome::skipped;
      check.reason = "Without a digest nobody can tell whether the source has the same.";
    }
    return check;
  }

  // By a digest that fits, and where the manifest could know.
  bool is_of_source(const std::string& check, std::uint64_t findings) const {
    if (!report_.manifest || !digest_passed_) return false;
    // Versions of SQLite differ in what they find here, in the very same bytes; and into indexes
    // the check that was made when it was taken may not have looked.
    if (check == "column_rules" || check == "indexes") return true;
    if (is_replaced_one_ || report_.manifest->verified == VerifyLevel::none) return true;
    const auto& known = report_.manifest->source_findings;
    const auto it = known.find(check);
    return it != known.end() && findings <= it->second;
  }

  void judge() {
    bool failed = false, missing = false;
    for (const VerifyCheck& check : report_.checks) {
      failed = failed || check.outcome == Outcome::failed;
      const bool matters = check.unfinished || check.name == "header" ||
                           check.name == "side_files" || check.name == "quick_check" ||
                           check.name == "integrity_check" ||
                           (check.name == "digest" && !request_.expected);
      missing = missing || (matters && check.outcome == Outcome::skipped);
    }
    report_.verdict = failed    ? VerifyReport::Verdict::damaged
                      : missing ? VerifyReport::Verdict::inconclusive
                                : VerifyReport::Verdict::verified;
  }

  const VerifyRequest& request_;
  const Env& env_;
  ProgressSink& progress_;
  std::stop_token stop_;

  VerifyReport report_;
  std::uint64_t bytes_ = 0;
  FileId id_;
  Instant modified_{};
  std::string manifest_as_read_;
  FileHeader header_;
  std::string no_manifest_, no_manifest_hint_;
  bool is_replaced_one_ = false;
  bool digest_passed_ = false;

  // Each written by one lane only, read when all have ended.
  VerifyCheck digest_, rows_, virtual_tables_;
  PagesCheck pages_;
  StructureCheck structure_;
  CountedCheck foreign_keys_, full_text_;
  std::string sha256_;

  std::atomic<bool> unreadable_{false};
  std::atomic<std::uint64_t> hashed_{0};
  std::atomic<const std::atomic<std::uint64_t>*> structure_reads_{nullptr};
};

}  // namespace

std::string_view to_string(VerifyReport::Verdict verdict) {
  switch (verdict) {
    case VerifyReport::Verdict::verified:
      return "verified";
    case VerifyReport::Verdict::damaged:
      return "damaged";
    case VerifyReport::Verdict::inconclusive:
      return "inconclusive";
  }
  return "inconclusive";
}

std::string_view to_string(VerifyCheck::Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::skipped:
      return "skipped";
  }
  return "skipped";
}

std::string index_advice() {
  return "REINDEX mends that, in the source itself or by " + say(Action::restore) + " with " +
         say_parameter("reindex", true) +
         "; but where its program brings functions or collations of its own, the indexes may be "
         "right for that one.";
}

std::string describe_failures(const VerifyReport& report) {
  std::string text;
  for (const VerifyCheck& check : report.checks) {
    if (check.outcome != Outcome::failed) continue;
    text += (text.empty() ? "" : "; ") + check.name;
    if (check.findings.empty()) continue;
    text += ": " + check.findings.front();
    while (text.ends_with('.')) text.pop_back();
  }
  return text;
}

Expected<VerifyReport> verify_snapshot(const VerifyRequest& request, const Env& env,
                                       ProgressSink& progress, std::stop_token stop) {
  NoProgress silent;  // the bytes were all told of
  BPD_TRY_AS(resolved, env.files.canonical(request.snapshot));
  VerifyRequest kept = request;
  kept.snapshot = *resolved;
  const Bounds bounds(env, {resolved->parent_path()});
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    Verification verification(kept, bounds.env(), attempt == 1 ? progress : silent, stop);
    auto report = verification.run();
    if (report) report->path = request.snapshot;
    const bool damaged = report && report->verdict == VerifyReport::Verdict::damaged;
    if (!damaged || !verification.changed_meanwhile()) return report;
  }
  return fail(ErrorCode::busy,
              text_of(request.snapshot) + " is replaced by other snapshots as it is looked at.",
              "Try again in a moment.");
}

}  // namespace core
