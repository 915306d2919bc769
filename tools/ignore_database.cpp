#include "tools/ignore_database.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/discovery/ignored.h"
#include "core/schedule/job.h"
#include "tools/encode.h"
#include "tools/schema.h"

namespace tools {

using server::Json;

namespace {

// A schedule of the database's own is somebody's wish, and goes on.
std::vector<std::string> schedule_warnings_of(const core::IgnoreResult& result,
                                              const Setting& setting) {
  std::vector<std::string> warnings;
  if (!core::is_ignored(result.path, result.ignored)) return warnings;
  const core::Env& world = setting.world;
  std::vector<core::UnusableJob> unusable;
  for (const auto& job : core::list_jobs(world.places, world.files, unusable)) {
    if (job.is_of_folder()) continue;
    const auto source = core::recorded_source(job.snapshot.source, world.files);
    if (!core::is_inside(source, result.path)) continue;
    warnings.push_back(
        "The schedule '" + job.name + "' goes on backing up " + core::text_of(source) +
        ". To end that: " + core::say(core::Action::remove_schedule, {{"name", job.name}}) + ".");
  }
  return warnings;
}

std::string ignore_database_text(const Json& structured) {
  const auto path = structured.at("path").get<std::string>();
  const auto& ignored = structured.at("ignored");
  const bool is_on = std::find(ignored.begin(), ignored.end(), Json(path)) != ignored.end();
  std::string text = is_on ? "Ignored from now on: " + path + ". Its snapshots stay.\n"
                           : path + " is no longer ignored. " + core::say(core::Action::status) +
                                 " tells whether something backs it up.\n";
  const bool has_others = ignored.size() > (is_on ? 1U : 0U);
  if (has_others) {
    text += "Ignored are:\n";
    for (const auto& place : ignored) text += "  " + place.get<std::string>() + "\n";
  }
  return text + format_warnings(structured);
}

}  // namespace

server::Tool ignore_database(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    const auto path = arguments.path("path");
    if (!path) return path.error();
    const auto result =
        core::set_ignored(path->value_or(core::fs::path{}), arguments.flag("ignored", true),
                          setting.world, context.stop());
    if (!result) return result.error();
    Json structured{{"path", core::text_of(result->path)}, {"ignored", Json::array()}};
    for (const auto& place : result->ignored) {
      if (arguments.allows(place)) structured["ignored"].push_back(core::text_of(place));
    }
    structured["warnings"] = schedule_warnings_of(*result, setting);
    return structured;
  };
  auto tool = server::make_tool(schema_of("ignore_database"), handler);
  tool.verb = "ignore";
  tool.to_text = ignore_database_text;
  return tool;
}

}  // namespace tools
