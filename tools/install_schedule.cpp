#include "tools/install_schedule.h"

#include "core/due.h"
#include "core/schedule_install.h"
#include "tools/encode.h"
#include "tools/run_schedule.h"
#include "tools/schema.h"
#include "tools/snapshot_db.h"
#include "tools/snapshot_resources.h"

namespace tools {

using core::InstallRequest;
using core::InstallResult;
using server::Json;

namespace {

// Everything but source and destination.
core::Expected<InstallRequest> options_of(const Arguments& arguments, const Setting& setting) {
  InstallRequest request;
  auto snapshot = snapshot_options(arguments);
  if (!snapshot) return core::fail(snapshot.error());
  request.job.snapshot = std::move(*snapshot);
  request.job.name = arguments.text("name").value_or("");
  if (arguments.has("name")) {
    if (auto checked = core::check_schedule_name(request.job.name); !checked) {
      return core::fail(checked.error());
    }
  }
  if (const auto time = arguments.text("time")) {
    const auto parsed = core::parse_time_of_day(*time);
    if (!parsed) {
      return core::fail(core::ErrorCode::invalid_argument, "time is \"" + *time + "\".",
                        "Write it as HH:MM, 00:00 to 23:59.");
    }
    request.job.time = *parsed;
  }
  request.scheduler = core::parse_scheduler_kind(arguments.text("scheduler").value_or("auto"));
  request.job.on_failure = arguments.text("on_failure").value_or("");
  request.job.ping_url = arguments.text("ping_url").value_or("");
  if (!request.job.on_failure.empty() && !setting.allowed.empty()) {
    return core::fail(core::ErrorCode::permission_denied,
                      "on_failure runs any command, which a server limited to folders must not do.",
                      "Install this schedule from the command line.");
  }
  request.run_now = arguments.flag("run_now", true);
  request.dry_run = arguments.flag("dry_run");
  return request;
}

std::string octal(std::uint32_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3) {
    digits += static_cast<char>('0' + ((mode >> shift) & 7));
  }
  return digits;
}

Json encode(const InstallResult& result) {
  Json structured{{"name", result.job.name},
                  {"scheduler", core::to_string(result.job.scheduler)},
                  {"time", core::format_time_of_day(result.job.time)},
                  {"source", result.job.snapshot.source.string()},
                  {"destination", result.job.snapshot.destination.string()},
                  {"dry_run", result.dry_run},
                  {"updated", result.updated},
                  {"next_run", core::format_instant(result.next_run)}};
  Json files = Json::array();
  for (const auto& file : result.files) {
    Json entry{{"path", file.path.string()}, {"mode", octal(file.mode)}};
    if (result.dry_run) entry["text"] = file.text;
    files.push_back(std::move(entry));
  }
  structured["files"] = std::move(files);
  if (result.dry_run) structured["commands"] = result.commands;
  std::vector<std::string> warnings = result.warnings;
  if (result.run) {
    structured["run"] = encode_run(*result.run);
    const auto more = warnings_of(*result.run);
    warnings.insert(warnings.end(), more.begin(), more.end());
  }
  structured["removed"] = result.removed;
  structured["warnings"] = warnings;
  return structured;
}

std::string to_text(const Json& structured) {
  const auto text_of = [&](const char* key) { return structured.at(key).get<std::string>(); };
  std::string text = format_warnings(structured);
  if (structured.at("dry_run").get<bool>()) {
    text += "Would do, in this order:\n";
    for (const auto& command : structured.at("commands")) {
      text += "  " + command.get<std::string>() + "\n";
    }
    for (const auto& file : structured.at("files")) {
      text +=
          "\n== " + file.at("path").get<std::string>() + "\n" + file.at("text").get<std::string>();
    }
    return text;
  }
  text += std::string(structured.at("updated").get<bool>() ? "Updated" : "Installed") +
          " the schedule '" + text_of("name") + "' (" + text_of("scheduler") +
          "): " + text_of("source") + " to " + text_of("destination") + ", daily at " +
          text_of("time") + ", next " + text_of("next_run") + "\n";
  if (structured.contains("run")) text += format_run(structured.at("run"));
  for (const auto& gone : structured.at("removed")) {
    text += "Removed " + gone.get<std::string>() + "\n";
  }
  return text;
}

}  // namespace

server::Tool install_schedule(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    auto request = options_of(arguments, setting);
    if (!request) return request.error();
    auto source = arguments.source();
    if (!source) return source.error();
    auto destination = find_destination(arguments, context, setting);
    if (auto* question = std::get_if<server::NeedsInput>(&destination)) return *question;
    if (auto* error = std::get_if<core::Error>(&destination)) return *error;
    request->job.snapshot.source = *source;
    request->job.snapshot.destination = std::get<core::fs::path>(destination);

    const auto result =
        core::install_schedule(*request, setting.env, context.progress(), context.stop());
    if (!result) return result.error();
    return encode(*result);
  };
  auto tool = server::make_tool(schema_of("install_schedule"), handler);
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = to_text;
  tool.changed_resources = [setting](const Json& structured) -> std::vector<std::string> {
    if (!structured.contains("run")) return {};
    return uris_of_snapshot(structured.at("run").at("snapshot").get<std::string>(), setting);
  };
  return tool;
}

}  // namespace tools
