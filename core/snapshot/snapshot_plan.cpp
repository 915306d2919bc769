#include "core/snapshot/snapshot_plan.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/local_times.h"
#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/catalog/destinations.h"
#include "core/catalog/machine.h"
#include "core/catalog/manifest.h"
#include "core/catalog/name_rules.h"
#include "core/catalog/names.h"
#include "core/catalog/series.h"
#include "core/platform/temporary.h"

namespace core {
namespace {

constexpr std::size_t kMaxNameBytes = 128;

Expected<> check_folder_name(const std::string& name, const std::string& what) {
  const bool control = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (name.find('/') == std::string::npos && name.find('\\') == std::string::npos && !control &&
      !name.starts_with('.') && name.size() <= kMaxNameBytes) {
    return {};
  }
  return fail(ErrorCode::invalid_argument,
              "The " + what + " \"" + manifest_text(name) + "\" cannot name a folder.",
              "Use at most " + std::to_string(kMaxNameBytes) +
                  " bytes without slashes and control characters, not beginning with a dot.");
}

// The folder of the series, below a resolved destination. A link in the place of a host's or a
// label's folder would lead out of the destination, and no listing follows it.
Expected<fs::path> series_folder(const SnapshotPlan& plan, const FileSystem& files) {
  fs::path folder = plan.destination;
  for (const std::string& name : {plan.flat ? std::string() : plan.host, plan.label}) {
    if (name.empty()) continue;
    folder /= path_of(name);
    const auto there = files.link_info(folder);
    if (!there || there->kind != FileInfo::Kind::symlink) continue;
    return fail(ErrorCode::conflict,
                text_of(folder) +
                    " is a symbolic link; it is not followed, as listings and checks "
                    "would not find what lies behind it.",
                "Give the folder that it leads to as the destination (with flat, if it is the "
                "host's), or remove the link.");
  }
  return folder;
}

Expected<fs::path> resolve_source(const fs::path& source, const FileSystem& files) {
  if (source.empty()) {
    return fail(ErrorCode::invalid_argument, "No source is given.",
                "Give the path of the database to copy.");
  }
  auto resolved = files.canonical(source);
  if (resolved) {
    const auto info = files.info(*resolved);
    if (!info || info->kind != FileInfo::Kind::folder) return resolved;
    return fail(ErrorCode::not_a_database, text_of(source) + " is a folder, not a database.",
                "Name the database file in it.");
  }
  if (resolved.error().code != ErrorCode::not_found) return resolved;
  return fail(ErrorCode::not_found, "There is no database at " + text_of(source) + ".",
              "Check the path of the source.");
}

Expected<fs::path> resolve_destination(const fs::path& destination, const FileSystem& files) {
  if (destination.empty()) {
    return fail(ErrorCode::invalid_argument, "No destination is given.",
                "Give a folder that exists, or set " + std::string(kDestinationVariable) + ".");
  }
  auto resolved = files.canonical(destination);
  if (!resolved && resolved.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found,
                "The destination " + text_of(destination) + " does not exist.",
                "Create the folder, or attach the disk it lies on; it is never created here.");
  }
  if (!resolved) return resolved;
  BPD_TRY_AS(info, files.info(*resolved));
  if (info->kind != FileInfo::Kind::folder) {
    return fail(ErrorCode::invalid_argument,
                "The destination " + text_of(destination) + " is not a folder.",
                "Give a folder that exists.");
  }
  return resolved;
}

// The hour is that of the clock on the wall, and one that a clock put back shows twice is one hour:
// so names of one series never repeat for two hours, and the second run of an hour replaces the
// first.
void name_plan(SnapshotPlan& plan, const SnapshotRequest& request, const NameRules& rules,
               const Clock& clock) {
  const bool by_hour = request.by_hour_from && !request.date;
  plan.name.stem = fitting_stem(stem_of(plan.source), rules, by_hour);
  if (by_hour) {
    const LocalTime hour = hour_of(clock.now(), *request.by_hour_from, clock);
    plan.name.date = hour.date;
    plan.name.time = hour.time;
  } else {
    plan.name.date = request.date.value_or(clock.local_date(clock.now()));
  }
}

// The folder and the file of a plan that is complete but for these. Its label is a name by itself.
Expected<> put_in_series(SnapshotPlan& plan, const NameRules& rules, const FileSystem& files) {
  BPD_TRY_AS(folder, series_folder(plan, files));
  plan.folder = std::move(*folder);
  const fs::path live = plan.source.parent_path();
  if (is_inside(plan.destination, live) || is_inside(plan.folder, live)) {
    return fail(ErrorCode::invalid_argument,
                "The destination " + text_of(plan.folder) + " lies inside the source's folder " +
                    text_of(live) + ".",
                "Choose a folder elsewhere, best on another disk: what befalls the source would "
                "befall its snapshots.");
  }
  for (const auto& [name, what] : {std::pair(plan.host, "hostname"), {plan.label, "label"}}) {
    BPD_TRY(check_folder_fits(name, what, rules));
  }
  plan.snapshot = plan.folder / path_of(format_snapshot_name(plan.name));
  return {};
}

// The same under the request's other label; nothing where there is none that can be taken.
std::optional<SnapshotPlan> under_other_label(SnapshotPlan plan, const SnapshotRequest& request,
                                              const NameRules& rules, const FileSystem& files) {
  if (request.other_label.empty() || !check_folder_name(request.other_label, "label")) {
    return std::nullopt;
  }
  plan.label = request.other_label;
  if (!put_in_series(plan, rules, files)) return std::nullopt;
  return plan;
}

struct SeriesOwners {
  bool this_source = false;
  bool another = false;
};

Expected<SeriesOwners> owners_of_series(const SnapshotPlan& plan, const FileSystem& files) {
  SeriesOwners owners;
  const auto series = list_series(plan.folder, plan.name.stem, files);
  if (!series && series.error().code == ErrorCode::not_found) return owners;
  if (!series) return fail(series.error());
  const std::string source = manifest_text(text_of(plan.source));
  for (const Snapshot& snapshot : *series) {
    if (!snapshot.manifest || is_damaged_copy(snapshot)) continue;
    (snapshot.manifest->source == source ? owners.this_source : owners.another) = true;
  }
  return owners;
}

// What helps where a label is taken.
std::string way_out(const SnapshotPlan& plan, const std::string& label) {
  if (plan.label_is_given) return "Give this source a label of its own" + label + ".";
  if (plan.flat) return "Give the folder's schedule another destination.";
  return "Give the folder's schedule another destination, or with " + say_parameter("hostname") +
         " a name of its own there.";
}

}  // namespace

Expected<SnapshotPlan> plan_snapshot(const SnapshotRequest& request, const Env& env) {
  SnapshotPlan plan;
  plan.label = request.label;
  plan.label_is_given = request.other_label.empty();
  plan.flat = request.flat;
  plan.host = request.hostname.empty() ? env.places.host : request.hostname;
  plan.machine = known_machine_id(env);
  BPD_TRY(check_folder_name(plan.label, "label"));
  BPD_TRY(check_folder_name(plan.host, "hostname"));
  if (plan.host.empty()) {
    return fail(ErrorCode::invalid_argument, "This machine has no name to file snapshots under.",
                "Give a hostname.");
  }
  BPD_TRY_AS(destination, resolve_destination(request.destination, env.files));
  BPD_TRY_AS(source, resolve_source(request.source, env.files));
  plan.source = std::move(*source);
  plan.destination = std::move(*destination);
  const NameRules rules = name_rules_of(plan.destination, env.files);
  name_plan(plan, request, rules, env.clock);
  BPD_TRY(put_in_series(plan, rules, env.files));
  if (auto other = under_other_label(plan, request, rules, env.files)) {
    BPD_TRY_AS(owners, owners_of_series(*other, env.files));
    if (owners->this_source) return std::move(*other);
  }
  return plan;
}

std::optional<SnapshotPlan> plan_beside(const SnapshotPlan& plan, const SnapshotRequest& request,
                                        const Env& env) {
  if (request.other_label.empty() || plan.label == request.other_label) return std::nullopt;
  const auto owners = owners_of_series(plan, env.files);
  if (!owners || owners->this_source || !owners->another) return std::nullopt;
  return under_other_label(plan, request, name_rules_of(plan.destination, env.files), env.files);
}

std::string propose_label(const fs::path& source, const std::string& taken) {
  fs::path folder = source.parent_path();
  std::string label = text_of(folder.filename());
  // <project>/.claude/orchestrator/project.db: neither of the two folders says which project.
  while (folder.has_relative_path() && (label.starts_with('.') || label == "orchestrator")) {
    folder = folder.parent_path();
    label = text_of(folder.filename());
  }
  if (label.empty()) label = "other";
  return label == taken ? label + "-2" : label;
}

Expected<> check_place(const SnapshotPlan& plan, const std::vector<Snapshot>& series,
                       const FileSystem& files) {
  const std::string place = text_of(plan.snapshot);
  for (const fs::path& side : side_paths_of(plan.snapshot)) {
    if (!files.link_info(side)) continue;
    return fail(ErrorCode::conflict,
                text_of(side) +
                    " lies beside the snapshot's name: SQLite would mix its content into the "
                    "snapshot.",
                "Find out what made it, and move it away.");
  }
  const auto taken = files.link_info(plan.snapshot);
  if (taken && taken->kind != FileInfo::Kind::file) {
    return fail(ErrorCode::conflict, place + " is there already and is not a file.",
                "Move it away. " + way_out(plan, ""));
  }
  // Where case does not count, global.db's snapshot would go to the place of Global.db's.
  if (taken && find_named(series, plan.snapshot) == nullptr) {
    return fail(ErrorCode::conflict,
                place + " is there already under another spelling of its name.", way_out(plan, ""));
  }
  const std::string source = manifest_text(text_of(plan.source));
  bool newest_seen = false;
  for (const Snapshot& snapshot : series) {
    const bool same_name = snapshot.path.filename() == plan.snapshot.filename();
    if (same_name && !snapshot.manifest_problem.empty()) {
      return fail(ErrorCode::conflict,
                  "Whose snapshot " + place + " is cannot be told: " + snapshot.manifest_problem,
                  "Move it away with its manifest. " + way_out(plan, ""));
    }
    if (!snapshot.manifest || (newest_seen && !same_name)) continue;
    if (is_damaged_copy(snapshot) && !same_name) continue;  // of a database named like this stem
    newest_seen = true;
    // Even with the same id the place is not taken over from another host name: a home that was
    // copied gives two machines one id.
    const bool other_name = snapshot.manifest->host != manifest_text(plan.host);
    const bool other_host =
        plan.flat && (same_name ? other_name : is_of_other_host(snapshot, plan.host, plan.machine));
    if (snapshot.manifest->source == source && !other_host) continue;
    const std::string label = other_host ? plan.host : propose_label(plan.source, plan.label);
    return fail(ErrorCode::conflict,
                text_of(snapshot.path) + " is a snapshot of another database: " +
                    snapshot.manifest->source + " on " + snapshot.manifest->host + ".",
                way_out(plan, ", for example \"" + label + "\""));
  }
  return {};
}

Error with_way_back(Error error, const SnapshotRequest& request, const Env& env) {
  const bool source_missing = error.code == ErrorCode::not_found &&
                              env.files.info(request.destination) &&
                              !env.files.info(request.source);
  if (source_missing) {
    error.hint += " If it was lost, " + say(Action::restore) + " brings its last snapshot back.";
  }
  return error;
}

}  // namespace core
