#include "tools/list_snapshots.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/catalog/destinations.h"
#include "core/catalog/loss.h"
#include "core/verify/verify_run.h"
#include "tools/base/paging.h"
#include "tools/encode.h"
#include "tools/offsite/off_machine.h"
#include "tools/schema.h"

namespace tools {

using server::Json;

namespace {

// A page that a client shows whole: well under the 10,000 tokens at which clients begin to warn.
constexpr int kDefaultSnapshots = 50;

// "2026-11-23T12:00:00Z" -> "2026-11-23 12:00Z": tells two of one day apart. A local time stays.
std::string to_the_minute(std::string instant) {
  constexpr std::size_t kDay = 10, kMinute = 16;
  if (instant.size() <= kMinute || !instant.ends_with('Z')) return instant;
  instant[kDay] = ' ';
  return instant.substr(0, kMinute) + "Z";
}

core::Expected<core::ListFilter> filter_of(const Arguments& arguments,
                                           const core::FileSystem& files) {
  core::ListFilter filter;
  filter.host = arguments.text("hostname");
  filter.label = arguments.text("label");
  filter.stem = arguments.text("stem");
  BPD_TRY_AS(from, arguments.date("from"));
  BPD_TRY_AS(to, arguments.date("to"));
  filter.from = *from;
  filter.to = *to;
  BPD_TRY_AS(source, arguments.path("source"));
  if (*source) {
    // Manifests name sources with links resolved; a source that is gone is still asked for by name.
    filter.source = core::text_of(files.canonical(**source).value_or(**source));
  }
  return filter;
}

core::Expected<core::ListPage> read_page(const core::fs::path& destination,
                                         const core::ListFilter& filter, std::size_t limit,
                                         const std::string& cursor, const core::Env& env) {
  BPD_TRY_AS(page, core::list_snapshots(destination, filter, limit, cursor, env.files));
  if (auto marked = core::mark_damaged(page->snapshots, filter.source, env); !marked) {
    page->warnings.push_back("Which snapshots were found damaged is not known: " +
                             marked.error().message);
  }
  return page;
}

// Where a call looks: in the destination that it names, else in all that are known. The question
// for one where there is none.
server::ToolOutcome<std::vector<core::fs::path>> places_of(const Arguments& arguments,
                                                           const server::CallContext& context,
                                                           const Setting& setting) {
  using Places = std::vector<core::fs::path>;
  if (!arguments.has("destination")) {
    Places known = core::known_destinations(setting.world);
    std::erase_if(known, [&](const auto& folder) { return !setting.allows(folder); });
    if (!known.empty()) return known;
  }
  auto destination = find_destination(arguments, context, setting);
  if (auto ending = server::ending_of<Places>(destination)) return *ending;
  return Places{std::get<core::fs::path>(destination)};
}

// Where others are listed in the place of the one that the environment names: that it is not there.
std::string missing_place(const Arguments& arguments, const Setting& setting) {
  const std::string named = core::destination_of_environment(setting.world.places);
  if (arguments.has("destination") || named.empty() || !setting.allows(core::path_of(named)) ||
      setting.world.files.info(core::path_of(named))) {
    return "";
  }
  return "The destination " + named +
         " is not there. What is listed lies in others that are known.";
}

// "<number of the destination>:<cursor there>"; core's own, which begin with a letter, are of the
// first.
struct Position {
  std::size_t place = 0;
  std::string inner;
};

core::Expected<Position> position_of(const std::string& cursor, std::size_t places) {
  Position position{0, cursor};
  if (cursor.empty() || cursor[0] < '0' || cursor[0] > '9') return position;
  const auto colon = std::min(cursor.find(':'), cursor.size() - 1);
  const char* end = cursor.data() + colon;
  const auto [at, error] = std::from_chars(cursor.data(), end, position.place);
  if (error != std::errc() || at != end || position.place >= places) {
    return core::fail(core::ErrorCode::invalid_argument,
                      "The cursor is not one that a listing returned.",
                      "Leave the cursor out to begin at the first entry.");
  }
  position.inner = cursor.substr(colon + 1);
  return position;
}

// A page of one destination after the other, newest first in each. Totals are of all of them; what
// cannot be listed is a warning, unless there is but one.
core::Expected<core::ListPage> read_places(const std::vector<core::fs::path>& places,
                                           const core::ListFilter& filter, std::size_t limit,
                                           const std::string& cursor, const core::Env& env) {
  BPD_TRY_AS(position, position_of(cursor, places.size()));
  if (places.size() == 1) return read_page(places[0], filter, limit, position->inner, env);
  core::ListPage all;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const bool open = i >= position->place && all.next_cursor.empty();
    const std::size_t room = open ? limit - all.snapshots.size() : 0;
    auto page = read_page(places[i], filter, std::max<std::size_t>(room, 1),
                          i == position->place ? position->inner : "", env);
    if (!page) {
      if (!cursor.empty() && page.error().code == core::ErrorCode::invalid_argument) return page;
      all.warnings.push_back(core::text_of(places[i]) + ": " + page.error().message);
      continue;
    }
    all.total += page->total;
    all.total_bytes += page->total_bytes;
    if (!open) continue;
    if (room == 0 && page->total > 0) all.next_cursor = std::to_string(i) + ":";
    if (room == 0) continue;
    std::move(page->snapshots.begin(), page->snapshots.end(), std::back_inserter(all.snapshots));
    std::move(page->warnings.begin(), page->warnings.end(), std::back_inserter(all.warnings));
    if (!page->next_cursor.empty()) {
      all.next_cursor = std::to_string(i) + ":" + page->next_cursor;
    }
  }
  return all;
}

Json encode(const core::ListPage& page, core::Instant now) {
  Json snapshots = Json::array();
  for (const auto& snapshot : page.snapshots) snapshots.push_back(encode_snapshot(snapshot, now));
  return snapshots;
}

// Of each source on the first page the newest snapshot that has much which the latest one lacks:
// who lost something wants that one.
void mark_before_loss(Json& snapshots, const core::ListPage& page) {
  std::map<std::string, std::optional<core::Holdings>> latest;  // nothing: found already
  for (std::size_t i = 0; i < snapshots.size() && i < page.snapshots.size(); ++i) {
    const core::Snapshot& snapshot = page.snapshots[i];
    if (!snapshot.manifest || !snapshot.restorable() || core::is_damaged_copy(snapshot)) continue;
    const auto [of_source, is_latest] =
        latest.try_emplace(snapshot.manifest->source, core::holdings_of(*snapshot.manifest));
    if (is_latest || !of_source->second) continue;
    const auto loss = core::loss_since(snapshot, *of_source->second);
    if (!loss) continue;
    snapshots[i]["before_loss"] = std::to_string(loss->before) + " " + loss->unit +
                                  (loss->table.empty() ? "" : " in " + loss->table) +
                                  ", the latest one " + std::to_string(loss->after);
    of_source->second.reset();
  }
}

}  // namespace

std::string list_snapshots_text(const Json& structured, std::size_t width) {
  std::string text = format_warnings(structured);
  if (structured.at("snapshots").empty()) return text + "No snapshots.\n";
  std::vector<std::vector<std::string>> rows{{"TAKEN", "AGE", "ROWS", "SIZE", "VERIFIED", "PATH"}};
  for (const auto& entry : structured.at("snapshots")) {
    rows.push_back({to_the_minute(entry.at("taken_at").get<std::string>()),
                    format_age(entry.at("age_hours").get<double>()),
                    entry.contains("rows") ? core::json_text(entry.at("rows")) : "-",
                    format_bytes(entry.at("bytes").get<std::uint64_t>()),
                    entry.at("verified").get<std::string>(), entry.at("path").get<std::string>()});
  }
  text += format_table(rows, width);
  for (const auto& entry : structured.at("snapshots")) {
    if (!entry.contains("before_loss")) continue;
    text += "The newest from before a loss: " + entry.at("path").get<std::string>() + " has " +
            entry.at("before_loss").get<std::string>() + "\n";
  }
  const auto shown = structured.at("snapshots").size();
  text += std::to_string(shown) + " of " +
          std::to_string(structured.at("total").get<std::size_t>()) + " snapshots, " +
          format_bytes(structured.at("total_bytes").get<std::uint64_t>()) + " in all\n";
  return text + format_more(structured);
}

server::Tool list_snapshots(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    auto filter = filter_of(arguments, setting.env.files);
    if (!filter) return filter.error();
    std::optional<OffMachine> off;
    server::ToolOutcome<std::vector<core::fs::path>> places;
    if (is_off_machine(json, "destination")) {
      auto looked = look_off_machine(*arguments.text("destination"), setting, context.stop());
      if (!looked) return looked.error();
      off.emplace(std::move(*looked));
      places = std::vector{core::path_of(core::text_of(off->root))};
    } else {
      places = places_of(arguments, context, setting);
    }
    if (auto ending = server::ending_of<Json>(places)) return *ending;
    const core::Env env = off ? off->env(setting.env) : setting.env;

    const auto limit =
        static_cast<std::size_t>(arguments.integer("limit").value_or(kDefaultSnapshots));
    const auto list = [&](std::size_t count) {
      return read_places(std::get<0>(places), *filter, count, arguments.text("cursor").value_or(""),
                         env);
    };
    auto page = list(limit);
    if (!page) return page.error();
    const auto now = setting.env.clock.now();
    Json snapshots = encode(*page, now);
    if (const std::size_t fit = fitting(snapshots);
        !arguments.has("limit") && fit < snapshots.size()) {
      page = list(fit);
      if (!page) return page.error();
      snapshots = encode(*page, now);
    }
    if (!arguments.has("cursor")) mark_before_loss(snapshots, *page);
    Json structured{{"snapshots", std::move(snapshots)},
                    {"total", page->total},
                    {"total_bytes", page->total_bytes}};
    if (!page->next_cursor.empty()) structured["next_cursor"] = page->next_cursor;
    structured["warnings"] = page->warnings;
    if (off) {
      for (const auto& warning : off->view.warnings) structured["warnings"].push_back(warning);
    }
    if (auto missing = missing_place(arguments, setting); !missing.empty()) {
      structured["warnings"].push_back(std::move(missing));
    }
    return structured;
  };
  auto tool = server::make_tool(schema_of("list_snapshots"), handler);
  tool.verb = "list";
  tool.to_text = [](const Json& structured) { return list_snapshots_text(structured, 0); };
  return tool;
}

}  // namespace tools
