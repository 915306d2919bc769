#include "tools/remove_schedule.h"

#include "core/base/paths.h"
#include "core/schedule/install.h"
#include "tools/encode.h"
#include "tools/limits.h"
#include "tools/schema.h"

namespace tools {

using server::Json;

namespace {

server::NeedsInput ask_to_confirm(const std::string& name) {
  return {
      .key = std::string(kConfirmKey),
      .message = "Remove the schedule '" + name +
                 "'? Its database is then no longer backed up every night. Snapshots stay.",
      .requested_schema = Json{
          {"type", "object"},
          {"properties", {{kConfirmKey, {{"type", "boolean"}, {"title", "Remove this schedule"}}}}},
          {"required", Json::array({kConfirmKey})}}};
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

}  // namespace

server::Tool remove_schedule(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    const std::string name = arguments.text("name").value_or("");
    if (auto checked = check_schedule(name, setting); !checked) return checked.error();
    // Where nobody can be asked, the call itself is the user's word.
    if (!arguments.flag(kConfirmKey) && context.abilities().form_elicitation) {
      const auto confirmed = server::confirmation(context, kConfirmKey);
      if (!confirmed) return ask_to_confirm(name);
      if (!*confirmed) {
        return core::Error{core::ErrorCode::cancelled,
                           "The schedule '" + name + "' stays: its removal was not confirmed.", ""};
      }
    }
    const auto result = core::remove_schedule(name, setting.world, context.stop());
    if (!result) return result.error();
    Json structured{{"name", result->name}, {"removed", result->removed}};
    if (result->job) {
      structured["source"] = core::text_of(result->job->snapshot.source);
      structured["snapshots_stay_in"] = core::text_of(result->job->snapshot.destination);
    }
    structured["warnings"] = result->warnings;
    return structured;
  };
  auto tool = server::make_tool(schema_of("remove_schedule"), handler);
  tool.to_text = remove_schedule_text;
  return tool;
}

}  // namespace tools
