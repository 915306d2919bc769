#include "core/restore/choose_snapshot.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/machine.h"
#include "core/catalog/names.h"
#include "core/catalog/series.h"
#include "core/verify/verify_run.h"

namespace core {
namespace {

// More than anybody keeps of one database.
constexpr std::size_t kMaxSnapshotsOfSource = 100'000;
constexpr std::size_t kMaxWarnings = 5;

// The snapshots of one folder with this stem, and those that were kept before a loss.
std::vector<Snapshot> family_of(const fs::path& folder, const std::string& stem,
                                const FileSystem& files) {
  const auto entries = files.list(folder, kMaxFolderEntries);
  if (!entries) return {};
  std::set<std::string> stems;
  for (const DirEntry& entry : *entries) {
    const auto name = parse_snapshot_name(entry.name);
    if (name && (name->stem == stem || is_kept_stem(name->stem, stem))) stems.insert(name->stem);
  }
  std::vector<Snapshot> family;
  for (const std::string& one : stems) {
    auto series = list_series(folder, one, files);
    if (series) std::move(series->begin(), series->end(), std::back_inserter(family));
  }
  return family;
}

struct Choice {
  std::vector<Snapshot> candidates;  // this machine's; all where it has none
  bool any_under_this_name = false;
  std::optional<Snapshot> same_name;  // the latest of another installation under our host name
};

Choice choose_ours(const std::vector<Snapshot>& all, const Env& env) {
  const std::string& host = env.places.host;
  const std::string machine = known_machine_id(env);
  Choice choice;
  std::vector<Snapshot> same_name;
  for (const Snapshot& snapshot : all) {
    const Whose whose = whose_is(*snapshot.manifest, host, machine);
    if (whose != Whose::others) choice.candidates.push_back(snapshot);
    choice.any_under_this_name = choice.any_under_this_name || whose == Whose::ours;
    const bool named_alike = snapshot.manifest->host == manifest_text(host);
    if (whose == Whose::others && named_alike) same_name.push_back(snapshot);
  }
  if (choice.candidates.empty()) {
    choice.candidates = all;
  } else {
    choice.same_name = latest_of(same_name, env.clock.now());
  }
  return choice;
}

// `choice` has a candidate.
void tell_choice(const Choice& choice, const Env& env, LatestSnapshot& latest) {
  const Instant now = env.clock.now();
  const std::string machine = known_machine_id(env);
  const Snapshot chosen = *latest_of(choice.candidates, now);
  latest.path = chosen.path;
  const Whose whose = whose_is(*chosen.manifest, env.places.host, machine);
  if (whose != Whose::ours) {
    latest.whose = "The latest snapshot is " + text_of(chosen.path) + ". " +
                   tell_whose(*chosen.manifest, env.places.host, machine);
  }
  latest.ask = whose == Whose::others || (whose != Whose::ours && choice.any_under_this_name);
  if (choice.same_name && taken_before(chosen, *choice.same_name, now)) {
    latest.warnings.push_back("There is a later one, " + text_of(choice.same_name->path) + ". " +
                              tell_whose(*choice.same_name->manifest, env.places.host, machine) +
                              " If it is the one that is meant, name its path.");
  }
}

}  // namespace

Expected<LatestSnapshot> latest_snapshot_of(const fs::path& source, const fs::path& destination,
                                            Damaged damaged, const Env& env) {
  ListFilter filter;
  filter.source = text_of(recorded_source(source, env.files));
  BPD_TRY_AS(page, list_snapshots(destination, filter, kMaxSnapshotsOfSource, "", env.files));
  std::vector<Snapshot>& all = page->snapshots;
  const auto kept = std::find_if(all.begin(), all.end(), is_damaged_copy);
  const std::string damaged_copy = kept != all.end() ? text_of(kept->path) : "";
  std::erase_if(all, is_damaged_copy);
  if (all.empty()) {
    return fail(
        ErrorCode::not_found,
        "There is no snapshot of " + text_of(source) + " in " + text_of(destination) + "." +
            (damaged_copy.empty() ? "" : " A copy that was damaged is " + damaged_copy + "."),
        "See what there is with " + say(Action::list_snapshots) +
            "; one without a manifest must be named by its path.");
  }
  LatestSnapshot latest;
  // It may be the later one: a newer version of ours wrote it, or it is half-synced.
  page->warnings.resize(std::min(page->warnings.size(), kMaxWarnings));
  latest.warnings = std::move(page->warnings);
  if (damaged == Damaged::is_passed_over) {
    if (auto marked = mark_damaged(all, filter.source, env); !marked) {
      latest.warnings.push_back("Which snapshots were found damaged is not known: " +
                                marked.error().message);
    }
  }
  const Choice choice = choose_ours(all, env);
  const auto newest = latest_of(choice.candidates, env.clock.now());
  std::erase_if(all, [](const Snapshot& snapshot) { return snapshot.found_damaged; });
  if (all.empty()) {
    return fail(ErrorCode::damaged,
                "Each snapshot of " + text_of(source) + " in " + text_of(destination) +
                    " was found damaged when it was last checked; the newest is " +
                    text_of(newest->path) + ".",
                "Check one again with " + say(Action::verify) +
                    ", or look for others in another destination.");
  }
  tell_choice(choose_ours(all, env), env, latest);
  if (latest.path != newest->path) {
    latest.warnings.push_back("The newest snapshot, " + text_of(newest->path) +
                              ", was found damaged when it was last checked; " +
                              text_of(latest.path) + " is taken in its place.");
  }
  return latest;
}

std::optional<Fuller> fuller_before(const fs::path& snapshot, const Manifest& manifest,
                                    const Env& env) {
  const auto name = parse_snapshot_name(text_of(snapshot.filename()));
  if (!name) return std::nullopt;
  auto family = family_of(snapshot.parent_path(), name->stem, env.files);
  (void)mark_damaged(family, manifest.source, env);
  const Holdings holdings = holdings_of(manifest);
  std::erase_if(family, [&](const Snapshot& other) {
    return other.found_damaged || !other.manifest || other.manifest->source != manifest.source ||
           other.manifest->taken_at >= manifest.taken_at || !loss_since(other, holdings);
  });
  const auto latest = std::max_element(
      family.begin(), family.end(),
      [](const Snapshot& a, const Snapshot& b) { return a.taken_at() < b.taken_at(); });
  if (latest == family.end()) return std::nullopt;
  const Loss loss = *loss_since(*latest, holdings);
  return Fuller{std::move(*latest), loss};
}

Expected<fs::path> recorded_target(const fs::path& snapshot, const FileSystem& files) {
  const std::string next_step = "Name the database to replace as target.";
  if (const auto there = files.info(snapshot); !there) return fail(there.error());
  const auto manifest = read_manifest(snapshot, files);
  if (!manifest) {
    return fail(ErrorCode::invalid_argument,
                "Which database " + text_of(snapshot) +
                    " was taken of is not known: " + manifest.error().message,
                next_step);
  }
  // Nothing lies there, and nothing should.
  if (may_tell_bytes(manifest->source) && !files.info(path_of(manifest->source))) {
    return fail(ErrorCode::invalid_argument,
                "The name of the database that " + text_of(snapshot) +
                    " was taken of is not UTF-8; its manifest has it as " + manifest->source + ".",
                next_step);
  }
  return path_of(manifest->source);
}

}  // namespace core
