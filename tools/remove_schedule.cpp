#include "tools/remove_schedule.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/schedule/install.h"
#include "server/base/printable.h"
#include "tools/encode.h"
#include "tools/schedules/schedule_names.h"
#include "tools/schema.h"

namespace tools {

using core::Error;
using core::ErrorCode;
using server::Json;

namespace {

// Those to be removed: by name, or all.
core::Expected<std::vector<std::string>> names_of(const Arguments& arguments,
                                                  const Setting& setting, std::stop_token stop) {
  const std::string name = arguments.text("name").value_or("");
  if (name.empty() == !arguments.flag("all")) {
    return core::fail(ErrorCode::invalid_argument, "Which schedule is to be removed is not clear.",
                      "Give either its " + core::say_parameter("name") + " or " +
                          core::say_parameter("all", true) + ".");
  }
  if (name.empty()) return all_schedules(setting, std::move(stop));
  return schedules_named(name, setting, std::move(stop));
}

// Nothing: go on. Otherwise the question, or why nothing is removed.
std::optional<server::ToolOutcome<Json>> settle(const std::vector<std::string>& names,
                                                const Arguments& arguments,
                                                const server::CallContext& context) {
  const std::string which =
      names.size() == 1 ? "the schedule '" + names.front() + "'"
                        : std::to_string(names.size()) + " schedules (" + joined(names) + ")";
  if (const auto yes = confirmation_of(arguments, context)) {
    if (*yes) return std::nullopt;
    return Error{ErrorCode::cancelled, "Nothing was removed: it was not confirmed.", ""};
  }
  const std::string rest =
      std::string(names.size() == 1 ? "Its database is" : "Their databases are") +
      " then no longer backed up by itself. Snapshots stay.";
  return ask_for_yes(context, "This removes " + which + ". " + rest,
                     "Remove " + which + "? " + rest, "Remove");
}

std::string remove_schedule_text(const Json& structured) {
  std::string text = format_warnings(structured) + "Removed the schedule '" +
                     structured.at("name").get<std::string>() + "':\n";
  for (const auto& gone : structured.at("removed")) text += "  " + gone.get<std::string>() + "\n";
  if (structured.contains("snapshots_stay_in")) {
    text += "Its snapshots stay in " + structured.at("snapshots_stay_in").get<std::string>() + "\n";
  }
  return text;
}

// What is wrong with one of several keeps no other from being removed.
server::ToolOutcome<Json> remove_each(const std::vector<std::string>& names, const Setting& setting,
                                      std::stop_token stop) {
  std::vector<std::string> done, removed, sources, places, warnings;
  const auto add = [](std::vector<std::string>& list, const std::string& text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
  };
  for (const auto& name : names) {
    const auto result = core::remove_schedule(name, setting.world, stop);
    if (!result && names.size() == 1) return result.error();
    if (!result) {
      warnings.push_back("'" + name + "' stays: " + server::error_text(result.error()));
      continue;
    }
    done.push_back(name);
    removed.insert(removed.end(), result->removed.begin(), result->removed.end());
    warnings.insert(warnings.end(), result->warnings.begin(), result->warnings.end());
    if (!result->job) continue;
    add(sources, core::text_of(result->job->place()));
    add(places, core::text_of(result->job->snapshot.destination));
  }
  Json structured{{"name", joined(done)}, {"removed", removed}, {"warnings", warnings}};
  if (!sources.empty()) structured["source"] = joined(sources);
  if (!places.empty()) structured["snapshots_stay_in"] = joined(places);
  return structured;
}

}  // namespace

server::Tool remove_schedule(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    const auto names = names_of(arguments, setting, context.stop());
    if (!names) return names.error();
    if (names->size() == 1 && !confirmation_of(arguments, context)) {
      // Nobody is asked about what is not there.
      const auto there = check_is_there(names->front(), setting, context.stop());
      if (!there) return there.error();
    }
    if (auto ending = settle(*names, arguments, context)) return *ending;
    return remove_each(*names, setting, context.stop());
  };
  auto tool = server::make_tool(schema_of("remove_schedule"), handler);
  tool.to_text = remove_schedule_text;
  return tool;
}

}  // namespace tools
