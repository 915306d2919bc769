#include "core/restore/restore.h"

#include <algorithm>
#include <iterator>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/catalog/history.h"
#include "core/catalog/machine.h"
#include "core/catalog/names.h"
#include "core/catalog/run_records.h"
#include "core/platform/bounds.h"
#include "core/platform/mounts.h"
#include "core/platform/open_files.h"
#include "core/platform/ownership.h"
#include "core/platform/room.h"
#include "core/platform/run_lock.h"
#include "core/platform/sha256.h"
#include "core/platform/temporary.h"
#include "core/platform/write_behind.h"
#include "core/restore/choose_snapshot.h"
#include "core/restore/replace_database.h"
#include "core/restore/restore_leftovers.h"
#include "core/restore/restore_target.h"
#include "core/restore/restored_copy.h"
#include "core/restore/safety_copy.h"
#include "core/snapshot/damaged_copy.h"
#include "core/snapshot/snapshot_plan.h"
#include "core/sqlite/file_header.h"
#include "core/sqlite/pinned_source.h"
#include "core/sqlite/row_counts.h"
#include "core/sqlite/sealed_vfs.h"

namespace core {
namespace {

constexpr int kMaxSafetyNames = 100;
constexpr std::chrono::milliseconds kPreviewBusyTimeout{1'000};
constexpr std::chrono::milliseconds kHolderPause{500};  // between two looks at who has it open

class Restoration {
 public:
  Restoration(const RestoreRequest& request, const Env& env, ProgressSink& progress,
              std::stop_token stop)
      : request_(request),
        around_(env),
        bounds_(env, {request.snapshot.parent_path()}),
        env_(bounds_.env()),
        progress_(progress),
        stop_(std::move(stop)),
        holders_until_(env.clock.steady_now() + request.holder_timeout) {
    result_.snapshot = request.snapshot;
    result_.in_place = request.in_place;
    result_.dry_run = request.dry_run;
    result_.warnings = request.warnings;
  }

  Expected<RestoreResult> run() {
    BPD_TRY(find_target());
    if (request_.in_place && !request_.dry_run && !request_.confirmed) {
      return fail(ErrorCode::needs_confirmation,
                  "Restoring in place replaces " + text_of(target_) + ".",
                  "Preview with " + say_parameter("dry_run") +
                      ". Only after the user's yes: the same call with " +
                      say_parameter("confirmed", true) + ".");
    }
    if (request_.in_place && !request_.dry_run && is_recorded()) {
      BPD_TRY_AS(known, check_recorded_target(request_.snapshot, target_, env_));
    }
    std::optional<RunLock> lock;
    if (!request_.dry_run) {
      BPD_TRY_AS(acquired, RunLock::acquire("restore\n" + text_of(target_),
                                            "a restore of " + text_of(target_),
                                            request_.lock_timeout, env_, stop_));
      lock.emplace(std::move(*acquired));
      warn(sweep_restore_leftovers(target_, env_, *lock));
    }
    BPD_TRY(check_not_in_use());
    BPD_TRY(verify_snapshot_first());
    tell_whose_it_is();
    BPD_TRY(compare_rows());
    look_for_loss();
    if (!request_.dry_run) {
      BPD_TRY(restore());
    }
    return std::move(result_);
  }

  const fs::path& target() const { return target_; }

 private:
  Expected<> find_target();
  Expected<> check_new_target();
  tl::unexpected<Error> fail_taken() const;
  Expected<> check_not_in_use();
  Expected<bool> wait_for(const std::vector<Opener>& openers);
  Expected<std::unique_ptr<ReplacedDatabase>> take_target();
  Expected<> verify_snapshot_first();
  Expected<> note_journal_mode();
  void tell_whose_it_is();
  Expected<> compare_rows();
  void look_for_loss();
  Expected<> check_space();
  Expected<> restore();
  Expected<> accept(const VerifyReport& damaged);
  Expected<> check_copy(const fs::path& file);
  Expected<> replace(Temporary& file);
  Expected<> put_new(Temporary& file);
  fs::path safety_path() const;
  void describe_side_files(const std::vector<fs::path>& kept);
  bool restores_wal() const;
  bool is_recorded() const { return request_.target.empty() || request_.target_recorded; }
  void warn(std::vector<std::string> warnings) {
    std::move(warnings.begin(), warnings.end(), std::back_inserter(result_.warnings));
  }
  VerifyLevel level() const {
    return request_.verify == VerifyLevel::full ? VerifyLevel::full : VerifyLevel::quick;
  }

  const RestoreRequest& request_;
  const Env& around_;  // in which the target, as it was given, is resolved
  Bounds bounds_;
  const Env& env_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  const std::chrono::steady_clock::time_point holders_until_;
  fs::path target_;
  bool target_exists_ = false;
  bool accepts_damage_ = false;
  std::string copied_sha256_;  // of the bytes as the snapshot has them
  RestoreResult result_;
};

Expected<> Restoration::find_target() {
  fs::path wanted = request_.target;
  if (wanted.empty() && !request_.in_place) {
    return fail(ErrorCode::invalid_argument, "There is no target to restore to.",
                "Give " + say_parameter("target") + ", a new file to write, or " +
                    say_parameter("in_place", true) + ".");
  }
  if (wanted.empty()) {
    BPD_TRY_AS(recorded, recorded_target(request_.snapshot, env_.files));
    wanted = std::move(*recorded);
  }
  if (wanted.is_relative()) wanted = env_.places.current_folder / wanted;
  const auto folder = around_.files.canonical(wanted.parent_path());
  if (!folder && folder.error().code == ErrorCode::not_found) {
    // Not made here: below a mistyped path, or a disk that is not attached, it would hide that.
    return fail(ErrorCode::not_found,
                "There is no folder " + text_of(wanted.parent_path()) + " to restore " +
                    text_of(wanted.filename()) + " to.",
                "If that path is right, make it, then restore again: " +
                    make_folder_command(wanted.parent_path()));
  }
  if (!folder) return fail(folder.error());
  const auto info = around_.files.info(wanted);
  if (!info && info.error().code != ErrorCode::not_found) return fail(info.error());
  target_exists_ = info.has_value();
  // In place, a link is followed to the database itself: the side files lie beside that.
  const auto resolved = around_.files.canonical(wanted);
  target_ = request_.in_place && resolved ? *resolved : *folder / wanted.filename();
  bounds_.add(target_.parent_path());
  result_.target = target_;
  if (!target_exists_ && is_there(target_, env_.files)) {
    return fail(ErrorCode::not_found, text_of(target_) + " is a link that leads nowhere.",
                "Name the file that it is to lead to as target.");
  }
  if (!target_exists_) return request_.in_place ? Expected<>() : check_new_target();
  if (info->kind != FileInfo::Kind::file) {
    return fail(ErrorCode::invalid_argument, text_of(target_) + " is not a file.");
  }
  if (!request_.in_place) return fail_taken();
  BPD_TRY(check_no_mount(target_, env_.files));
  const auto snapshot = env_.files.info(request_.snapshot);
  if (snapshot && snapshot->id == info->id) {
    if (is_safety_copy(text_of(request_.snapshot.filename()))) {
      return fail(ErrorCode::invalid_argument,
                  text_of(request_.snapshot) +
                      " is the live database itself under a second name: the restore that made it "
                      "was interrupted before it replaced anything.",
                  "There is nothing to undo; the next restore removes that name.");
    }
    return fail(ErrorCode::invalid_argument, "Snapshot and target are the same file.",
                "Name the live database as target.");
  }
  return {};
}

// What lies beside a new database's name would replay into it.
Expected<> Restoration::check_new_target() {
  if (is_there(target_, env_.files)) return fail_taken();
  const auto side_files = side_files_of(target_, env_.files);
  if (side_files.empty()) return {};
  std::string move;
  for (const fs::path& path : side_files) {
    const std::string suffix = text_of(path).substr(text_of(target_).size());
    move += (move.empty() ? "" : " && ") +
            move_command(text_of(path), text_of(target_) + ".aside" + suffix);
  }
  return fail(ErrorCode::conflict,
              "Beside the new database's name lies what is left of another one, and SQLite would "
              "mix it in: " +
                  list_of(side_files) + ".",
              "Choose another name, or move that away first: " + move);
}

tl::unexpected<Error> Restoration::fail_taken() const {
  return fail(ErrorCode::conflict, text_of(target_) + " is there already.",
              "Choose the name of a new file; to replace a live database, give " +
                  say_parameter("in_place", true) + ".");
}

// Of a lost database, too: what still has it open may have what the snapshot has not.
Expected<> Restoration::check_not_in_use() {
  if (!request_.in_place) return {};
  auto openers = openers_of(target_, env_.files);
  while (!openers.empty() && !request_.dry_run) {
    BPD_TRY_AS(waited, wait_for(openers));
    if (!*waited) break;
    openers = openers_of(target_, env_.files);
  }
  if (openers.empty()) return {};
  std::string message = text_of(target_) + " is open in " + describe_openers(openers) + ".";
  if (!request_.dry_run) {
    return fail(ErrorCode::busy, std::move(message) + tell_of_openers(openers, env_.files),
                "Close it there, then restore again; or restore to a new file.");
  }
  result_.warnings.push_back(std::move(message) + " It must be closed there first.");
  return {};
}

// False when the time for waiting is up.
Expected<bool> Restoration::wait_for(const std::vector<Opener>& openers) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  const auto left = holders_until_ - env_.clock.steady_now();
  if (left <= left.zero()) return false;
  progress_.report(
      static_cast<std::uint64_t>(duration_cast<seconds>(request_.holder_timeout - left).count()),
      static_cast<std::uint64_t>(duration_cast<seconds>(request_.holder_timeout).count()),
      "waiting until " + text_of(target_.filename()) + " is closed in " +
          describe_openers(openers));
  if (env_.clock.sleep_for(kHolderPause, stop_)) return true;
  return fail(ErrorCode::cancelled, "The restore was cancelled while it waited.");
}

// Somebody may have opened it again meanwhile.
Expected<std::unique_ptr<ReplacedDatabase>> Restoration::take_target() {
  while (true) {
    auto taken = ReplacedDatabase::take(target_, request_.busy_timeout, env_, stop_);
    if (taken || taken.error().code != ErrorCode::busy) return taken;
    BPD_TRY_AS(waited, wait_for(openers_of(target_, env_.files)));
    if (!*waited) return taken;
  }
}

Expected<> Restoration::verify_snapshot_first() {
  VerifyRequest request;
  request.snapshot = request_.snapshot;
  request.level = level();
  BPD_TRY_AS(report, verify_snapshot(request, env_, progress_, stop_));
  result_.verification = std::move(*report);
  if (result_.verification.verdict == VerifyReport::Verdict::damaged) {
    BPD_TRY(accept(result_.verification));
  }
  if (!accepts_damage_) warn(check_warnings_of(result_.verification, request_.reindex));
  return note_journal_mode();
}

Expected<> Restoration::accept(const VerifyReport& damaged) {
  const std::string what =
      text_of(request_.snapshot) + " failed its check (" + describe_failures(damaged) + ")";
  if (!request_.accept_damage) {
    return fail(ErrorCode::damaged, what + "; nothing was changed.",
                "Choose another snapshot with " + say(Action::list_snapshots) +
                    ". Where this is all there is, and only after the user's yes: " +
                    say_parameter("accept_damage", true) + " with " +
                    say_parameter("confirmed", true) + ".");
  }
  if (request_.reindex) {
    return fail(ErrorCode::invalid_argument, what + ": building indexes anew would not mend it.",
                "Leave out " + say_parameter("reindex") + ".");
  }
  if (!request_.dry_run && !request_.confirmed) {
    return fail(ErrorCode::needs_confirmation, what + ".",
                "Restore it as it is only after the user's yes: the same call with " +
                    say_parameter("confirmed", true) + ".");
  }
  accepts_damage_ = true;
  result_.warnings.push_back(what + " and is restored as it is. " + recovery_advice(target_) + ".");
  return {};
}

// What the manifest says; without one what the file says, which an earlier tool left as it was.
Expected<> Restoration::note_journal_mode() {
  if (result_.verification.manifest && !accepts_damage_) {
    result_.journal_mode = restores_wal() ? "wal" : "delete";
    return {};
  }
  BPD_TRY_AS(snapshot, open_sealed(request_.snapshot));
  return read_through(snapshot->get(), kReadVersionAt + 1, [&](const void* data, std::size_t n) {
    const auto* header = static_cast<const unsigned char*>(data);
    result_.journal_mode =
        n > kReadVersionAt && header[kReadVersionAt] == kWalVersion ? "wal" : "delete";
    return true;
  });
}

// Two machines have databases of the same path, and snapshots in one destination.
void Restoration::tell_whose_it_is() {
  const auto& manifest = result_.verification.manifest;
  if (!manifest || !request_.in_place) return;
  const std::string whose = tell_whose(*manifest, env_.places.host, known_machine_id(env_));
  if (whose.empty()) return;
  result_.warnings.push_back("Look whose snapshot this is: " + text_of(request_.snapshot) + ". " +
                             whose);
}

bool Restoration::restores_wal() const {
  const auto& manifest = result_.verification.manifest;
  return manifest && manifest->journal_mode == "wal" && !accepts_damage_;
}

Expected<> Restoration::compare_rows() {
  const auto& counted = result_.verification;
  for (const auto& [table, count] : counted.rows) result_.rows[table].then = count;
  for (const auto& [table, count] : counted.virtual_rows) result_.rows[table].then = count;
  if (!target_exists_) {
    const auto side_files = side_files_of(target_, env_.files);
    if (request_.dry_run && !side_files.empty()) {
      result_.warnings.push_back(text_of(target_) +
                                 " is gone. What is left of it will be kept under another name: " +
                                 list_of(side_files) + ".");
    }
    return {};
  }
  result_.present = Present::uncounted;
  auto source = PinnedSource::open(target_, kPreviewBusyTimeout, env_, stop_);
  if (!source) {
    BPD_TRY(check_was_database(target_, source.error(), env_));
    result_.warnings.push_back("The present database cannot be read: " + source.error().message);
    return {};
  }
  const auto rows = count_rows(source->connection(), stop_);
  if (!rows) {
    result_.warnings.push_back("The present rows cannot be counted: " + rows.error().message);
    return {};
  }
  result_.present = Present::counted;
  for (const auto& [table, count] : rows->all()) result_.rows[table].now = count;
  return {};
}

// A snapshot that was taken after the loss gives back the loss.
void Restoration::look_for_loss() {
  const auto& manifest = result_.verification.manifest;
  if (!manifest) return;
  const auto fuller = fuller_before(request_.snapshot, *manifest, env_);
  if (!fuller) return;
  const Loss& loss = fuller->loss;
  std::uint64_t now = 0, then = 0;
  for (const auto& [table, change] : result_.rows) {
    if (!loss.table.empty() && table != loss.table) continue;
    now += change.now.value_or(0);
    then += change.then.value_or(0);
  }
  const bool counted = result_.present == Present::counted;
  if (counted && then > now) return;
  result_.warnings.push_back("This snapshot has " + std::to_string(loss.after) + " " + loss.unit +
                             (loss.table.empty() ? "" : " in " + loss.table) +
                             (counted ? ", no more than there are now" : "") + "; an older one, " +
                             text_of(fuller->snapshot.path) + " of " +
                             format_instant(fuller->snapshot.taken_at()) + ", has " +
                             std::to_string(loss.before) +
                             ". To get back what was lost in between, restore that one.");
}

Expected<> Restoration::restore() {
  if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "The restore was cancelled.");
  BPD_TRY(check_space());
  Temporary file(temporary_path_of(target_), env_.files);
  const bool reindex = request_.reindex;
  BPD_TRY_AS(copied, copy_snapshot(request_.snapshot, file.path(), restores_wal() && !reindex, env_,
                                   progress_, stop_));
  if (!copied->synced) result_.warnings.push_back(unsynced_file_warning(target_));
  copied_sha256_ = std::move(copied->sha256);
  BPD_TRY(check_copy(file.path()));
  if (reindex) {
    BPD_TRY_AS(rebuilt, rebuild_indexes(file.path(), restores_wal(), result_.verification.rows,
                                        env_, progress_, stop_));
  }
  if (request_.in_place) return replace(file);
  return put_new(file);
}

Expected<> Restoration::check_space() {
  BPD_TRY_AS(info, env_.files.info(request_.snapshot));
  return check_room({target_.parent_path(), info->bytes, "the restored database",
                     "Free some space there, or restore to another folder."},
                    env_.files);
}

// The copy as it lies on the disk: SQLite's own check, and the very bytes that were verified.
Expected<> Restoration::check_copy(const fs::path& file) {
  if (accepts_damage_) {
    BPD_TRY_AS(digest, sha256_of_file(file, stop_));
    if (*digest == copied_sha256_) return {};
    return fail(ErrorCode::io, "The restored copy is not what was read; nothing was changed.",
                "Check the disk of " + text_of(target_.parent_path()) + ", and try again.");
  }
  VerifyRequest request;
  request.snapshot = file;
  const auto& manifest = result_.verification.manifest;
  if (manifest && !is_replaced_snapshot(*manifest, copied_sha256_)) {
    request.expected = manifest;
    if (!manifest->sha256.empty()) request.known_sha256 = copied_sha256_;
  }
  BPD_TRY_AS(report, verify_snapshot(request, env_, progress_, stop_));
  if (report->verdict != VerifyReport::Verdict::damaged) return {};
  const auto now = read_manifest(request_.snapshot, env_.files);
  if (manifest && now && now->sha256 != manifest->sha256) {
    return fail(ErrorCode::busy,
                text_of(request_.snapshot) +
                    " was replaced by a later run while it was restored; nothing was changed.",
                "Restore again, from the new one.");
  }
  return fail(ErrorCode::damaged,
              "The restored copy failed its check (" + describe_failures(*report) +
                  "); nothing was changed.",
              "Check the disk of " + text_of(target_.parent_path()) + ", and try again.");
}

fs::path Restoration::safety_path() const {
  const Instant now = env_.clock.now();
  fs::path path;
  for (int number = 1; number <= kMaxSafetyNames; ++number) {
    path = target_.parent_path() / path_of(safety_copy_name(target_, now, number));
    if (!is_there(path, env_.files) && !is_there(manifest_path_of(path), env_.files) &&
        side_files_of(path, env_.files).empty()) {
      break;
    }
  }
  return path;
}

Expected<> Restoration::replace(Temporary& file) {
  auto changed_hands =
      target_exists_ ? take_after(file.path(), target_) : take_after_folder(file.path(), target_);
  BPD_TRY_AS(replaced, take_target());
  const fs::path safety = safety_path();
  BPD_TRY((*replaced)->keep_as(safety));
  if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "The restore was cancelled.");
  BPD_TRY_AS(swapped, (*replaced)->replace_with(file.path()));
  file.release();
  warn(std::move(*swapped));
  warn(std::move(changed_hands));
  if ((*replaced)->lost()) {
    describe_side_files((*replaced)->side_files_kept());
    return {};
  }
  result_.safety_copy = safety;
  if (!describe_safety_copy({safety, (*replaced)->facts(), level()}, env_, result_.warnings)) {
    return {};
  }
  result_.undo = Call{std::string(to_string(Action::restore)),
                      {{"snapshot", text_of(safety)},
                       {"target", text_of(target_)},
                       {"in_place", true},
                       {"confirmed", true}}};
  return {};
}

void Restoration::describe_side_files(const std::vector<fs::path>& kept) {
  if (kept.empty()) return;
  result_.warnings.push_back(
      text_of(target_) +
      " was gone. What was left of it may hold its last changes and is kept as " + list_of(kept) +
      ".");
}

// Never over a file that came up meanwhile.
Expected<> Restoration::put_new(Temporary& file) {
  BPD_TRY(check_new_target());
  BPD_TRY(env_.files.rename_new(file.path(), target_));
  file.release();
  if (auto told = told_of_owner(target_, target_)) result_.warnings.push_back(std::move(*told));
  if (auto synced = env_.files.sync_folder(target_.parent_path()); !synced) {
    result_.warnings.push_back(unsynced_warning(synced.error()));
  }
  return {};
}

// `target`: the database itself, links resolved.
RunRecord record_of(const RestoreRequest& request, const fs::path& target,
                    const Expected<RestoreResult>& outcome, Instant started_at, const Env& env) {
  RunRecord run = ended_run("restore", started_at, env);
  run.source = text_of(target);
  run.snapshot = text_of(request.snapshot);
  if (outcome) {
    run.warnings.assign(outcome->warnings.begin(), outcome->warnings.end());
  } else {
    note_failure(run, outcome.error());
  }
  return run;
}

}  // namespace

Expected<RestoreResult> restore_snapshot(const RestoreRequest& request, const Env& env,
                                         ProgressSink& progress, std::stop_token stop) {
  const Instant started_at = env.clock.now();
  RestoreRequest kept = request;
  kept.snapshot = env.files.canonical(request.snapshot).value_or(request.snapshot);
  Restoration restoration(kept, env, progress, std::move(stop));
  auto outcome = restoration.run();
  if (outcome) outcome->snapshot = request.snapshot;
  const bool asked_back = !outcome && outcome.error().code == ErrorCode::needs_confirmation;
  if (!request.dry_run && !asked_back && request.recorded) {
    auto told =
        record_and_tell(record_of(request, restoration.target(), outcome, started_at, env), env);
    if (outcome) std::move(told.begin(), told.end(), std::back_inserter(outcome->warnings));
  }
  return outcome;
}

}  // namespace core
