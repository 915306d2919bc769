#include "core/moving/bring_home.h"

#include <iterator>
#include <set>
#include <utility>

#include "core/base/paths.h"

namespace core {

namespace {

// The topmost folder on the way to `target` that is not there.
fs::path folder_to_make(const fs::path& target, const FileSystem& files) {
  fs::path missing;
  for (fs::path folder = target.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    if (files.info(folder)) break;
    missing = folder;
  }
  return missing;
}

// Two machines may each have had a database that belongs to the same place.
Expected<> check_one_host(const std::vector<const HeldDatabase*>& lacking) {
  std::set<std::string> hosts;
  for (const HeldDatabase* database : lacking) hosts.insert(database->host);
  if (hosts.size() < 2) return {};
  std::string names;
  for (const std::string& host : hosts) names += (names.empty() ? "" : ", ") + host;
  return fail(ErrorCode::invalid_argument,
              "The destination holds databases of several machines: " + names + ".",
              "Ask whose are to come here, and give it as " + say_parameter("hostname") + ".");
}

void preview(BroughtDatabase& database, const Env& env, ProgressSink& progress,
             std::stop_token stop) {
  VerifyRequest request;
  request.snapshot = database.held.snapshot;
  auto report = verify_snapshot(request, env, progress, std::move(stop));
  if (!report) {
    database.error = report.error();
    return;
  }
  database.verdict = report->verdict;
  if (report->verdict != VerifyReport::Verdict::damaged) return;
  database.error = Error{ErrorCode::damaged,
                         text_of(request.snapshot) + " failed its check (" +
                             describe_failures(*report) + ") and would not be restored.",
                         "Choose an older one with " + say(Action::list_snapshots) + "."};
}

void restore(BroughtDatabase& database, const Env& env, ProgressSink& progress,
             std::stop_token stop) {
  RestoreRequest request;
  request.snapshot = database.held.snapshot;
  request.target = database.held.target;
  // What lies there without a row is kept as a safety copy.
  request.in_place = true;
  request.confirmed = true;
  auto made = env.files.make_folders(request.target.parent_path(), kPrivateFolder);
  auto result = made ? restore_snapshot(request, env, progress, std::move(stop))
                     : Expected<RestoreResult>(fail(made.error()));
  if (result) {
    database.verdict = result->verification.verdict;
    database.warnings = std::move(result->warnings);
    return;
  }
  database.error = result.error();
  if (database.makes.empty()) return;
  for (fs::path folder = request.target.parent_path(); is_inside(folder, database.makes);
       folder = folder.parent_path()) {
    (void)env.files.remove_empty_folder(folder);
  }
}

}  // namespace

Expected<BringHomeResult> bring_home(const BringHomeRequest& request, const Env& env,
                                     ProgressSink& progress, std::stop_token stop) {
  if (!request.dry_run && !request.confirmed) {
    return fail(ErrorCode::needs_confirmation, "Bringing everything home writes databases.",
                "Preview with " + say_parameter("dry_run") +
                    ". Only after the user's yes: the same call with " +
                    say_parameter("confirmed", true) + ".");
  }
  BPD_TRY_AS(held, held_in(request.held, env, stop));
  if (held->databases.empty()) {
    return fail(ErrorCode::not_found,
                text_of(request.held.destination) + " holds no snapshot with a manifest" +
                    (request.held.host ? " of the host " + *request.held.host : "") + ".",
                "See what there is with " + say(Action::list_snapshots) + ".");
  }
  BPD_TRY(check_one_host(held->lacking()));
  BringHomeResult result;
  result.dry_run = request.dry_run;
  for (HeldDatabase& database : held->databases) {
    if (database.state != HeldDatabase::State::lacking) {
      result.left.push_back(std::move(database));
      continue;
    }
    if (stop.stop_requested()) {
      return fail(ErrorCode::cancelled, "Stopped. What was restored before stays.");
    }
    BroughtDatabase brought{std::move(database), {}};
    brought.makes = folder_to_make(brought.held.target, env.files);
    (request.dry_run ? preview : restore)(brought, env, progress, stop);
    result.databases.push_back(std::move(brought));
  }
  result.schedules = std::move(held->schedules);
  result.warnings = std::move(held->warnings);
  return result;
}

}  // namespace core
