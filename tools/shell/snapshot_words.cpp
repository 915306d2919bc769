#include "tools/shell/snapshot_words.h"

#include <algorithm>
#include <set>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/names.h"
#include "core/verify/verify_run.h"
#include "tools/encode.h"

namespace tools {

namespace fs = core::fs;
using core::Snapshot;
using server::Json;

namespace {

// Of one destination; the newest ones are what people mean.
constexpr std::size_t kSnapshotsConsidered = 500;
// More than a person chooses from.
constexpr std::size_t kMaxOptions = 20;
constexpr std::size_t kDateLength = 10;
// Between the day in a name and the one on which the snapshot was taken.
constexpr std::chrono::days kNamedApart{2};

bool is_plain_word(const std::string& word, const Setting& setting) {
  if (word.empty() || word == "latest" || word.front() == '~') return false;
  if (word.find_first_of("/\\") != std::string::npos) return false;
  return !setting.env.files.link_info(setting.env.places.current_folder / core::path_of(word));
}

// "2026-11-28 09:07", as listings have it.
std::optional<core::SnapshotDay> listed_time(const std::string& word) {
  if (word.size() <= kDateLength || word[kDateLength] != ' ') return std::nullopt;
  const auto date = core::parse_date(word.substr(0, kDateLength));
  const auto time = core::parse_time_of_day(word.substr(kDateLength + 1));
  if (!date || !time) return std::nullopt;
  return core::SnapshotDay{*date, time};
}

// A day, or a time of one.
std::optional<core::SnapshotDay> day_of(const std::string& word, const core::Env& env) {
  constexpr std::chrono::hours kDay{24};
  if (word == "today") return core::SnapshotDay{env.clock.local_date(env.clock.now())};
  if (word == "yesterday") return core::SnapshotDay{env.clock.local_date(env.clock.now() - kDay)};
  if (const auto listed = listed_time(word)) return listed;
  return core::parse_snapshot_day(word);
}

// What a word may mean: snapshots by their names, and of these those taken then, by the clock on
// the wall. A run that was made up after midnight bears the day before in its name.
struct Meaning {
  core::ListFilter names;
  std::optional<core::SnapshotDay> taken{};

  bool fits(const Snapshot& snapshot, const core::Clock& clock) const {
    if (!taken) return true;
    const core::Instant at = snapshot.taken_at();
    if (!taken->time) return clock.local_date(at) == taken->date;
    const core::Instant minute = clock.local_instant(taken->date, *taken->time);
    return at >= minute && at < minute + std::chrono::minutes(1);
  }
};

// From the narrowest to the widest.
std::vector<Meaning> meanings_of(const std::string& word, const core::Env& env) {
  core::ListFilter filter;
  if (const auto day = day_of(word, env)) {
    filter.from = filter.to = day->date;
    filter.time = day->time;
    core::ListFilter around;
    around.from = std::chrono::sys_days(day->date) - kNamedApart;
    around.to = std::chrono::sys_days(day->date) + kNamedApart;
    const Meaning by_name{filter}, by_time{around, day};
    // A listing shows times, a name has an hour's beginning.
    if (listed_time(word)) return {by_time, by_name};
    return {by_name, by_time};
  }
  if (const auto name = core::parse_snapshot_name(word)) {
    filter.stem = name->stem;
    filter.from = filter.to = name->date;
    filter.time = name->time;
    return {{filter}};
  }
  core::ListFilter by_label;
  filter.stem = word;
  by_label.label = word;
  return {{filter}, {by_label}};
}

std::vector<fs::path> places_to_look(const Draft& draft, const std::vector<core::BackupJob>& jobs,
                                     const Setting& setting) {
  if (const auto given = Arguments(draft.arguments, setting).destination(); given && *given) {
    return {**given};
  }
  std::vector<fs::path> places;
  for (const auto& known : known_destinations_of(std::nullopt, jobs, setting)) {
    places.push_back(known.path);
  }
  return places;
}

std::string source_of(const Snapshot& snapshot) {
  return snapshot.manifest ? snapshot.manifest->source : std::string();
}

// Those that can be restored, newest first in each place.
std::vector<Snapshot> matches(const Meaning& meaning, const std::string& file_name,
                              const std::vector<fs::path>& places, const Setting& setting) {
  std::vector<Snapshot> found;
  for (const auto& place : places) {
    auto page =
        core::list_snapshots(place, meaning.names, kSnapshotsConsidered, "", setting.env.files);
    if (!page) continue;
    (void)core::mark_damaged(page->snapshots, meaning.names.source, setting.env);
    for (auto& snapshot : page->snapshots) {
      if (core::is_damaged_copy(snapshot) || !snapshot.restorable()) continue;
      if (!meaning.fits(snapshot, setting.env.clock)) continue;
      if (!file_name.empty() && core::text_of(snapshot.path.filename()) != file_name) continue;
      found.push_back(std::move(snapshot));
    }
  }
  return found;
}

std::vector<Snapshot> snapshots_named(const std::string& word, const Draft& draft,
                                      const std::vector<fs::path>& places, const Setting& setting) {
  const auto source = Arguments(draft.arguments, setting).path("source");
  const std::string file_name = core::parse_snapshot_name(word) ? word : "";
  for (Meaning& meaning : meanings_of(word, setting.env)) {
    if (source && *source) meaning.names.source = core::text_of(source_path(**source, setting));
    auto found = matches(meaning, file_name, places, setting);
    if (!found.empty()) return found;
  }
  return {};
}

// Of a name the newest of each database; of a day all.
std::vector<Snapshot> newest_of_each(std::vector<Snapshot> found) {
  std::set<std::string> seen;
  std::erase_if(found, [&seen](const Snapshot& snapshot) {
    return !seen.insert(source_of(snapshot)).second;
  });
  return found;
}

// A day with a snapshot for each hour means the last one of that day, of each series.
void keep_last_hours(std::vector<Snapshot>& found, Draft& draft) {
  const std::vector<Snapshot> all = found;
  const auto gone = std::erase_if(found, [&all](const Snapshot& snapshot) {
    return std::any_of(all.begin(), all.end(), [&snapshot](const Snapshot& other) {
      return (snapshot.time || other.time) && other.stem == snapshot.stem &&
             other.path.parent_path() == snapshot.path.parent_path() &&
             core::newer_in_series(other, snapshot);
    });
  });
  if (gone == 0 || found.empty()) return;
  draft.told.push_back("The last of that day, of " + format_count(all.size(), "snapshot") + " (" +
                       core::format_snapshot_day(all.back().day()) + " names the first)");
}

// Only those of the database that is meant where none is named, if there are some of it.
void keep_default_source(std::vector<Snapshot>& found, Draft& draft,
                         const std::vector<core::BackupJob>& jobs, const Setting& setting) {
  const auto meant = default_source(jobs, setting);
  if (!meant) return;
  const std::string source = core::text_of(source_path(meant->path, setting));
  const auto is_of_another = [&source](const Snapshot& snapshot) {
    return source_of(snapshot) != source;
  };
  if (std::all_of(found.begin(), found.end(), is_of_another)) return;
  if (std::erase_if(found, is_of_another) > 0) {
    draft.told.push_back("Database: " + core::text_of(meant->path) + "; others have such, too (" +
                         core::say_parameter("source") + " names one)");
  }
}

server::Choice choice_of(const std::vector<Snapshot>& found, const std::string& word,
                         core::Instant now) {
  server::Choice choice{"Which snapshot is meant by " + word + "?", {}};
  for (const auto& snapshot : found) {
    if (choice.options.size() >= kMaxOptions) break;
    const std::string path = core::text_of(snapshot.path);
    const std::string source = source_of(snapshot);
    choice.options.push_back({path + ", " + format_age(age_hours(snapshot.taken_at(), now)) +
                                  " old" + (source.empty() ? "" : ", of " + source),
                              Json{{"snapshot", path}}});
  }
  return choice;
}

core::Error nothing_named(const std::string& word, const std::vector<fs::path>& places) {
  std::string where;
  for (const auto& place : places) {
    where += (where.empty() ? " in " : ", ") + core::text_of(place);
  }
  return {
      core::ErrorCode::not_found,
      "'" + word + "' is no file here, no schedule, and no day or name of a snapshot" + where + ".",
      "See what there is with " + core::say(core::Action::list_snapshots) + "."};
}

}  // namespace

DraftEnding settle_snapshot_word(Draft& draft, const std::vector<core::BackupJob>& jobs,
                                 const Setting& setting) {
  const std::string word = Arguments(draft.arguments, setting).text("snapshot").value_or("");
  if (!is_plain_word(word, setting)) return std::nullopt;
  const auto job = std::find_if(jobs.begin(), jobs.end(), [&word](const auto& known) {
    return known.name == word && !known.is_of_folder();
  });
  if (job != jobs.end() && !draft.has("source") && !draft.has("destination")) {
    draft.arguments["source"] = core::text_of(job->snapshot.source);
    draft.arguments["destination"] = core::text_of(job->snapshot.destination);
    draft.arguments["snapshot"] = "latest";
    draft.told.push_back("The latest of " + core::text_of(job->snapshot.source) + ", as schedule " +
                         word + " keeps it");
    return std::nullopt;
  }
  const auto places = places_to_look(draft, jobs, setting);
  if (places.empty()) {
    return core::Error{core::ErrorCode::not_found,
                       "'" + word + "' is no file here, and where snapshots are kept is not known.",
                       "Name the folder with " + core::say_parameter("destination") + "."};
  }
  auto found = snapshots_named(word, draft, places, setting);
  if (found.empty()) return nothing_named(word, places);
  if (day_of(word, setting.env)) {
    keep_last_hours(found, draft);
  } else {
    found = newest_of_each(std::move(found));
  }
  if (found.size() > 1 && !draft.has("source")) keep_default_source(found, draft, jobs, setting);
  if (found.size() > 1) return choice_of(found, word, setting.env.clock.now());
  const Snapshot& snapshot = found.front();
  draft.arguments["snapshot"] = core::text_of(snapshot.path);
  draft.told.push_back("Snapshot: " + core::text_of(snapshot.path) +
                       (source_of(snapshot).empty() ? "" : ", of " + source_of(snapshot)));
  draft.guessed = draft.guessed || !draft.has("source");
  return std::nullopt;
}

}  // namespace tools
