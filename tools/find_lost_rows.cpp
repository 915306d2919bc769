#include "tools/find_lost_rows.h"

#include <charconv>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/destinations.h"
#include "tools/encode.h"
#include "tools/offsite/off_machine.h"
#include "tools/schema.h"

namespace tools {

using core::ErrorCode;
using core::fs::path;
using server::Json;

namespace {

constexpr int kDefaultRows = 20;
// The destinations that runs on this machine wrote to, in which the source is looked for.
constexpr std::size_t kLookedAt = 1;

Json encode(const core::LostRows& found, const path& source) {
  Json structured{{"source", core::text_of(source)},
                  {"searched", found.searched.size()},
                  {"tables", Json::array()},
                  {"refused", encode_refused(found.refused)}};
  std::uint64_t lost = 0;
  for (const auto& table : found.tables) {
    lost += table.lost;
    Json entry{{"table", table.name}, {"lost", table.lost}, {"rows", Json::array()}};
    for (const auto& row : table.rows) {
      const auto& seen = found.searched[row.snapshot];
      Json one{{"key", row.key},
               {"row", row.line},
               {"snapshot", core::text_of(seen.path)},
               {"seen_at", core::format_instant(seen.taken_at)}};
      if (seen.next) one["gone_by"] = core::format_instant(*seen.next);
      entry["rows"].push_back(std::move(one));
    }
    if (table.changed > 0) entry["changed"] = table.changed;
    for (const auto& row : table.changed_rows) {
      entry["changed_rows"].push_back({{"key", row.key}, {"then", row.then}, {"now", row.now}});
    }
    if (!table.not_writable.empty()) entry["problem"] = table.not_writable;
    structured["tables"].push_back(std::move(entry));
  }
  structured["lost"] = lost;
  structured["warnings"] = found.warnings;
  return structured;
}

}  // namespace

std::string find_lost_rows_text(const Json& structured, std::size_t width) {
  std::string text = format_warnings(structured);
  for (const auto& table : structured.at("tables")) {
    text += table.at("table").get<std::string>() + ": " +
            format_count(table.at("lost").get<std::uint64_t>(), "row") + " gone";
    if (table.contains("changed")) {
      text += ", " + std::to_string(table.at("changed").get<std::uint64_t>()) + " changed";
    }
    text += "\n";
    std::vector<std::vector<std::string>> rows{{"KEY", "LAST SEEN", "ROW"}};
    for (const auto& row : table.at("rows")) {
      rows.push_back({row.at("key").get<std::string>(), row.at("seen_at").get<std::string>(),
                      row.at("row").get<std::string>()});
    }
    if (rows.size() > 1) text += format_table(rows, width);
    if (!table.contains("changed_rows")) continue;
    for (const auto& row : table.at("changed_rows")) {
      text += row.at("key").get<std::string>() + "\n  then " + row.at("then").get<std::string>() +
              "\n  now  " + row.at("now").get<std::string>() + "\n";
    }
  }
  for (const auto& table : structured.at("refused")) {
    text += "Not compared: " + table.at("table").get<std::string>() + ": " +
            table.at("reason").get<std::string>() + "\n";
  }
  const auto searched = format_count(structured.at("searched").get<std::uint64_t>(), "snapshot");
  if (structured.at("tables").empty()) return text + "Nothing is missing (" + searched + ").\n";
  text += "Searched " + searched + ".";
  if (structured.contains("put_back")) {
    text += " Put rows back: " + structured.at("put_back").get<std::string>() + ", with " +
            core::say_parameter("dry_run") + " first";
  }
  return text + "\n" + format_more(structured);
}

namespace {

// What puts back what was found: whole, for it is to be made as it stands. Nothing where no row
// could be written.
std::optional<std::string> call_to_put_back(const core::LostRowsRequest& request,
                                            const core::LostRows& found) {
  std::vector<core::Parameter> parameters{{"source", core::text_of(request.source)}};
  const auto add = [&parameters](const char* name, auto value) {
    if (!value.empty()) parameters.push_back({name, std::move(value)});
  };
  add("destination", core::text_of(request.destination));
  if (request.snapshot) add("snapshot", core::text_of(*request.snapshot));
  std::vector<std::string> tables = request.choice.tables;
  if (tables.empty() && request.choice.text.empty()) {
    for (const auto& table : found.tables) {
      if (table.not_writable.empty()) tables.push_back(table.name);
    }
    if (tables.empty()) return std::nullopt;
  }
  add("tables", std::move(tables));
  add("text", request.choice.text);
  if (request.changed) parameters.push_back({"changed", true});
  return core::say(core::Action::put_back_rows, std::move(parameters));
}

core::Expected<std::size_t> skip_of(const Arguments& arguments) {
  const auto cursor = arguments.text("cursor");
  std::size_t skip = 0;
  if (!cursor) return skip;
  const auto [end, error] = std::from_chars(cursor->data(), cursor->data() + cursor->size(), skip);
  if (error == std::errc() && end == cursor->data() + cursor->size()) return skip;
  return core::fail(ErrorCode::invalid_argument, "\"" + *cursor + "\" is no cursor.",
                    "Give the next_cursor of the page before.");
}

// Of the known destinations the latest with a snapshot of the source.
std::optional<path> destination_of(const path& source, const Arguments& arguments,
                                   const Setting& setting) {
  core::ListFilter filter;
  filter.source = core::text_of(core::recorded_source(source, setting.env.files));
  for (const path& known : core::known_destinations(setting.env)) {
    if (!arguments.allows(known)) continue;
    const auto page = core::list_snapshots(known, filter, kLookedAt, "", setting.env.files);
    if (page && page->total > 0) return known;
  }
  return std::nullopt;
}

}  // namespace

Json encode_refused(const std::vector<core::RefusedTable>& refused) {
  Json tables = Json::array();
  for (const auto& table : refused) {
    tables.push_back({{"table", table.name}, {"reason", table.reason}});
  }
  return tables;
}

server::ToolOutcome<core::LostRowsRequest> lost_rows_request(const Arguments& arguments,
                                                             server::CallContext& context,
                                                             const Setting& setting) {
  core::LostRowsRequest request;
  auto source = arguments.source();
  if (!source) return source.error();
  request.source = std::move(*source);
  auto snapshot = arguments.path("snapshot");
  if (!snapshot) return snapshot.error();
  request.snapshot = std::move(*snapshot);
  request.choice = {arguments.texts("tables"), arguments.texts("keys"),
                    arguments.text("text").value_or("")};
  auto given = arguments.destination();
  if (!given) return given.error();
  if (!*given) *given = destination_of(request.source, arguments, setting);
  if (*given) {
    request.destination = std::move(**given);
    return request;
  }
  if (request.snapshot) return request;
  auto asked = find_destination(arguments, context, setting);
  if (auto ending = server::ending_of<core::LostRowsRequest>(asked)) return *ending;
  request.destination = std::get<path>(asked);
  return request;
}

namespace {

// `here`: the snapshots are on this machine. From others no rows are put back, so no call is told.
server::ToolOutcome<Json> find_in(bool here, const Json& json, server::CallContext& context,
                                  const Setting& setting) {
  const Arguments arguments(json, setting);
  auto outcome = lost_rows_request(arguments, context, setting);
  if (auto ending = server::ending_of<Json>(outcome)) return *ending;
  auto& request = std::get<core::LostRowsRequest>(outcome);
  auto since = arguments.date("since");
  if (!since) return since.error();
  if (*since) request.since = setting.env.clock.local_instant(**since, std::chrono::seconds(0));
  auto skip = skip_of(arguments);
  if (!skip) return skip.error();
  request.skip = *skip;
  request.limit = static_cast<std::size_t>(arguments.integer("limit").value_or(kDefaultRows));
  request.changed = arguments.flag("changed");
  auto found = core::find_lost_rows(request, setting.env, context.progress(), context.stop());
  if (!found) return found.error();
  Json structured = encode(*found, request.source);
  if (found->more) structured["next_cursor"] = std::to_string(request.skip + request.limit);
  if (found->tables.empty() || !here) return structured;
  if (const auto call = call_to_put_back(request, *found)) structured["put_back"] = *call;
  return structured;
}

}  // namespace

server::Tool find_lost_rows(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const bool here = !is_off_machine(json, "destination") && !is_off_machine(json, "snapshot");
    const auto find = [setting, here](const Json& fetched, server::CallContext& inner) {
      return find_in(here, fetched, inner, setting);
    };
    return fetching_snapshot(setting, core::Damaged::is_passed_over, /*all=*/true, find)(json,
                                                                                         context);
  };
  auto tool = server::make_tool(schema_of("find_lost_rows"), handler);
  tool.verb = "lost";
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = [](const Json& structured) { return find_lost_rows_text(structured, 0); };
  return tool;
}

}  // namespace tools
