#include "core/schedule/run_offsite.h"

#include <algorithm>
#include <iterator>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/offsite/metered.h"
#include "core/offsite/rclone.h"
#include "core/offsite/rclone_says.h"

namespace core {
namespace {

// What the next database would meet, too.
bool concerns_all(const Error& error) {
  return may_pass(error) || error.code == ErrorCode::permission_denied ||
         error.code == ErrorCode::unsupported;
}

OffsiteRequest request_of(const BackupJob& job, const OffsiteMember& member, bool dry_run,
                          const Env& env) {
  OffsiteRequest request;
  request.schedule = job.name;
  request.source = member.source;
  request.folder = member.folder;
  request.destination = member.destination;
  request.stem = member.stem;
  request.host = job.snapshot.hostname.empty() ? env.places.host : job.snapshot.hostname;
  request.target = *job.offsite;
  request.keep = job.offsite->keep.value_or(job.snapshot.retention);
  request.dry_run = dry_run;
  if (!member.last_copy.empty()) request.canary = member.last_copy;
  return request;
}

// One of which nothing is known yet.
OffsiteMember member_of(const BackupJob& job, const Snapshot& planned) {
  OffsiteMember member;
  member.source = planned.manifest->source;
  member.stem = planned.stem;
  member.folder = member.destination = planned.path.parent_path();
  if (!planned.manifest->label.empty()) member.destination = member.destination.parent_path();
  if (!job.snapshot.flat) member.destination = member.destination.parent_path();
  return member;
}

Error metered_network(const BackupJob& job) {
  return {ErrorCode::busy,
          "Nothing goes to " + text_of(job.offsite->remote) + " over a metered network.",
          "It goes with the next one that is not. To send it over this one, use " +
              say(Action::copy_offsite, {{"schedule", job.name}}) + "."};
}

Rclone store_of(const BackupJob& job, const Env& env) {
  return {job.offsite->rclone, job.offsite->remote, job.offsite->bandwidth,
          env.clock.steady_now() + kMaxOffsiteTime, env};
}

Expected<> check_not_here(const OffsiteTarget& target, const RemoteFacts& facts,
                          const fs::path& destination, const Env& env) {
  if (!facts.local) return {};
  const fs::path there = env.files.canonical(*facts.local).value_or(*facts.local);
  const fs::path here = env.files.canonical(destination).value_or(destination);
  if (!is_inside(there, here) && !is_inside(here, there)) return {};
  return fail(ErrorCode::invalid_argument,
              text_of(target.remote) + " leads to " + text_of(there) + ", where the snapshots of " +
                  text_of(here) + " are.",
              "Give a remote that ends in another place.");
}

void warn_of_remote(const OffsiteTarget& target, std::vector<std::string>& warnings,
                    const Env& env) {
  const std::string remote = text_of(target.remote);
  if (!target.off_machine) {
    warnings.push_back(remote + " ends in a folder of this machine: it does not survive its loss.");
  } else if (!target.encrypted) {
    warnings.push_back("What goes to " + remote +
                       " is readable by the provider. A crypt remote over it (rclone config) would "
                       "keep names and content from it.");
  }
  if (target.encrypted && !sheet_written_at(target.remote, env)) {
    warnings.push_back("Without the passwords of " + target.remote.name +
                       ": nobody can read its copies. Write a recovery sheet with " +
                       say(Action::copy_offsite, {{"recovery_sheet"}}) +
                       ", and keep it elsewhere.");
  }
}

}  // namespace

Expected<> settle_offsite(BackupJob& job, bool settings_given, std::vector<std::string>& warnings,
                          const Env& env, std::stop_token stop) {
  if (!job.offsite && settings_given) {
    return fail(ErrorCode::invalid_argument,
                "'" + job.name + "' takes no copies off this machine, so it has no rules for them.",
                "Give " + say_parameter("offsite") + " as well, for example backup:claude.");
  }
  if (!job.offsite) return {};
  OffsiteTarget& target = *job.offsite;
  BPD_TRY_AS(rclone, find_rclone(env, stop));
  target.rclone = std::move(*rclone);
  BPD_TRY_AS(facts, facts_of_remote(target.rclone, target.remote, env, stop));
  target.encrypted = facts->encrypted;
  target.off_machine = !facts->local;
  BPD_TRY(check_not_here(target, *facts, job.snapshot.destination, env));
  warn_of_remote(target, warnings, env);
  return {};
}

bool has_new_offsite_rules(const std::optional<BackupJob>& former, const BackupJob& job) {
  const auto rules_of_job = [](const BackupJob& one) {
    return one.offsite->keep.value_or(one.snapshot.retention);
  };
  if (rules_of_job(job).empty()) return false;  // nothing goes by them
  return !former || !former->offsite || former->offsite->remote != job.offsite->remote ||
         rules_of_job(*former) != rules_of_job(job);
}

Expected<std::vector<Expiry>> preview_offsite(const BackupJob& job,
                                              const std::vector<Snapshot>& planned, const Env& env,
                                              std::stop_token stop) {
  BPD_TRY_AS(members, offsite_members(job.name, job.offsite->remote, env));
  Rclone store = store_of(job, env);
  NoProgress no_progress;
  std::vector<Expiry> removals;
  for (const Snapshot& snapshot : planned) {
    const auto known = std::find_if(
        members->begin(), members->end(),
        [&](const OffsiteMember& member) { return member.source == snapshot.manifest->source; });
    OffsiteRequest request = request_of(
        job, known != members->end() ? *known : member_of(job, snapshot), /*dry_run=*/true, env);
    request.planned = snapshot;
    BPD_TRY_AS(copy, copy_off(request, store, env, no_progress, stop));
    if (copy->missed) return fail(*copy->missed);
    std::move(copy->removed.begin(), copy->removed.end(), std::back_inserter(removals));
  }
  return removals;
}

Expected<bool> owes_offsite(const BackupJob& job, const Env& env) {
  if (!job.offsite) return false;
  BPD_TRY_AS(members, offsite_members(job.name, job.offsite->remote, env));
  return std::any_of(members->begin(), members->end(),
                     [](const OffsiteMember& member) { return member.owed; });
}

std::optional<Error> OffsiteRun::alarm() const {
  const auto first = std::find_if(failures.begin(), failures.end(),
                                  [](const OffsiteFailure& failure) { return failure.alarm; });
  if (first == failures.end()) return std::nullopt;
  Error error = first->error;
  error.message = "The off-site copy of " + first->source + " failed: " + error.message;
  return error;
}

Expected<OffsiteRun> run_offsite(const BackupJob& job, const OffsiteOptions& options,
                                 const Env& env, ProgressSink& progress, std::stop_token stop) {
  BPD_TRY_AS(members, offsite_members(job.name, job.offsite->remote, env));
  if (members->empty()) {
    return fail(ErrorCode::not_found, "'" + job.name + "' has taken no good snapshot yet.",
                "Run it with " + say(Action::run_schedule, {{"name", job.name}}) + " first.");
  }
  Rclone store = store_of(job, env);
  OffsiteRun run;
  const bool postponed = options.spares_metered && network_is_metered(env, stop);
  for (const OffsiteMember& member : *members) {
    if (!member.owed && !options.all) continue;
    const auto add_failure = [&](Error error) {
      const bool alarm = is_alarm(error, member.last_good, env.clock.now());
      run.failures.push_back({member.source, std::move(error), alarm});
    };
    OffsiteRequest request = request_of(job, member, options.dry_run, env);
    if (postponed) request.postponed = metered_network(job);
    auto copy = copy_off_and_record(request, store, env, progress, stop);
    if (!copy) {
      add_failure(copy.error());
      if (concerns_all(copy.error())) break;
      continue;
    }
    if (copy->missed) add_failure(*copy->missed);
    run.copies.push_back(std::move(*copy));
  }
  return run;
}

}  // namespace core
