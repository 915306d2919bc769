#include "tools/verify_snapshot.h"

#include <cmath>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/verify/verify_run.h"
#include "tools/encode.h"
#include "tools/offsite/off_machine.h"
#include "tools/schema.h"

namespace tools {

using core::fs::path;
using server::Json;

namespace {

Json encode(const core::VerifyRun& run, core::Instant now) {
  const core::VerifyReport& report = run.report;
  Json structured{{"snapshot", core::text_of(report.path)},
                  {"verdict", core::to_string(report.verdict)},
                  {"checks", encode_checks(report.checks)}};
  if (report.manifest) {
    structured["source"] = report.manifest->source;
    structured["taken_at"] = core::format_instant(report.manifest->taken_at);
    structured["age_hours"] = age_hours(report.manifest->taken_at, now);
  }
  structured["elapsed_ms"] = std::round(report.elapsed_ms * 10) / 10;
  structured["warnings"] = run.warnings;
  return structured;
}

std::string verify_snapshot_text(const Json& structured) {
  std::string text = format_warnings(structured) + structured.at("snapshot").get<std::string>() +
                     ": " + structured.at("verdict").get<std::string>() + "\n" +
                     format_checks(structured.at("checks"));
  if (structured.contains("age_hours")) {
    text += "Taken " + format_age(structured.at("age_hours").get<double>()) + " ago of " +
            structured.at("source").get<std::string>() + "\n";
  }
  if (structured.at("verdict") == "damaged") {
    text += "Do not restore this one. List the others with " +
            core::say(core::Action::list_snapshots) + ".\n";
  }
  return text;
}

}  // namespace

server::ToolOutcome<core::LatestSnapshot> find_snapshot(const Arguments& arguments,
                                                        core::Damaged damaged,
                                                        server::CallContext& context,
                                                        const Setting& setting) {
  const auto given = arguments.text("snapshot").value_or("latest");
  if (given != "latest" && !given.empty()) {
    auto named = arguments.path("snapshot");
    if (!named) return named.error();
    return core::LatestSnapshot{.path = **named, .warnings = {}};
  }
  auto source = arguments.source();
  if (!source) return source.error();
  auto destination = find_destination(arguments, context, setting);
  if (auto ending = server::ending_of<core::LatestSnapshot>(destination)) return *ending;
  auto latest =
      core::latest_snapshot_of(*source, std::get<path>(destination), damaged, setting.env);
  if (!latest) return latest.error();
  return std::move(*latest);
}

server::Tool verify_snapshot(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    // A check is of what was taken last, above all where an earlier one found that damaged.
    auto snapshot = find_snapshot(arguments, core::Damaged::counts, context, setting);
    if (auto ending = server::ending_of<Json>(snapshot)) return *ending;

    core::VerifyRequest request;
    const auto& found = std::get<core::LatestSnapshot>(snapshot);
    request.snapshot = found.path;
    request.level = arguments.verify("level", core::VerifyLevel::quick);
    if (arguments.flag("compare_source")) {
      auto source = arguments.source();
      if (!source) return source.error();
      request.live_source = *source;
    }
    auto run = core::verify_and_record(request, setting.env, context.progress(), context.stop());
    if (!run) return run.error();
    Json structured = encode(*run, setting.env.clock.now());
    for (const auto& warning : found.warnings) structured["warnings"].push_back(warning);
    if (!found.whose.empty()) structured["warnings"].push_back(found.whose);
    return structured;
  };
  auto tool =
      server::make_tool(schema_of("verify_snapshot"),
                        fetching_snapshot(setting, core::Damaged::counts, /*all=*/false, handler));
  tool.verb = "verify";
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = verify_snapshot_text;
  tool.bad_news = [](const Json& structured) -> std::optional<core::ErrorCode> {
    if (structured.at("verdict") == "damaged") return core::ErrorCode::damaged;
    if (structured.at("verdict") == "inconclusive") return core::ErrorCode::unsupported;
    return std::nullopt;
  };
  return tool;
}

}  // namespace tools
