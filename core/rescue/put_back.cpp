#include "core/rescue/put_back.h"

#include <algorithm>
#include <future>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/manifest.h"
#include "core/catalog/run_records.h"
#include "core/platform/bounds.h"
#include "core/platform/run_lock.h"
#include "core/platform/sha256.h"
#include "core/rescue/live_writer.h"
#include "core/rescue/row_text.h"
#include "core/rescue/undo_file.h"
#include "core/rescue/write_rows.h"
#include "core/snapshot/snapshot.h"
#include "core/sqlite/pinned_source.h"
#include "core/verify/verify.h"

namespace core {
namespace {

constexpr std::chrono::seconds kPlanTime{60};
constexpr int kMaxLabels = 100;
// Where the system gives no thread it is done later, by who waits for it.
constexpr auto kBesideEachOther = std::launch::async | std::launch::deferred;

class RowRestoration {
 public:
  RowRestoration(const RestoreRowsRequest& request, const Env& env, ProgressSink& progress,
                 std::stop_token stop)
      : request_(request),
        bounds_(env, {}),
        env_(bounds_.env()),
        progress_(progress),
        stop_(std::move(stop)) {
    result_.dry_run = request.dry_run;
  }

  Expected<RestoreRowsResult> run();
  const fs::path& source() const { return source_; }
  const fs::path& before() const { return result_.before; }

 private:
  Expected<> check_request();
  Expected<> preview();
  Expected<> restore();
  Expected<RowPlan> plan(sqlite3* connection, bool open_transaction);
  Expected<bool> is_as_verified(const fs::path& snapshot) const;
  Expected<> verify_snapshots();
  Expected<> keep_present_state();
  Expected<> write(LiveWriter& writer, RowPlan& plan);
  Expected<> tell(sqlite3* connection, const RowPlan& plan);
  void tell_of_indexes(sqlite3* connection, const RowPlan& plan);
  Error told(Error error) const;
  std::string schema_of(std::size_t snapshot) const { return "snap" + std::to_string(snapshot); }

  const RestoreRowsRequest& request_;
  Bounds bounds_;
  const Env& env_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  fs::path source_;
  std::vector<fs::path> snapshots_;
  RestoreRowsResult result_;
};

Expected<> RowRestoration::check_request() {
  BPD_TRY(check_choice(request_.choice));
  if (!request_.missing && !request_.changed) {
    return fail(ErrorCode::invalid_argument, "Neither missing nor changed rows were asked for.",
                "Leave 'missing' at its default, or give changed: true.");
  }
  if (request_.snapshots.empty() || request_.snapshots.size() > kMaxRestoredSnapshots) {
    return fail(ErrorCode::invalid_argument,
                "Rows come from 1 to " + std::to_string(kMaxRestoredSnapshots) +
                    " snapshots at a time, not from " + std::to_string(request_.snapshots.size()) +
                    ".",
                "Name the snapshot to take them from.");
  }
  if (!request_.dry_run && !request_.confirmed) {
    return fail(ErrorCode::needs_confirmation,
                "Putting rows back writes into " + text_of(request_.source) + ".",
                "Preview with " + say_parameter("dry_run") +
                    ". Only after the user's yes: the same call with " +
                    say_parameter("confirmed", true) + ".");
  }
  return {};
}

Expected<RestoreRowsResult> RowRestoration::run() {
  BPD_TRY(check_request());
  BPD_TRY_AS(source, env_.files.canonical(request_.source));
  source_ = std::move(*source);
  result_.source = source_;
  bounds_.add(source_.parent_path());
  for (const fs::path& snapshot : request_.snapshots) {
    BPD_TRY_AS(path, env_.files.canonical(snapshot));
    BPD_TRY_AS(info, env_.files.info(*path));
    BPD_TRY_AS(live, env_.files.info(source_));
    if (info->id == live->id) {
      return fail(ErrorCode::invalid_argument, "Snapshot and database are the same file.",
                  "Name the live database as source.");
    }
    bounds_.add(path->parent_path());
    snapshots_.push_back(std::move(*path));
  }
  if (request_.dry_run) {
    BPD_TRY(preview());
  } else {
    BPD_TRY(restore());
  }
  return std::move(result_);
}

// The transaction that reads the live database must be open, or is opened here and ended.
Expected<RowPlan> RowRestoration::plan(sqlite3* connection, bool open_transaction) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < snapshots_.size(); ++i) {
    names.push_back(schema_of(i));
    BPD_TRY(attach_snapshot(connection, snapshots_[i], names.back()));
  }
  const Deadline deadline(connection, kPlanTime, stop_);
  if (open_transaction) {
    BPD_TRY(sqlite::execute(connection, "BEGIN", "cannot read " + text_of(source_)));
  }
  auto made = make_plan(connection, names, {request_.choice, request_.missing, request_.changed});
  if (open_transaction) {
    auto ended = sqlite::execute(connection, made ? "COMMIT" : "ROLLBACK", "cannot read");
    if (made && !ended) return fail(ended.error());
  }
  if (!made && made.error().code == ErrorCode::cancelled && deadline.passed()) {
    return fail(ErrorCode::timed_out,
                "Looking for the rows took more than " + std::to_string(kPlanTime.count()) + " s.",
                "Choose fewer tables.");
  }
  return made;
}

Expected<> RowRestoration::preview() {
  BPD_TRY_AS(pinned, PinnedSource::open(source_, request_.busy_timeout, env_, stop_));
  BPD_TRY(sqlite::execute(pinned->connection(), "PRAGMA temp_store = FILE", "cannot preview"));
  BPD_TRY_AS(made, plan(pinned->connection(), false));
  BPD_TRY(pinned->intact());
  return tell(pinned->connection(), *made);
}

// Whether it has the bytes that were verified when it was taken: half the work of a check, and as
// good. What lies beside it is not read here.
Expected<bool> RowRestoration::is_as_verified(const fs::path& snapshot) const {
  const auto manifest = read_manifest(snapshot, env_.files);
  if (!manifest || manifest->verified == VerifyLevel::none) return false;
  const auto digest = sha256_of_file(snapshot, stop_);
  if (!digest && digest.error().code == ErrorCode::cancelled) return fail(digest.error());
  return digest && *digest == manifest->sha256;
}

Expected<> RowRestoration::verify_snapshots() {
  NoProgress progress;
  for (const fs::path& snapshot : snapshots_) {
    BPD_TRY_AS(as_verified, is_as_verified(snapshot));
    if (*as_verified) continue;
    VerifyRequest request;
    request.snapshot = snapshot;
    BPD_TRY_AS(report, verify_snapshot(request, env_, progress, stop_));
    if (report->verdict != VerifyReport::Verdict::damaged) continue;
    return fail(ErrorCode::damaged,
                text_of(snapshot) + " failed its check (" + describe_failures(*report) +
                    "); nothing was changed.",
                "Name another snapshot; " + say(Action::list_snapshots) + " shows them.");
  }
  return {};
}

// Under a label of its own: a snapshot of the day would be replaced, with the rows in it.
Expected<> RowRestoration::keep_present_state() {
  SnapshotRequest request;
  request.source = source_;
  request.destination = request_.destination;
  request.busy_timeout = request_.busy_timeout;
  request.full_when_due = false;  // the first of its label, it would always be due
  const std::string time = compact_instant(env_.clock.now());
  for (int number = 1; number <= kMaxLabels; ++number) {
    request.label = "before-rows-" + time + (number == 1 ? "" : "-" + std::to_string(number));
    request.dry_run = true;
    BPD_TRY_AS(planned, take_snapshot(request, env_, progress_, stop_));
    if (env_.files.link_info(planned->snapshot)) continue;
    request.dry_run = false;
    BPD_TRY_AS(taken, take_snapshot(request, env_, progress_, stop_));
    if (taken->verification && taken->verification->verdict == VerifyReport::Verdict::damaged) {
      return fail(
          ErrorCode::damaged, "The snapshot of the present state failed its check.",
          "Check the database with " + say(Action::verify) + " first; nothing was changed.");
    }
    result_.before = taken->snapshot;
    return {};
  }
  return fail(ErrorCode::conflict, "There are too many snapshots of this second.",
              "Try again in a moment.");
}

Expected<> RowRestoration::restore() {
  BPD_TRY_AS(lock, RunLock::acquire("rows\n" + text_of(source_),
                                    "rows of " + text_of(source_) + " being put back",
                                    request_.lock_timeout, env_, stop_));
  BPD_TRY_AS(writer, LiveWriter::open(source_, request_.busy_timeout, env_, stop_));
  sqlite3* connection = writer->connection();
  BPD_TRY(sqlite::execute(connection, "PRAGMA foreign_keys = ON", "cannot prepare"));
  // What takes longest, of large databases, goes on beside each other.
  auto verifying = std::async(kBesideEachOther, [this] { return verify_snapshots(); });
  BPD_TRY_AS(made, plan(connection, true));
  for (std::size_t i = 0; i < snapshots_.size(); ++i) {
    BPD_TRY(sqlite::execute(connection, "DETACH " + schema_of(i), "cannot let the snapshot go"));
  }
  if (made->rows() == 0) return tell(connection, *made);
  const auto kept = keep_present_state();
  BPD_TRY(verifying.get());
  BPD_TRY(kept);
  const Deadline deadline(connection, kWriteTime, stop_);
  BPD_TRY(writer->begin());
  auto written = write(*writer, *made);
  if (written) return {};
  writer->roll_back();
  if (written.error().code == ErrorCode::cancelled && deadline.passed()) {
    return fail(
        ErrorCode::timed_out,
        "Writing took more than " + std::to_string(kWriteTime.count()) + " s; nothing was changed.",
        "Choose fewer tables or rows.");
  }
  return fail(told(written.error()));
}

Error RowRestoration::told(Error error) const {
  error.message += " The state before is in " + text_of(result_.before) + ".";
  return error;
}

Expected<> RowRestoration::write(LiveWriter& writer, RowPlan& plan) {
  sqlite3* connection = writer.connection();
  BPD_TRY(sqlite::execute(connection, "PRAGMA defer_foreign_keys = ON", "cannot prepare"));
  BPD_TRY(settle(connection, plan));
  BPD_TRY_AS(rows, write_rows(connection, plan));
  if (plan.rows() == 0) {
    writer.roll_back();
    return tell(connection, plan);
  }
  tell_of_indexes(connection, plan);
  UndoRecord record{manifest_text(text_of(source_)), env_.clock.now(), std::move(rows->changeset)};
  BPD_TRY_AS(undo, keep_undo(record, env_));
  if (auto committed = writer.commit(); !committed) {
    (void)forget_undo(*undo, env_);
    return committed;
  }
  result_.undo = std::move(*undo);
  result_.triggered = std::move(rows->triggered);
  for (const std::string& table : rows->unrecorded) {
    result_.warnings.push_back("Triggers wrote to table " + table +
                               ", which has no primary key or has generated columns: an undo "
                               "leaves that as it is.");
  }
  if (auto counted = tell(connection, plan); !counted) {
    result_.warnings.push_back("The rows are back, but could not be counted: " +
                               counted.error().message);
  }
  return {};
}

void RowRestoration::tell_of_indexes(sqlite3* connection, const RowPlan& plan) {
  const auto missing = unindexed(connection, plan);
  if (!missing) return;
  for (const auto& [index, count] : *missing) {
    result_.warnings.push_back(std::to_string(count) +
                               " of the rows are not in the full-text index " + index +
                               ", which no trigger keeps in step: have its program rebuild it.");
  }
}

Expected<> RowRestoration::tell(sqlite3* connection, const RowPlan& plan) {
  result_.left = plan.left;
  result_.left_total = plan.left_total;
  result_.refused = plan.refused;
  result_.rows = plan.rows();
  std::move(plan.warnings.begin(), plan.warnings.end(), std::back_inserter(result_.warnings));
  for (const RowBatch& batch : plan.batches) {
    if (batch.rows == 0) continue;
    RestoredTable& table = result_.tables[batch.table.name];
    (batch.update ? table.changed : table.put_back) += batch.rows;
    table.hanging += batch.hanging;
    if (table.keys.size() < kMaxKeysShown) {
      BPD_TRY_AS(keys, keys_of(connection, batch, kMaxKeysShown - table.keys.size()));
      std::move(keys->begin(), keys->end(), std::back_inserter(table.keys));
    }
    if (result_.undo.empty()) continue;
    BPD_TRY_AS(there, present(connection, batch));
    if (*there < batch.rows) {
      result_.warnings.push_back(std::to_string(batch.rows - *there) + " rows of table " +
                                 batch.table.name +
                                 " are gone again: another program removed them meanwhile.");
    }
  }
  return {};
}

}  // namespace

Expected<RestoreRowsResult> restore_rows(const RestoreRowsRequest& request, const Env& env,
                                         ProgressSink& progress, std::stop_token stop) {
  RunRecord run = ended_run("rows", env.clock.now(), env);
  RowRestoration restoration(request, env, progress, std::move(stop));
  auto result = restoration.run();
  if (request.dry_run || (result && result->undo.empty())) return result;
  if (!result && restoration.source().empty()) return result;
  run.finished_at = env.clock.now();
  run.source = text_of(restoration.source());
  run.snapshot = recorded_path(request.snapshots.front(), env);
  if (!result) {
    note_failure(run, result.error());
    (void)record_run(run, env);
    return result;
  }
  run.warnings.assign(result->warnings.begin(), result->warnings.end());
  auto told = record_and_tell(run, env);
  std::move(told.begin(), told.end(), std::back_inserter(result->warnings));
  return result;
}

}  // namespace core
