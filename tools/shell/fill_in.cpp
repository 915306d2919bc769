#include "tools/shell/fill_in.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/destinations.h"
#include "core/restore/choose_snapshot.h"
#include "tools/shell/draft.h"
#include "tools/shell/snapshot_words.h"

namespace tools {

namespace fs = core::fs;
using core::say_parameter;
using core::text_of;
using server::Choice;
using server::Filled;
using server::Json;
using Jobs = std::vector<core::BackupJob>;

namespace {

// Names tried for a new file.
constexpr int kMaxNames = 1'000;

struct Wants {
  std::string_view tool;
  bool source;       // works on one database
  bool of_schedule;  // also on the one that a schedule has, where no other is there
  bool snapshot;     // brings one back or looks into one
};
constexpr std::array<Wants, 8> kWants = {{
    {"snapshot_db", true, true, false},
    {"install_schedule", true, false, false},
    {"list_snapshots", false, false, false},
    {"verify_snapshot", true, true, true},
    {"restore_snapshot", true, true, true},
    {"find_lost_rows", true, true, true},
    {"restore_rows", true, true, true},
    {"prune_snapshots", false, false, false},
}};

const Wants* wants_of(const std::string& tool) {
  const auto found = std::find_if(kWants.begin(), kWants.end(),
                                  [&tool](const Wants& wants) { return wants.tool == tool; });
  return found == kWants.end() ? nullptr : &*found;
}

bool is_named(const Jobs& jobs, const std::string& name) {
  return std::any_of(jobs.begin(), jobs.end(),
                     [&name](const auto& job) { return job.name == name; });
}

// Calls whose gaps mean something else: a drill of every schedule, an undo that knows its database,
// a schedule whose other settings stay, or that a slip names, which the tool tells.
bool is_whole(const Draft& draft, const Jobs& jobs) {
  if (draft.is_on("drill") && !draft.has("snapshot") && !draft.has("source")) return true;
  if (draft.has("undo") || draft.is_on("kept")) return true;
  if (draft.tool != "install_schedule" || !draft.has("name")) return false;
  const bool alone = !draft.has("source") && !draft.has("folder") && !draft.has("destination");
  const Json& name = draft.arguments["name"];
  return name.is_string() && (is_named(jobs, name.get<std::string>()) || (alone && !jobs.empty()));
}

bool names_a_snapshot(const Draft& draft) {
  const auto found = draft.arguments.find("snapshot");
  return found != draft.arguments.end() && *found != "latest" && *found != Json("");
}

void take_source(Draft& draft, const fs::path& source, const std::string& why) {
  draft.arguments["source"] = text_of(source);
  draft.told.push_back("Database: " + text_of(source) + ", " + why + " (" +
                       say_parameter("source") + " takes another)");
  draft.guessed = true;
}

DraftEnding settle_source(Draft& draft, const Wants& wants, const Jobs& jobs,
                          const Setting& setting) {
  if (!wants.source || draft.has("source") || draft.has("folder")) return std::nullopt;
  if (const auto meant = default_source(jobs, setting)) {
    if (meant->of_project) take_source(draft, meant->path, "that of the project you are in");
    return std::nullopt;  // the global one is every tool's own default
  }
  if (!wants.of_schedule) return std::nullopt;
  std::set<fs::path> sources;
  for (const auto& job : jobs) {
    if (!job.is_of_folder()) sources.insert(job.snapshot.source);
  }
  if (sources.size() == 1) {
    take_source(draft, *sources.begin(), "the one that has a schedule");
  } else if (sources.size() > 1) {
    Choice choice{"Which database?", {}};
    for (const auto& source : sources) {
      choice.options.push_back({text_of(source), Json{{"source", text_of(source)}}});
    }
    return choice;
  }
  return std::nullopt;
}

// A folder alone is where to, not what.
void settle_lone_folder(Draft& draft, const Setting& setting) {
  if (draft.tool != "snapshot_db" || draft.has("destination")) return;
  const auto given = Arguments(draft.arguments, setting).path("source");
  if (!given || !*given) return;
  const auto info = setting.env.files.info(**given);
  if (!info || info->kind != core::FileInfo::Kind::folder) return;
  draft.arguments["destination"] = draft.arguments["source"];
  draft.arguments.erase("source");
}

// Another folder would begin another series.
Json arguments_of(const KnownDestination& known, const Draft& draft) {
  Json arguments{{"destination", text_of(known.path)}};
  if (draft.tool != "snapshot_db" || known.of == nullptr) return arguments;
  const core::SnapshotRequest& kept = known.of->snapshot;
  for (const char* name : {"label", "hostname", "flat"}) {
    if (draft.has(name)) return arguments;
  }
  if (!kept.label.empty()) arguments["label"] = kept.label;
  if (!kept.hostname.empty()) arguments["hostname"] = kept.hostname;
  if (kept.flat) arguments["flat"] = true;
  return arguments;
}

std::string whose(const KnownDestination& known) {
  return known.schedule.empty() ? "where snapshots went before"
                                : "as schedule " + known.schedule + " has it";
}

DraftEnding settle_destination(Draft& draft, const Jobs& jobs, const Setting& setting) {
  const Arguments arguments(draft.arguments, setting);
  if (const auto given = arguments.destination(); !given || *given) return std::nullopt;
  std::optional<fs::path> source;
  if (draft.has("source") || draft.tool != "list_snapshots") {
    if (const auto found = arguments.source()) source = *found;
  }
  const auto known = known_destinations_of(source, jobs, setting);
  if (known.empty()) return std::nullopt;  // the tool asks
  const bool scheduled = known.front().of != nullptr;
  if (draft.tool == "install_schedule" && scheduled) return std::nullopt;  // as it is
  const bool removes = draft.has("dry_run") && draft.arguments["dry_run"] == false &&
                       draft.tool == "prune_snapshots";
  if (known.size() > 1 || removes) {
    Choice choice{"Which destination?", {}};
    for (const auto& one : known) {
      choice.options.push_back({text_of(one.path) + ", " + whose(one), arguments_of(one, draft)});
    }
    return choice;
  }
  draft.arguments.update(arguments_of(known.front(), draft));
  draft.told.push_back("Destination: " + text_of(known.front().path) + ", " + whose(known.front()));
  draft.guessed = true;
  return std::nullopt;
}

// A name beside nothing: "global-restored.db", "global-restored-2.db", …
std::optional<fs::path> new_file_for(const fs::path& database, const Setting& setting) {
  const fs::path folder = setting.env.places.current_folder;
  for (int i = 1; i <= kMaxNames; ++i) {
    fs::path name = database.stem();
    name += i == 1 ? "-restored" : "-restored-" + std::to_string(i);
    name += database.has_extension() ? database.extension() : fs::path(".db");
    const auto there = setting.env.files.link_info(folder / name);
    if (!there && there.error().code == core::ErrorCode::not_found) return folder / name;
  }
  return std::nullopt;
}

// Where to: a person decides between a file beside and the database itself.
DraftEnding settle_target(Draft& draft, const Setting& setting) {
  if (draft.tool != "restore_snapshot" || draft.has("target") || draft.is_on("in_place") ||
      draft.is_on("drill")) {
    return std::nullopt;
  }
  const Arguments arguments(draft.arguments, setting);
  fs::path database;
  if (names_a_snapshot(draft)) {
    const auto snapshot = arguments.path("snapshot");
    if (!snapshot || !*snapshot) return std::nullopt;
    const auto recorded = core::recorded_target(**snapshot, setting.env.files);
    if (!recorded) return std::nullopt;  // the tool says what it lacks
    database = *recorded;
  } else {
    const auto source = arguments.source();
    if (!source) return std::nullopt;
    database = *source;
  }
  if (draft.is_on("dry_run")) {
    draft.arguments["in_place"] = true;
    draft.told.push_back("Shown is what would come back in the place of " + text_of(database));
    return std::nullopt;
  }
  Choice choice{"Where to?", {}};
  if (const auto file = new_file_for(database, setting)) {
    choice.options.push_back({"a new file, " + text_of(*file), Json{{"target", text_of(*file)}}});
  }
  choice.options.push_back({"in the place of " + text_of(database) +
                                ", which is kept as a safety copy; shown and asked first",
                            Json{{"in_place", true}}});
  return choice;
}

// A yes is to what the command names. The tool, which asks for it then, tells the whole call.
void drop_yes(Draft& draft) {
  const bool replaces = draft.is_on("in_place") || draft.tool == "restore_rows";
  if (!draft.guessed || !replaces || !draft.is_on("confirm")) return;
  draft.told.push_back(say_parameter("confirm", true) +
                       " counts only for what the command names itself");
  draft.arguments.erase("confirm");
}

server::Filling fill_in_database(Draft draft, const Wants& wants, const Setting& setting) {
  const Jobs jobs = known_jobs(setting);
  if (is_whole(draft, jobs)) return Filled{std::move(draft.arguments)};
  if (wants.snapshot) {
    if (auto ending = settle_snapshot_word(draft, jobs, setting)) return *ending;
  }
  settle_lone_folder(draft, setting);
  const bool has_all = names_a_snapshot(draft) &&
                       (draft.tool == "verify_snapshot" || draft.tool == "restore_snapshot");
  if (!has_all) {
    if (auto ending = settle_source(draft, wants, jobs, setting)) return *ending;
    if (auto ending = settle_destination(draft, jobs, setting)) return *ending;
  }
  if (auto ending = settle_target(draft, setting)) return *ending;
  drop_yes(draft);
  return Filled{std::move(draft.arguments), std::move(draft.told)};
}

server::Filling fill_in_name(Draft draft, const Setting& setting) {
  if (draft.has("name") || draft.is_on("all")) return Filled{std::move(draft.arguments)};
  const Jobs jobs = known_jobs(setting);
  if (jobs.empty()) {
    return core::Error{core::ErrorCode::not_found, "There is no schedule yet.",
                       "Make one with " + core::say(core::Action::install_schedule) + "."};
  }
  if (jobs.size() == 1 && draft.tool == "run_schedule") {
    draft.arguments["name"] = jobs.front().name;
    draft.told.push_back("Schedule: " + jobs.front().name + ", the only one");
    return Filled{std::move(draft.arguments), std::move(draft.told)};
  }
  Choice choice{"Which schedule?", {}};
  for (const auto& job : jobs) {
    choice.options.push_back({job.name + ", of " + text_of(job.place()), Json{{"name", job.name}}});
  }
  return choice;
}

}  // namespace

server::Filling fill_in(const std::string& tool, const Json& arguments, const Setting& setting) {
  Draft draft{tool, arguments};
  if (tool == "run_schedule" || tool == "remove_schedule") {
    return fill_in_name(std::move(draft), setting);
  }
  const Wants* wants = wants_of(tool);
  if (wants == nullptr) return Filled{arguments};
  return fill_in_database(std::move(draft), *wants, setting);
}

}  // namespace tools
