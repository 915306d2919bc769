#include "tools/restore_all.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/moving/bring_home.h"
#include "server/base/printable.h"
#include "tools/encode.h"
#include "tools/offsite/off_machine.h"
#include "tools/schema.h"

namespace tools {

using core::Error;
using core::ErrorCode;
using core::fs::path;
using server::Json;

namespace {

Json encode(const core::HeldDatabase& held) {
  Json entry{{"source", held.source},
             {"host", held.host},
             {"snapshot", core::text_of(held.snapshot)},
             {"taken_at", core::format_instant(held.taken_at)},
             {"bytes", held.bytes},
             {"rows", held.rows}};
  if (!held.target.empty()) entry["target"] = core::text_of(held.target);
  if (held.home_unknown) entry["home_unknown"] = true;
  if (!held.why.empty()) entry["why"] = held.why;
  return entry;
}

Json encode(const core::BroughtDatabase& database) {
  Json entry = encode(database.held);
  if (!database.makes.empty()) entry["makes"] = core::text_of(database.makes);
  if (database.verdict) entry["verdict"] = core::to_string(*database.verdict);
  if (database.error) entry["error"] = server::error_text(*database.error);
  if (!database.warnings.empty()) entry["warnings"] = database.warnings;
  return entry;
}

// There are databases, and none can come home: they have no place here, or nobody knows it.
bool has_no_place(const Json& structured) {
  const Json& left = structured.at("left");
  if (!structured.at("databases").empty() || left.empty()) return false;
  const auto is_placed = [](const Json& entry) { return entry.contains("target"); };
  const auto has_unknown_home = [](const Json& entry) { return entry.contains("home_unknown"); };
  return std::none_of(left.begin(), left.end(), is_placed) ||
         std::any_of(left.begin(), left.end(), has_unknown_home);
}

Json encode(const core::BringHomeResult& result) {
  Json structured{
      {"dry_run", result.dry_run}, {"databases", Json::array()}, {"restored", 0},
      {"left", Json::array()},     {"schedules", Json::array()}, {"warnings", result.warnings}};
  int restored = 0;
  for (const auto& database : result.databases) {
    structured["databases"].push_back(encode(database));
    if (!result.dry_run && !database.error) ++restored;
  }
  structured["restored"] = restored;
  for (const auto& held : result.left) structured["left"].push_back(encode(held));
  for (const auto& schedule : result.schedules) {
    Json entry{{"name", schedule.job.name}, {"install", core::say(schedule.install)}};
    put_place(entry, schedule.job);
    structured["schedules"].push_back(std::move(entry));
  }
  if (has_no_place(structured)) {
    const auto homeless =
        std::find_if(result.left.begin(), result.left.end(),
                     [](const core::HeldDatabase& held) { return held.target.empty(); });
    structured["warnings"].push_back(
        std::string(result.dry_run ? "Nothing would come home. " : "Nothing came home. ") +
        homeless->source + ": " + homeless->why);
  }
  return structured;
}

std::string format_databases(const Json& databases, std::size_t width) {
  std::vector<std::vector<std::string>> rows{{"TAKEN", "ROWS", "SIZE", "HOST", "PLACE HERE"}};
  for (const auto& entry : databases) {
    rows.push_back({entry.at("taken_at").get<std::string>(),
                    std::to_string(entry.at("rows").get<std::uint64_t>()),
                    format_bytes(entry.at("bytes").get<std::uint64_t>()),
                    entry.at("host").get<std::string>(), entry.at("target").get<std::string>()});
  }
  return format_table(rows, width);
}

}  // namespace

std::string restore_all_text(const Json& structured, std::size_t width) {
  const bool dry_run = structured.at("dry_run").get<bool>();
  const Json& databases = structured.at("databases");
  std::string text = format_warnings(structured);
  text += dry_run ? "Would restore " + std::to_string(databases.size())
                  : "Restored " + std::to_string(structured.at("restored").get<int>()) + " of " +
                        std::to_string(databases.size());
  text += " databases that this machine lacked\n";
  if (!databases.empty()) text += format_databases(databases, width);
  for (const auto& entry : databases) {
    const auto target = entry.at("target").get<std::string>();
    if (entry.contains("makes")) {
      text += std::string(dry_run ? "Would make " : "Made ") + "the folder " +
              entry.at("makes").get<std::string>() + " for it\n";
    }
    for (const auto& warning : entry.value("warnings", Json::array())) {
      text += target + ": " + warning.get<std::string>() + "\n";
    }
    if (entry.contains("error")) {
      text += target + (dry_run ? " cannot come back: " : " was not restored: ") +
              entry.at("error").get<std::string>() + "\n";
    }
  }
  for (const auto& entry : structured.at("left")) {
    text += "Left alone: " + entry.at("source").get<std::string>() + ". " +
            entry.at("why").get<std::string>() + "\n";
  }
  for (const auto& schedule : structured.at("schedules")) {
    text += "Schedule '" + schedule.at("name").get<std::string>() +
            "' was there; to have it here: " + schedule.at("install").get<std::string>() + "\n";
  }
  return text;
}

namespace {

core::HeldRequest held_request(const Arguments& arguments, const Setting& setting) {
  core::HeldRequest request;
  request.host = arguments.text("hostname");
  if (!setting.allowed.empty()) {
    request.allows = [setting](const path& target) { return setting.allows(target); };
  }
  return request;
}

// Nothing: go on. Otherwise the question, or why it is not to be done.
std::optional<server::ToolOutcome<Json>> settle(core::BringHomeRequest& request,
                                                server::CallContext& context,
                                                const Setting& setting) {
  if (request.dry_run || request.confirmed) return std::nullopt;
  if (const auto confirmed = server::confirmation(context, kConfirmKey)) {
    request.confirmed = *confirmed;
    if (request.confirmed) return std::nullopt;
    return Error{ErrorCode::cancelled, "Nothing was restored: it was not confirmed.", ""};
  }
  auto asked = request;
  asked.dry_run = true;
  const auto preview = core::bring_home(asked, setting.env, context.progress(), context.stop());
  if (!preview) return preview.error();
  if (preview->databases.empty()) return std::nullopt;  // there is nothing to say yes to
  const std::string text = restore_all_text(encode(*preview), 0);
  return ask_for_yes(context, text, text + "Restore them?", "Restore them");
}

Json nothing_lacks(const core::Held& held) {
  core::BringHomeResult result;
  for (const auto& database : held.databases) result.left.push_back(database);
  result.warnings = held.warnings;
  return encode(result);
}

std::optional<ErrorCode> bad_news_of(const Json& structured) {
  for (const auto& entry : structured.at("databases")) {
    if (entry.contains("error")) return ErrorCode::damaged;
  }
  if (has_no_place(structured)) return ErrorCode::not_found;
  return std::nullopt;
}

}  // namespace

core::Expected<> add_lacking(Json& structured, const Arguments& arguments, const Setting& setting,
                             std::stop_token stop) {
  if (!arguments.has("destination")) return {};
  BPD_TRY_AS(destination, arguments.destination());
  core::HeldRequest request = held_request(arguments, setting);
  request.destination = std::move(**destination);
  BPD_TRY_AS(held, core::held_in(request, setting.env, std::move(stop)));
  Json lacking = Json::array();
  for (const auto* database : held->lacking()) lacking.push_back(encode(*database));
  if (!lacking.empty()) {
    structured["warnings"].push_back(
        std::to_string(lacking.size()) + " of the databases in " +
        core::text_of(request.destination) + " are not on this machine. " +
        core::say(core::Action::bring_home, {{"destination", core::text_of(request.destination)}}) +
        " brings them home.");
  }
  for (const auto& warning : held->warnings) structured["warnings"].push_back(warning);
  structured["lacking"] = std::move(lacking);
  return {};
}

std::string format_lacking(const Json& structured, std::size_t width) {
  if (structured.value("lacking", Json::array()).empty()) return "";
  return "Not on this machine:\n" + format_databases(structured.at("lacking"), width);
}

server::Tool restore_all(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    auto destination = find_destination(arguments, context, setting);
    if (auto ending = server::ending_of<Json>(destination)) return *ending;
    core::BringHomeRequest request;
    request.held = held_request(arguments, setting);
    request.held.destination = std::move(std::get<path>(destination));
    // Of another machine: it is compared, never looked at.
    if (const auto home = arguments.text("old_home")) request.held.old_home = core::path_of(*home);
    request.dry_run = arguments.flag("dry_run");
    request.confirmed = arguments.flag(kConfirmKey);
    if (auto ending = settle(request, context, setting)) return *ending;
    request.confirmed = true;
    const auto result = core::bring_home(request, setting.env, context.progress(), context.stop());
    if (!result) return result.error();
    return encode(*result);
  };
  auto tool = server::make_tool(schema_of("restore_all"),
                                fetching_what_lacks(setting, nothing_lacks, handler));
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = [](const Json& structured) { return restore_all_text(structured, 0); };
  tool.bad_news = bad_news_of;
  return tool;
}

}  // namespace tools
