#include "core/snapshot/snapshot.h"

#include <algorithm>
#include <cassert>
#include <future>
#include <iterator>

#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/catalog/loss.h"
#include "core/catalog/machine.h"
#include "core/catalog/names.h"
#include "core/catalog/retention.h"
#include "core/catalog/series.h"
#include "core/platform/bounds.h"
#include "core/platform/folder_lock.h"
#include "core/platform/ownership.h"
#include "core/platform/room.h"
#include "core/platform/run_lock.h"
#include "core/platform/temporary.h"
#include "core/snapshot/copy.h"
#include "core/snapshot/damaged_copy.h"
#include "core/snapshot/predecessor.h"
#include "core/snapshot/prune.h"
#include "core/snapshot/publish.h"
#include "core/snapshot/snapshot_check.h"
#include "core/snapshot/snapshot_leftovers.h"
#include "core/snapshot/snapshot_plan.h"
#include "core/snapshot/snapshot_record.h"
#include "core/snapshot/unchanged.h"
#include "core/sqlite/newer_schema.h"
#include "core/sqlite/row_counts.h"
#include "core/sqlite/sealed_vfs.h"

namespace core {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// On a thread of its own where one can be had; else when its result is asked for.
constexpr auto kBeside = std::launch::async | std::launch::deferred;

tl::unexpected<Error> fail_stopped(const SnapshotPlan& plan) {
  return fail(ErrorCode::cancelled, "The snapshot of " + text_of(plan.source) + " was stopped.",
              "Nothing was published; take it again when it suits.");
}

// One run from its plan to the published snapshot. Members hold what several steps share.
class SnapshotRun {
 public:
  SnapshotRun(const SnapshotRequest& request, SnapshotPlan plan, const Env& env,
              ProgressSink& progress, std::stop_token stop)
      : request_(request),
        plan_(std::move(plan)),
        env_(env),
        progress_(progress),
        stop_(std::move(stop)),
        begun_(env.clock.steady_now()) {}

  Expected<SnapshotResult> run();

 private:
  Expected<> lock();
  Expected<> look_around();
  Expected<> look_at_series();
  Expected<> look_once();
  void find_previous();
  void stand(Snapshot standing);
  bool is_unchanged(const PinnedSource& source);
  bool is_published_already();
  void sweep();
  Expected<PinnedSource> pin();
  Expected<> check_space(const FileHeader& header);
  Expected<> preview(PinnedSource& source);
  Expected<> make_snapshot(PinnedSource& source);
  Expected<Copy> copy(PinnedSource& source, const fs::path& target);
  Expected<> settle(Copy& copy, const fs::path& file);
  Expected<> verify(const fs::path& file);
  Expected<> count(const fs::path& file);
  Error with_damaged_copy(Error error, Temporary& file);
  Expected<> publish(Temporary& file);
  const RunLock& series_lock() const {
    assert(!locks_.empty());
    return locks_.back();
  }
  void look_for_loss();
  void tell_of_loss(const fs::path& kept_as);
  void tell_of_replaced(const Snapshot& replaced);
  std::string period_of_name() const { return plan_.name.time ? "hour" : "day"; }
  bool may_expire();
  void apply_retention();
  void remove_new_folders();
  double ms_since(SteadyTime start) const;

  const SnapshotRequest& request_;
  const SnapshotPlan plan_;
  const Env& env_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  const SteadyTime begun_;
  std::vector<RunLock> locks_;
  std::optional<UnchangedSource> unchanged_;  // with unless_unchanged
  std::vector<Snapshot> series_;
  std::optional<Snapshot> previous_;   // the latest before this one
  std::optional<Snapshot> fuller_;     // the earlier one, with much that this one has lost
  std::string uncompared_;             // why the one before could not be compared with
  std::vector<fs::path> new_folders_;  // made in this run, the deepest first
  SnapshotResult result_;
};

Expected<SnapshotResult> SnapshotRun::run() {
  result_.snapshot = plan_.snapshot;
  result_.manifest_path = manifest_path_of(plan_.snapshot);
  result_.dry_run = request_.dry_run;
  if (!request_.dry_run) {
    BPD_TRY(lock());
  }
  BPD_TRY(look_around());
  if (request_.unless_unchanged && !request_.date && !request_.dry_run) {
    unchanged_.emplace(plan_, request_, env_);
  }
  BPD_TRY_AS(source, pin());
  if (is_unchanged(*source)) {
    source->close();
    if (may_expire()) apply_retention();
    result_.timings.total_ms = ms_since(begun_);
    return std::move(result_);
  }
  find_previous();
  BPD_TRY(check_space(source->header()));
  if (request_.dry_run) {
    BPD_TRY(preview(*source));
  } else if (auto made = make_snapshot(*source); !made) {
    if (const auto there = env_.files.info(plan_.destination);
        !there && there.error().code == ErrorCode::not_found) {
      return fail(ErrorCode::not_found,
                  "The destination " + text_of(plan_.destination) +
                      " went away while the snapshot was taken.",
                  "Attach its disk, or create the folder again; then take the snapshot again.");
    }
    remove_new_folders();
    return fail(made.error());
  }
  if (unchanged_ && look_at_series()) unchanged_->remember(series_, result_.manifest);
  apply_retention();
  result_.timings.total_ms = ms_since(begun_);
  return std::move(result_);
}

// Two locks, always in this order: one source and destination is one run, and two sources that
// would share a name must not both find it free.
Expected<> SnapshotRun::lock() {
  const std::string source = text_of(plan_.source);
  const std::string what = "a snapshot of " + source + " to " + text_of(plan_.destination);
  for (const std::string& key : {"run\n" + source + "\n" + text_of(plan_.destination),
                                 series_lock_key(plan_.folder, plan_.name.stem)}) {
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(env_.clock.steady_now() - begun_);
    const auto left = std::max(request_.lock_timeout - waited, std::chrono::milliseconds{0});
    BPD_TRY_AS(lock, RunLock::acquire(key, what, left, env_, stop_));
    locks_.push_back(std::move(*lock));
  }
  return {};
}

Expected<> SnapshotRun::look_around() {
  const auto folder = env_.files.info(plan_.folder);
  if (!folder) {
    if (folder.error().code == ErrorCode::not_found) return {};
    return fail(folder.error());
  }
  if (!request_.dry_run) sweep();
  return look_at_series();
}

Expected<> SnapshotRun::look_at_series() {
  auto looked = look_once();
  // Another user's run may have published between the list and the look at the name: what is there
  // then looks like another spelling of it. What is in the way for good is so the second time, too.
  if (!looked && looked.error().code == ErrorCode::conflict) looked = look_once();
  return looked;
}

Expected<> SnapshotRun::look_once() {
  BPD_TRY_AS(series, list_series(plan_.folder, plan_.name.stem, env_.files));
  series_ = std::move(*series);
  result_.replaced = find_named(series_, plan_.snapshot) != nullptr;
  return check_place(plan_, series_, env_.files);
}

// Which snapshot this one is to be compared with, and what there is to say of whose it is.
void SnapshotRun::find_previous() {
  const Instant now = env_.clock.now();
  previous_ = latest_of(series_, now);
  if (previous_ && previous_->manifest && previous_->manifest->host == manifest_text(plan_.host) &&
      whose_is(*previous_->manifest, plan_.host, result_.manifest.machine) == Whose::others) {
    result_.warnings.push_back(
        "The last snapshot here, " + text_of(previous_->path) + ", is not of this installation: " +
        tell_whose(*previous_->manifest, plan_.host, result_.manifest.machine) +
        " If two machines share that name, give each a hostname of its own; if this one was set up "
        "anew, there is nothing to do.");
  }
  if (previous_) return;
  auto found = look_for_predecessors(plan_, result_.manifest.machine, env_.files, now);
  previous_ = std::move(found.latest);
  std::move(found.notes.begin(), found.notes.end(), std::back_inserter(result_.warnings));
}

void SnapshotRun::stand(Snapshot standing) {
  result_.unchanged = true;
  result_.replaced = false;
  result_.snapshot = standing.path;
  result_.manifest_path = manifest_path_of(standing.path);
  result_.manifest = std::move(*standing.manifest);
}

// Nothing is to be copied where it is proved that the source is in the state of its last snapshot.
bool SnapshotRun::is_unchanged(const PinnedSource& source) {
  if (!unchanged_) return false;
  auto standing = unchanged_->proved(source, series_, result_.manifest.machine);
  if (!standing) return false;
  stand(std::move(*standing));
  return true;
}

// Nothing is to be published where the copy has the bytes of the last snapshot.
bool SnapshotRun::is_published_already() {
  if (!unchanged_) return false;
  std::string warning;
  auto standing = unchanged_->still_stands(series_, result_.manifest, warning);
  if (!warning.empty()) result_.warnings.emplace_back(std::move(warning));
  if (!standing) return false;
  stand(std::move(*standing));
  return true;
}

void SnapshotRun::sweep() {
  auto left = sweep_snapshot_leftovers(plan_.folder, plan_.name.stem, text_of(plan_.source), env_,
                                       series_lock());
  result_.swept = std::move(left.swept);
  std::move(left.warnings.begin(), left.warnings.end(), std::back_inserter(result_.warnings));
}

Expected<PinnedSource> SnapshotRun::pin() {
  BPD_TRY_AS(source, PinnedSource::open(plan_.source, request_.busy_timeout, env_, stop_));
  if (!source->warning().empty()) result_.warnings.push_back(source->warning());
  const FileHeader& header = source->header();
  Manifest& manifest = result_.manifest;
  manifest.source = manifest_text(text_of(plan_.source));
  manifest.host = manifest_text(plan_.host);
  manifest.machine = request_.dry_run || !plan_.machine.empty() ? plan_.machine : machine_id(env_);
  manifest.label = manifest_text(plan_.label);
  manifest.keep_rules = rules_of(request_.retention);
  manifest.taken_at = env_.clock.now();
  manifest.tool_version = BPD_VERSION;
  manifest.bytes = header.bytes();
  manifest.page_size = header.page_size;
  manifest.page_count = header.page_count;
  manifest.user_version = header.user_version;
  manifest.journal_mode = header.journal_mode();
  return source;
}

Expected<> SnapshotRun::check_space(const FileHeader& header) {
  return check_room({plan_.destination, header.bytes(), "the snapshot",
                     "Free some space there, keep fewer snapshots, or choose another destination."},
                    env_.files);
}

// What the rows tell of without a copy: the alarm, on which retention depends.
Expected<> SnapshotRun::preview(PinnedSource& source) {
  auto rows = count_rows(source.connection(), stop_);
  result_.manifest.rows_complete = !misses_tables(source.connection());
  source.close();
  if (stop_.stop_requested()) return fail_stopped(plan_);
  if (!rows) return fail(rows.error());
  result_.manifest.rows = manifest_rows(rows->rows);
  result_.manifest.virtual_rows = manifest_rows(rows->virtual_rows);
  look_for_loss();
  tell_of_loss({});
  return {};
}

Expected<> SnapshotRun::make_snapshot(PinnedSource& source) {
  for (fs::path folder = plan_.folder; folder.has_relative_path() && !env_.files.link_info(folder);
       folder = folder.parent_path()) {
    new_folders_.push_back(folder);
  }
  BPD_TRY(env_.files.make_folders(plan_.folder, kPrivateFolder));
  Temporary file(temporary_path_of(plan_.snapshot), env_.files);
  if (unchanged_) unchanged_->before_copy(source);
  BPD_TRY_AS(copied, copy(source, file.path()));
  if (!copied->journal_mode_reset) {
    result_.warnings.emplace_back(
        "The pages of this database carry checksums, so the snapshot keeps the WAL mode of its "
        "source: opening it leaves -wal and -shm files beside it.");
  }
  if (auto settled = settle(*copied, file.path()); !settled) {
    return fail(with_damaged_copy(settled.error(), file));
  }
  if (stop_.stop_requested()) return fail_stopped(plan_);
  if (unchanged_) {
    BPD_TRY(unchanged_->compare(series_, result_.manifest, stop_));
  }
  // Beside what publishing waits for the disk: for a gigabyte it takes as long.
  const auto dropping = std::async(kBeside, [&] { copied->file->drop_cache(); });
  return publish(file);
}

Expected<Copy> SnapshotRun::copy(PinnedSource& source, const fs::path& target) {
  const auto start = env_.clock.steady_now();
  CopyRequest request;
  request.target = target;
  request.deadline = start + request_.copy_timeout;
  // A rollback-journal source is locked against its writers until the last page is read: there the
  // hash must not slow the copy, nor take a core from it.
  const bool wal = source.header().says_wal();
  if (!request_.digest) {
    request.digest = DigestMode::none;
  } else {
    request.digest = wal ? DigestMode::beside : DigestMode::after;
  }
  auto copied = copy_database(source, request, env_, progress_, stop_);
  result_.timings.copy_ms = ms_since(start);
  if (!copied && stop_.stop_requested()) return fail_stopped(plan_);
  return copied;
}

// Syncs the copy while its hash ends and the checks run: they read what the sync writes.
Expected<> SnapshotRun::settle(Copy& copy, const fs::path& file) {
  const auto start = env_.clock.steady_now();
  auto sync = std::async(kBeside, [&] {
    auto synced = copy.file->sync();
    return std::pair(std::move(synced), ms_since(start));
  });
  auto digest = copy.file->digest();
  result_.timings.digest_ms = ms_since(start);
  Expected<> checked;
  if (digest) {
    result_.manifest.sha256 = *digest;
    checked = request_.verify == VerifyLevel::none ? count(file) : verify(file);
  }
  // While the last pages go to the disk, the others can leave the memory.
  if (checked && sync.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
    copy.file->drop_cache();
  }
  auto [synced, sync_ms] = sync.get();
  result_.timings.sync_ms = sync_ms;
  if (stop_.stop_requested()) return fail_stopped(plan_);
  if (!digest) return fail(digest.error());
  if (!synced) return fail(synced.error());
  if (!*synced) result_.warnings.push_back(unsynced_file_warning(plan_.snapshot));
  return checked;
}

Expected<> SnapshotRun::verify(const fs::path& file) {
  const auto start = env_.clock.steady_now();
  VerifyRequest request;
  request.snapshot = file;
  const Instant now = env_.clock.now();
  result_.manifest.full_check_at = last_full_check(plan_, series_, now);
  request.level = request_.full_when_due
                      ? due_level(request_.verify, result_.manifest.full_check_at, now)
                      : request_.verify;
  request.known_sha256 = result_.manifest.sha256;
  request.expected = result_.manifest;
  auto report = verify_snapshot(request, env_, progress_, stop_);
  result_.timings.verify_ms = ms_since(start);
  if (!report) return fail(report.error());
  result_.manifest.rows = manifest_rows(report->rows);
  result_.manifest.virtual_rows = manifest_rows(report->virtual_rows);
  result_.manifest.rows_complete = report->rows_complete;
  if (report->verdict == VerifyReport::Verdict::damaged) {
    return fail(failed_check(plan_, *report, request.level));
  }
  Manifest& manifest = result_.manifest;
  manifest.source_findings = report->source_findings;
  if (report->verdict == VerifyReport::Verdict::verified) {
    manifest.verified = report->level;
    manifest.verified_at = now;
    if (report->level == VerifyLevel::full) manifest.full_check_at = now;
  }
  auto warnings = check_warnings(*report, request_.verify);
  std::move(warnings.begin(), warnings.end(), std::back_inserter(result_.warnings));
  report->path = plan_.snapshot;
  report->manifest = manifest;
  result_.verification = std::move(*report);
  return {};
}

// Without a check the manifest still says how many rows there are.
Expected<> SnapshotRun::count(const fs::path& file) {
  BPD_TRY_AS(connection, open_sealed(file));
  auto rows = count_rows(connection->get(), stop_);
  result_.manifest.rows_complete = rows && !misses_tables(connection->get());
  if (rows) {
    result_.manifest.rows = manifest_rows(rows->rows);
    result_.manifest.virtual_rows = manifest_rows(rows->virtual_rows);
  } else if (!stop_.stop_requested()) {
    result_.warnings.push_back("The rows could not be counted: " + rows.error().message);
  }
  return {};
}

// As long as no good snapshot succeeds, that is all there is of the newest state.
Error SnapshotRun::with_damaged_copy(Error error, Temporary& file) {
  if (error.code != ErrorCode::damaged || stop_.stop_requested()) return error;
  const auto kept = keep_damaged_copy(plan_, result_.manifest, file, env_.files, series_lock());
  if (!kept) {
    error.message += " Nor could the damaged copy be kept: " + kept.error().message;
    return error;
  }
  error.message += " The damaged copy is kept as " + text_of(*kept) + ".";
  error.hint += " " + recovery_advice(*kept);
  return error;
}

Expected<> SnapshotRun::publish(Temporary& file) {
  BPD_TRY_AS(lock, FolderLock::acquire(plan_.folder, request_.lock_timeout, env_, stop_));
  // Another user or machine, whose state folder is not ours, may have published meanwhile.
  BPD_TRY(look_at_series());
  if (is_published_already()) return {};
  look_for_loss();
  PublishRequest request;
  request.snapshot = plan_.snapshot;
  request.name = plan_.name;
  if (const Snapshot* same_name = find_named(series_, plan_.snapshot))
    request.replaces = *same_name;
  request.keep_replaced = result_.shrink_alarm;
  BPD_TRY_AS(published, publish_snapshot(request, file, result_.manifest, env_.files, stop_,
                                         series_lock(), *lock));
  if (!published->kept_as.empty()) {
    result_.replaced = false;
    result_.warnings.push_back("The earlier snapshot of the same " + period_of_name() +
                               " was kept as " + text_of(published->kept_as) + ".");
  } else if (request.replaces) {
    tell_of_replaced(*request.replaces);
  }
  if (auto open = open_to_others(plan_.snapshot, env_.files)) {
    result_.warnings.push_back(std::move(*open));
  }
  tell_of_loss(published->kept_as);
  std::move(published->warnings.begin(), published->warnings.end(),
            std::back_inserter(result_.warnings));
  return {};
}

void SnapshotRun::look_for_loss() {
  const Instant now = env_.clock.now();
  std::vector<Snapshot> earlier = series_;
  if (earlier.empty() && previous_) earlier.push_back(*previous_);  // under an earlier host name
  auto compared = compare_with_earlier(earlier, result_.manifest, now);
  if (compared.fuller) {  // of those that have it the one to restore
    mark_unusable(earlier, env_.files);
    compared = compare_with_earlier(earlier, result_.manifest, now);
  }
  fuller_ = std::move(compared.fuller);
  uncompared_ = std::move(compared.uncompared);
  result_.shrink_alarm = fuller_.has_value();
}

// Of too few rows for an alarm it is said all the same: the next older one may not have them.
void SnapshotRun::tell_of_replaced(const Snapshot& replaced) {
  const auto fewer = fewer_rows(replaced, holdings_of(result_.manifest));
  if (!fewer) return;
  result_.warnings.push_back("It took the place of the " + period_of_name() +
                             "'s earlier snapshot, which had more rows in " + fewer->table + ": " +
                             std::to_string(fewer->before) + ", now " +
                             std::to_string(fewer->after) + ".");
}

// Loudest of all, and naming the place where what was lost is now.
void SnapshotRun::tell_of_loss(const fs::path& kept_as) {
  const bool removes = !request_.dry_run && !request_.retention.empty();
  if (!uncompared_.empty()) {
    result_.warnings.insert(
        result_.warnings.begin(),
        uncompared_ + (removes ? " No older snapshot was removed in this run." : ""));
  }
  if (!fuller_) return;
  if (!kept_as.empty() && fuller_->path == plan_.snapshot) fuller_->path = kept_as;
  auto warning = shrink_warning(*fuller_, holdings_of(result_.manifest));
  if (!warning) return;
  if (!request_.dry_run) {
    warning->text += " Both snapshots are kept and no older one was removed in this run.";
  }
  result_.warnings.insert(result_.warnings.begin(), std::move(*warning));
}

// As the series was listed, without asking which snapshots are damaged: an idle run is to cost next
// to nothing. What would go for being damaged goes on the day on which the digest decides.
bool SnapshotRun::may_expire() {
  const Date today = env_.clock.local_date(env_.clock.now());
  result_.retention = choose_expired(series_, text_of(plan_.source), request_.retention, today);
  return std::any_of(result_.retention.begin(), result_.retention.end(),
                     [](const Expiry& decision) { return decision.expired; });
}

void SnapshotRun::apply_retention() {
  if (request_.retention.empty() || result_.shrink_alarm || !uncompared_.empty()) return;
  std::optional<FolderLock> lock;
  if (!request_.dry_run) {
    auto locked = FolderLock::acquire(plan_.folder, request_.lock_timeout, env_, stop_);
    if (!locked) {
      result_.warnings.push_back("Retention was not applied: " + locked.error().message);
      return;
    }
    lock.emplace(std::move(*locked));
  }
  auto series = series_for_retention(plan_.folder, plan_.name.stem, plan_.flat ? plan_.host : "",
                                     text_of(plan_.source), env_);
  if (!series) {
    if (!request_.dry_run || series.error().code != ErrorCode::not_found) {
      result_.warnings.push_back("Retention was not applied: " + series.error().message);
    }
    return;
  }
  if (request_.dry_run) {
    // As it will be once the snapshot is there.
    std::erase_if(*series, [&](const Snapshot& s) { return s.path == plan_.snapshot; });
    series->push_back(planned_snapshot(result_, request_.verify));
  }
  const Date today = env_.clock.local_date(env_.clock.now());
  result_.retention =
      choose_expired(std::move(*series), text_of(plan_.source), request_.retention, today);
  for (Expiry& decision : result_.retention) {
    // With a date of the past it may be the oldest of all.
    if (!decision.expired || decision.snapshot.path != plan_.snapshot) continue;
    decision.expired = false;
    decision.reason = "taken in this run";
  }
  if (auto warning = unusable_warning(result_.retention)) {
    result_.warnings.push_back(std::move(*warning));
  }
  if (request_.dry_run) return;
  RemovalReport report = remove_expired(result_.retention, env_.files);
  result_.removed = std::move(report.removed);
  std::move(report.warnings.begin(), report.warnings.end(), std::back_inserter(result_.warnings));
}

void SnapshotRun::remove_new_folders() {
  for (const fs::path& folder : new_folders_) {
    if (!env_.files.remove_empty_folder(folder)) return;
  }
}

double SnapshotRun::ms_since(SteadyTime start) const {
  return std::chrono::duration<double, std::milli>(env_.clock.steady_now() - start).count();
}

Expected<SnapshotResult> plan_and_run(const SnapshotRequest& request, const Env& env,
                                      ProgressSink& progress, const std::stop_token& stop) {
  auto plan = plan_snapshot(request, env);
  if (!plan) return fail(with_way_back(plan.error(), request, env));
  const Bounds bounds(env, {plan->destination});
  auto outcome = SnapshotRun(request, *plan, bounds.env(), progress, stop).run();
  if (outcome || outcome.error().code != ErrorCode::conflict) return outcome;
  auto other = plan_beside(*plan, request, env);
  if (!other) return outcome;
  return SnapshotRun(request, std::move(*other), bounds.env(), progress, stop).run();
}

}  // namespace

Expected<SnapshotResult> take_snapshot(const SnapshotRequest& request, const Env& env,
                                       ProgressSink& progress, std::stop_token stop) {
  const Instant started_at = env.clock.now();
  auto outcome = plan_and_run(request, env, progress, stop);
  if (request.dry_run) return outcome;
  auto told = record_and_tell(record_of(request, outcome, started_at, env), env);
  if (outcome) std::move(told.begin(), told.end(), std::back_inserter(outcome->warnings));
  return outcome;
}

}  // namespace core
