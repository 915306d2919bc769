#include "tools/run_schedule.h"

#include "core/base/call.h"
#include "tools/encode.h"
#include "tools/limits.h"
#include "tools/schema.h"
#include "tools/snapshot_resources.h"

namespace tools {

using server::Json;

Json encode_run(const core::ProvenRun& run) {
  return {{"snapshot", run.record.snapshot},
          {"bytes", run.record.bytes},
          {"started_at", core::format_instant(run.record.started_at)},
          {"finished_at", core::format_instant(run.record.finished_at)},
          {"verdict", core::to_string(run.verification.verdict)},
          {"how", run.how}};
}

std::vector<std::string> warnings_of(const core::ProvenRun& run) {
  std::vector<std::string> warnings = core::texts_of(run.record.warnings);
  if (run.verification.verdict == core::VerifyReport::Verdict::inconclusive) {
    warnings.push_back("Not every check of the snapshot could be made; " +
                       core::say(core::Action::verify) + " says why.");
  }
  return warnings;
}

std::string format_run(const Json& run) {
  return "Ran through its scheduler (" + run.at("how").get<std::string>() + "): wrote " +
         run.at("snapshot").get<std::string>() + ", " +
         format_bytes(run.at("bytes").get<std::uint64_t>()) + ", " +
         run.at("verdict").get<std::string>() + "\n";
}

server::Tool run_schedule(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    const std::string name = arguments.text("name").value_or("");
    if (auto checked = check_schedule(name, setting); !checked) return checked.error();
    const auto run = core::run_schedule(name, setting.world, context.stop());
    if (!run) return run.error();
    Json structured = encode_run(*run);
    structured["name"] = name;
    structured["expired"] = encode_expired(run->expired);
    structured["warnings"] = warnings_of(*run);
    return structured;
  };
  auto tool = server::make_tool(schema_of("run_schedule"), handler);
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = [](const Json& structured) {
    return format_warnings(structured) + format_run(structured) +
           format_expired(structured.at("expired"), /*dry_run=*/false);
  };
  tool.changed_resources = [setting](const Json& structured) {
    return uris_of_run(structured.at("snapshot").get<std::string>(), structured.at("expired"),
                       setting);
  };
  return tool;
}

}  // namespace tools
