#include "tools/restore_rows.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/rescue/put_back.h"
#include "core/rescue/row_search.h"
#include "core/rescue/undo_rows.h"
#include "tools/encode.h"
#include "tools/find_lost_rows.h"
#include "tools/schema.h"

namespace tools {

using core::Error;
using core::ErrorCode;
using core::fs::path;
using server::Json;

namespace {

// A question names so many tables and rows that stay; structured content has more.
constexpr std::size_t kMaxTold = 8;

Json encode_left(const std::vector<core::LeftRow>& left) {
  Json entries = Json::array();
  for (const auto& row : left) {
    entries.push_back({{"table", row.table}, {"key", row.key}, {"reason", row.reason}});
  }
  return entries;
}

// What putting back and undoing tell alike.
template <class Result>
Json encode_common(const Result& result) {
  return {{"source", core::text_of(result.source)},
          {"dry_run", result.dry_run},
          {"rows", result.rows},
          {"tables", Json::array()},
          {"left", encode_left(result.left)},
          {"left_total", result.left_total}};
}

Json encode(const core::RestoreRowsResult& result) {
  Json structured = encode_common(result);
  structured["refused"] = encode_refused(result.refused);
  for (const auto& [name, table] : result.tables) {
    Json entry{{"table", name}, {"put_back", table.put_back}, {"keys", table.keys}};
    if (table.hanging > 0) entry["hanging"] = table.hanging;
    if (table.changed > 0) entry["changed"] = table.changed;
    structured["tables"].push_back(std::move(entry));
  }
  if (!result.triggered.empty()) structured["triggered"] = result.triggered;
  if (!result.before.empty()) structured["before"] = core::text_of(result.before);
  if (!result.undo.empty()) structured["undo"] = result.undo;
  structured["warnings"] = result.warnings;
  return structured;
}

Json encode(const core::UndoRowsResult& result) {
  Json structured = encode_common(result);
  structured["warnings"] = Json::array();
  for (const auto& [name, rows] : result.tables) {
    structured["tables"].push_back({{"table", name}, {"taken_out", rows}});
  }
  return structured;
}

std::string restore_rows_text(const Json& structured) {
  std::string text = format_warnings(structured);
  for (const auto& table : structured.value("refused", Json::array())) {
    text += "Refused: " + table.at("table").get<std::string>() + ": " +
            table.at("reason").get<std::string>() + "\n";
  }
  const bool dry_run = structured.at("dry_run").get<bool>();
  const auto rows = structured.at("rows").get<std::uint64_t>();
  if (rows == 0 && structured.at("left_total") == 0) text += "Nothing is missing.\n";
  for (const auto& table : structured.at("tables")) {
    text += table.at("table").get<std::string>() + ":";
    const auto tell = [&](const char* key, const char* done, const char* would) {
      const auto count = table.value(key, std::uint64_t{0});
      if (count > 0) text += " " + format_count(count, "row") + " " + (dry_run ? would : done);
    };
    tell("put_back", "put back", "would be put back");
    tell("changed", "made as before", "would be made as before");
    tell("taken_out", "taken out", "would be taken out");
    if (table.contains("hanging")) {
      text += ", " + core::json_text(table.at("hanging")) + " of them because they hung on others";
    }
    text += "\n";
  }
  for (const auto& row : structured.at("left")) {
    text += "Left: " + row.at("table").get<std::string>() + " " + row.at("key").get<std::string>() +
            ": " + row.at("reason").get<std::string>() + "\n";
  }
  if (structured.contains("before")) {
    text += "The state before is kept: " + structured.at("before").get<std::string>() + "\n";
  }
  if (structured.contains("undo")) {
    text += "To undo: " +
            core::say(core::Action::put_back_rows,
                      {{"undo", structured.at("undo").get<std::string>()}}) +
            "\n";
  }
  return text;
}

// Nothing: go on. Otherwise the question, or why it is not to be done.
std::optional<server::ToolOutcome<Json>> settle_confirmation(const Json& preview, bool& confirmed,
                                                             const Arguments& arguments,
                                                             server::CallContext& context) {
  if (const auto answered = server::confirmation(context, kConfirmKey)) {
    confirmed = *answered;
    if (confirmed) return std::nullopt;
    return Error{ErrorCode::cancelled, "It was not confirmed; the database is as it was.", ""};
  }
  if (preview.at("rows") == 0) return preview;  // nothing to ask about
  Json told = preview;
  while (told.at("left").size() > kMaxTold) told["left"].erase(told["left"].size() - 1);
  std::string sentence =
      "In " + preview.at("source").get<std::string>() + ", " + restore_rows_text(told);
  while (sentence.ends_with('\n')) sentence.pop_back();
  return ask_for_yes(context, sentence,
                     sentence + "\nThe present state is kept in a snapshot. Go on?", "Go on",
                     arguments.call_with("restore_rows", {{kConfirmKey, true}}));
}

// Those in which a chosen row was last seen, the newest first.
core::Expected<std::vector<path>> snapshots_for(const core::LostRowsRequest& search, bool changed,
                                                server::CallContext& context,
                                                const Setting& setting) {
  if (search.snapshot) return std::vector<path>{*search.snapshot};
  const core::Env& env = setting.env;
  BPD_TRY_AS(source, env.files.canonical(search.source));
  BPD_TRY_AS(series, core::snapshots_to_search(*source, search.destination, search.since, env));
  if (series->snapshots.size() == 1) return std::vector<path>{series->snapshots.front().path};
  auto counted = search;
  counted.limit = 0;
  BPD_TRY_AS(found, core::find_lost_rows(counted, env, context.progress(), context.stop()));
  std::vector<bool> needed;
  for (std::size_t i = 0; i < found->searched.size(); ++i) {
    needed.push_back(found->last_seen[i] > 0);
  }
  // Rows are otherwise than in the newest; and so is "nothing is missing" seen by it.
  if (!needed.empty() && (changed || found->tables.empty())) needed[0] = true;
  std::vector<path> snapshots;
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (needed[i]) snapshots.push_back(found->searched[i].path);
  }
  return snapshots;
}

server::ToolOutcome<Json> put_back(const Arguments& arguments, server::CallContext& context,
                                   const Setting& setting) {
  auto outcome = lost_rows_request(arguments, context, setting);
  if (auto ending = server::ending_of<Json>(outcome)) return *ending;
  const auto& search = std::get<core::LostRowsRequest>(outcome);
  core::RestoreRowsRequest request;
  request.source = search.source;
  request.choice = search.choice;
  request.missing = arguments.flag("missing", true);
  request.changed = arguments.flag("changed");
  request.dry_run = arguments.flag("dry_run");
  request.confirmed = arguments.flag(kConfirmKey);
  if (auto chosen = core::check_choice(request.choice); !chosen) return chosen.error();
  request.destination = search.destination;
  if (request.destination.empty() && !request.dry_run) {
    auto destination = find_destination(arguments, context, setting);
    if (auto ending = server::ending_of<Json>(destination)) return *ending;
    request.destination = std::get<path>(destination);
  }
  auto snapshots = snapshots_for(search, request.changed, context, setting);
  if (!snapshots) return snapshots.error();
  request.snapshots = std::move(*snapshots);
  if (!request.dry_run && !request.confirmed) {
    auto asked = request;
    asked.dry_run = true;
    auto preview = core::restore_rows(asked, setting.env, context.progress(), context.stop());
    if (!preview) return preview.error();
    if (auto ending =
            settle_confirmation(encode(*preview), request.confirmed, arguments, context)) {
      return *ending;
    }
  }
  auto result = core::restore_rows(request, setting.env, context.progress(), context.stop());
  if (!result) return result.error();
  return encode(*result);
}

server::ToolOutcome<Json> undo(const Arguments& arguments, server::CallContext& context,
                               const Setting& setting) {
  core::UndoRowsRequest request;
  request.undo = arguments.text("undo").value_or("");
  auto source = arguments.path("source");
  if (!source) return source.error();
  if (*source) request.source = std::move(**source);
  if (request.source.empty()) {
    auto record = core::read_undo(request.undo, setting.env);
    if (!record) return record.error();
    auto allowed = arguments.allowed_path(record->source);
    if (!allowed) return allowed.error();
    request.source = std::move(*allowed);
  }
  request.dry_run = arguments.flag("dry_run");
  request.confirmed = arguments.flag(kConfirmKey);
  if (!request.dry_run && !request.confirmed) {
    auto asked = request;
    asked.dry_run = true;
    auto preview = core::undo_rows(asked, setting.env, context.stop());
    if (!preview) return preview.error();
    if (auto ending =
            settle_confirmation(encode(*preview), request.confirmed, arguments, context)) {
      return *ending;
    }
  }
  auto result = core::undo_rows(request, setting.env, context.stop());
  if (!result) return result.error();
  return encode(*result);
}

}  // namespace

server::Tool restore_rows(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    if (arguments.has("undo")) return undo(arguments, context, setting);
    return put_back(arguments, context, setting);
  };
  auto tool = server::make_tool(schema_of("restore_rows"), handler);
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = restore_rows_text;
  return tool;
}

}  // namespace tools
