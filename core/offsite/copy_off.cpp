#include "core/offsite/copy_off.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/machine.h"
#include "core/catalog/names.h"
#include "core/catalog/run_records.h"
#include "core/catalog/series.h"
#include "core/offsite/offsite_history.h"
#include "core/offsite/remote_files.h"
#include "core/platform/sha256.h"
#include "core/snapshot/prune.h"

namespace core {
namespace {

constexpr std::uint64_t kSteps = 5;

// The snapshot that is to be there, and its manifest as it is now: a later check may rewrite it.
struct Local {
  Snapshot snapshot;
  std::string manifest_text;
};

Expected<std::string> manifest_text_of(const fs::path& snapshot, const Env& env) {
  return env.files.read(manifest_path_of(snapshot), kMaxManifestBytes);
}

// The latest that is good, of this source and machine.
Expected<Local> newest_here(const OffsiteRequest& request, const Env& env) {
  BPD_TRY_AS(series, series_for_retention(request.folder, request.stem, "", request.source, env));
  const std::string machine = known_machine_id(env);
  std::erase_if(*series, [&](const Snapshot& snapshot) {
    return !is_good_copy(snapshot) || snapshot.manifest->source != manifest_text(request.source) ||
           is_of_other_host(snapshot, request.host, machine);
  });
  const auto latest = latest_of(*series, env.clock.now());
  if (!latest) {
    return fail(ErrorCode::not_found,
                "There is no good snapshot of " + request.source + " in " +
                    text_of(request.folder) + " to take off this machine.",
                "Take one with " + say(Action::snapshot, {{"source", request.source}}) + ".");
  }
  BPD_TRY_AS(text, manifest_text_of(latest->path, env));
  BPD_TRY_AS(manifest, decode_manifest(*text));
  Local local{*latest, std::move(*text)};
  local.snapshot.manifest = std::move(*manifest);
  return local;
}

std::string folder_on_remote(const OffsiteRequest& request) {
  std::string folder = text_of(request.folder.lexically_relative(request.destination));
  std::replace(folder.begin(), folder.end(), '\\', '/');
  return folder == "." ? "" : folder;
}

// One leg, from the look at the remote to the last removal.
class Leg {
 public:
  Leg(const OffsiteRequest& request, RemoteStore& store, const Env& env, ProgressSink& progress,
      std::stop_token stop)
      : request_(request),
        store_(store),
        env_(env),
        progress_(progress),
        stop_(std::move(stop)),
        folder_(folder_on_remote(request)),
        note_(read_offsite_note(request.target.remote, request.source, env)) {}

  Expected<OffsiteCopy> run() {
    if (request_.postponed) return fail(*request_.postponed);
    BPD_TRY_AS(local,
               request_.planned ? Local{*request_.planned, {}} : newest_here(request_, env_));
    local_ = std::move(*local);
    scene_.name = text_of(local_.snapshot.path.filename());
    scene_.manifest = *local_.snapshot.manifest;
    scene_.now = env_.clock.now();
    result_.source = request_.source;
    BPD_TRY(look());
    BPD_TRY_AS(plan, plan_copy(scene_));
    BPD_TRY(carry_out(*plan));
    if (plan->canary_lost) {
      result_.missed = missed();
    } else {
      let_go();
    }
    count();
    report(kSteps);
    return std::move(result_);
  }

  std::optional<Instant> read_back_at() const { return read_back_at_; }

 private:
  void report(std::uint64_t step) { progress_.report(step, kSteps, "off-site"); }

  std::string path_of_name(const std::string& name) const {
    return folder_.empty() ? name : folder_ + "/" + name;
  }
  std::string place_of(const std::string& name) const {
    return below(request_.target.remote, path_of_name(name));
  }
  static std::string manifest_name(const std::string& name) {
    return name + std::string(kManifestEnding);
  }

  Expected<> look() {
    report(1);
    const auto is_ours = [&](const std::string& name) {
      const auto parsed = parse_snapshot_name(name);
      return parsed && parsed->stem == request_.stem;
    };
    BPD_TRY_AS(view, view_remote(store_, request_.target.remote, folder_, /*deep=*/false, is_ours,
                                 env_, stop_));
    entries_ = std::move(view->entries);
    result_.warnings = std::move(view->warnings);
    const fs::path folder = path_of(below(request_.target.remote, folder_));
    auto copies = list_series(folder, request_.stem, *view->files);
    if (!copies && copies.error().code != ErrorCode::not_found) return fail(copies.error());
    if (copies) scene_.copies = std::move(*copies);
    std::erase_if(scene_.copies, [&](const Snapshot& copy) {
      const bool marked = copy.manifest || !copy.manifest_problem.empty();
      if (!marked) scene_.unmarked.push_back(text_of(copy.path.filename()));
      return !marked;
    });
    mark_unusable(scene_.copies, *view->files);
    // Another folder's canary says nothing of this one: the schedule had another label before.
    if (request_.canary && *request_.canary == place_of(name_in(*request_.canary))) {
      scene_.canary = name_in(*request_.canary);
    }
    const bool noted = note_ && note_->copy == newest_place();
    if (noted) scene_.last_read_back = note_->read_back_at;
    return {};
  }

  static std::string name_in(const std::string& place) {
    return place.substr(place.find_last_of("/:") + 1);
  }

  std::string newest_place() const {
    const auto newest = latest_of(scene_.copies, scene_.now);
    return newest ? place_of(text_of(newest->path.filename())) : "";
  }

  Expected<> carry_out(const OffsitePlan& plan) {
    read_back_at_ = scene_.last_read_back;
    Sending sending = plan.sending;
    if (sending == Sending::read_back && !request_.dry_run) {
      BPD_TRY_AS(whole, still_reads_back(plan.standing));
      const bool there = find_named(scene_.copies, path_of(scene_.name)) != nullptr;
      sending = *whole ? Sending::nothing : there ? Sending::replace : Sending::send;
    }
    switch (sending) {
      case Sending::nothing:
      case Sending::read_back:
        return stand_by(plan.standing, OffsiteCopy::What::unchanged);
      case Sending::wait:
        return stand_by(plan.standing, OffsiteCopy::What::waiting);
      case Sending::replace:
      case Sending::send:
        break;
    }
    result_.copy = place_of(scene_.name);
    result_.taken_at = scene_.manifest.taken_at;
    result_.bytes = scene_.manifest.bytes;
    if (request_.dry_run) {
      add_to_copies();  // as it will be when the rules are applied
      return {};
    }
    if (sending == Sending::replace) {
      // From here on it is no copy, whatever happens next.
      BPD_TRY(store_.remove(path_of_name(manifest_name(scene_.name)), stop_));
    }
    BPD_TRY(send());
    add_to_copies();
    return {};
  }

  Expected<> stand_by(const std::string& name, OffsiteCopy::What what) {
    result_.what = what;
    result_.copy = place_of(name);
    if (const Snapshot* copy = find_named(scene_.copies, path_of(name)); copy && copy->manifest) {
      result_.taken_at = copy->manifest->taken_at;
    }
    return {};
  }

  Expected<bool> still_reads_back(const std::string& name) {
    report(2);
    const auto digest = store_.digest(path_of_name(name), stop_);
    const bool rotten =
        digest ? *digest != scene_.manifest.sha256 : digest.error().code == ErrorCode::damaged;
    if (!digest && !rotten) return fail(digest.error());
    if (rotten) {
      result_.warnings.push_back(place_of(name) +
                                 " did not read back as it was sent, and was sent again.");
      return false;
    }
    read_back_at_ = env_.clock.now();
    return true;
  }

  Expected<> send() {
    report(2);
    const std::string data = path_of_name(scene_.name);
    BPD_TRY(store_.put(local_.snapshot.path, data, stop_));
    report(3);
    const auto digest = store_.digest(data, stop_);
    if (!digest && digest.error().code != ErrorCode::damaged) return fail(digest.error());
    if (!digest || *digest != scene_.manifest.sha256) return fail(why_not_the_same());
    report(4);
    return send_manifest();
  }

  // From a copy of our own: what lies beside the snapshot may change meanwhile.
  Expected<> send_manifest() {
    BPD_TRY_AS(work, WorkFolder::make(env_, stop_));
    const fs::path file = work->path() / "manifest";
    const std::string path = path_of_name(manifest_name(scene_.name));
    BPD_TRY(env_.files.write_atomically(file, local_.manifest_text, kPrivateFile));
    BPD_TRY(store_.put(file, path, stop_));
    const auto back = store_.read(path, kMaxManifestBytes, stop_);
    const bool may_be_whole = !back && back.error().code != ErrorCode::damaged &&
                              back.error().code != ErrorCode::not_found;
    if (may_be_whole) return fail(back.error());
    if (back && *back == local_.manifest_text) {
      read_back_at_ = env_.clock.now();
      return {};
    }
    (void)store_.remove(path, stop_);  // without it nothing claims to be a copy
    return fail(ErrorCode::damaged,
                "The manifest of " + place_of(scene_.name) +
                    " does not read back as it was sent, so there is no copy.",
                "The next run tries again. If it stays so, the remote, or this rclone, does not "
                "store what it is given.");
  }

  // Whose fault it is that other bytes came back.
  Error why_not_the_same() {
    const auto now = manifest_text_of(local_.snapshot.path, env_);
    const auto manifest = now ? decode_manifest(*now) : Expected<Manifest>(fail(now.error()));
    if (!manifest || manifest->sha256 != scene_.manifest.sha256) {
      return {ErrorCode::busy, text_of(local_.snapshot.path) + " was replaced while it was sent.",
              "The next run sends the newer one."};
    }
    const auto here = sha256_of_file(local_.snapshot.path, stop_);
    if (here && *here != scene_.manifest.sha256) {
      return {ErrorCode::damaged,
              text_of(local_.snapshot.path) + " is damaged: it is not what its manifest says.",
              "Take a new snapshot, and look at the disk."};
    }
    return {ErrorCode::damaged,
            place_of(scene_.name) + " does not read back as it was sent, so there is no copy.",
            "The next run tries again. If it stays so, the remote, or this rclone, does not store "
            "what it is given."};
  }

  void add_to_copies() {
    std::erase_if(scene_.copies, [&](const Snapshot& copy) {
      return copy.path.filename() == path_of(scene_.name);
    });
    Snapshot copy = local_.snapshot;
    copy.path = path_of(place_of(scene_.name));
    copy.found_damaged = false;
    scene_.copies.push_back(std::move(copy));
    std::sort(scene_.copies.begin(), scene_.copies.end(), newer_in_series);
  }

  Error missed() const {
    return {ErrorCode::conflict,
            place_of(*scene_.canary) + ", a copy that was made, is not there any more. " +
                result_.copy + " is.",
            "If nobody removed it, compare the password of the crypt remote with the recovery "
            "sheet, and look at the provider's own list. Nothing was removed."};
  }

  void let_go() {
    const Date today = env_.clock.local_date(scene_.now);
    for (Expiry& expiry : choose_removals(scene_.copies, scene_.manifest.source, request_.host,
                                          request_.keep, today)) {
      const std::string name = text_of(expiry.snapshot.path.filename());
      if (place_of(name) == result_.copy) continue;
      if (!request_.dry_run && !remove(name)) return;
      std::erase_if(scene_.copies, [&](const Snapshot& copy) {
        return copy.path.filename() == expiry.snapshot.path.filename();
      });
      result_.removed.push_back(std::move(expiry));
    }
    if (request_.dry_run) return;
    for (const RemoteEntry& leftover :
         choose_leftovers(entries_, names_of_snapshots(request_.source, env_), scene_.now)) {
      if (leftover.path == path_of_name(scene_.name)) continue;
      if (!tell_unless(store_.remove(leftover.path, stop_))) return;
    }
  }

  // The manifest first: what is left by a cut is no copy.
  bool remove(const std::string& name) {
    return tell_unless(store_.remove(path_of_name(manifest_name(name)), stop_)) &&
           tell_unless(store_.remove(path_of_name(name), stop_));
  }

  bool tell_unless(const Expected<>& removed) {
    if (!removed) {
      result_.warnings.push_back("Older copies stay: " + removed.error().message);
    }
    return removed.has_value();
  }

  void count() {
    result_.copies = static_cast<std::uint64_t>(
        std::count_if(scene_.copies.begin(), scene_.copies.end(), is_good_copy));
  }

  const OffsiteRequest& request_;
  RemoteStore& store_;
  const Env& env_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  const std::string folder_;  // on the remote
  const std::optional<OffsiteNote> note_;
  Local local_;
  OffsiteScene scene_;
  std::vector<RemoteEntry> entries_;
  std::optional<Instant> read_back_at_;
  OffsiteCopy result_;
};

void record(const OffsiteRequest& request, Instant started_at, Expected<OffsiteCopy>& result,
            const Env& env) {
  RunRecord run = ended_run(kOffsiteRun, started_at, env);
  run.schedule = request.schedule;
  run.source = request.source;
  run.destination = text_of(request.target.remote);
  if (result) {
    run.snapshot = result->copy;
    run.bytes = result->bytes;
    for (const std::string& warning : result->warnings) run.warnings.emplace_back(warning);
    if (result->missed) note_failure(run, *result->missed);
  } else {
    note_failure(run, result.error());
  }
  auto told = record_and_tell(run, env);
  if (result) std::move(told.begin(), told.end(), std::back_inserter(result->warnings));
}

}  // namespace

Expected<OffsiteCopy> copy_off(const OffsiteRequest& request, RemoteStore& store, const Env& env,
                               ProgressSink& progress, std::stop_token stop) {
  return Leg(request, store, env, progress, std::move(stop)).run();
}

Expected<OffsiteCopy> copy_off_and_record(const OffsiteRequest& request, RemoteStore& store,
                                          const Env& env, ProgressSink& progress,
                                          std::stop_token stop) {
  if (request.dry_run) return copy_off(request, store, env, progress, std::move(stop));
  const Instant started_at = env.clock.now();
  Leg leg(request, store, env, progress, stop);
  auto result = leg.run();
  if (stop.stop_requested()) return result;
  record(request, started_at, result, env);
  if (!result) return result;
  const OffsiteNote note{result->copy, result->taken_at, env.clock.now(), leg.read_back_at(),
                         result->copies};
  if (auto noted = write_offsite_note(request.target.remote, request.source, note, env); !noted) {
    result->warnings.push_back(noted.error().message);
  }
  return result;
}

}  // namespace core
