#include "tools/snapshot_db.h"

#include <cmath>

#include "core/base/paths.h"
#include "core/snapshot/new_rules.h"
#include "core/snapshot/snapshot.h"
#include "tools/encode.h"
#include "tools/schema.h"
#include "tools/snapshot_resources.h"

namespace tools {

using core::SnapshotResult;
using server::Json;

namespace {

// Everything but source and destination.
core::Expected<core::SnapshotRequest> snapshot_options(const Arguments& arguments) {
  core::SnapshotRequest request;
  BPD_TRY_AS(date, arguments.date("date"));
  request.date = *date;
  request.label = arguments.text("label").value_or("");
  request.hostname = arguments.text("hostname").value_or("");
  request.flat = arguments.flag("flat");
  request.retention = arguments.retention();
  request.verify = arguments.verify("verify", core::VerifyLevel::quick);
  request.dry_run = arguments.flag("dry_run");
  return request;
}

// Nothing: go on. Otherwise the question, or why nothing is done.
std::optional<server::ToolOutcome<Json>> settle_new_rules(const core::SnapshotRequest& request,
                                                          const Arguments& arguments,
                                                          const server::CallContext& context,
                                                          const Setting& setting) {
  if (request.dry_run) return std::nullopt;
  const auto yes = confirmation_of(arguments, context);
  if (yes.value_or(false)) return std::nullopt;
  const auto removals = core::removals_by_new_rules(request, setting.env, context.stop());
  if (!removals) return removals.error();
  if (removals->empty()) return std::nullopt;
  const core::Error error =
      core::unconfirmed_removal("These keep rules are new here, and would remove", *removals);
  if (yes) {
    return core::Error{core::ErrorCode::cancelled,
                       "Nothing was done: the removal was not confirmed.", ""};
  }
  return ask_for_yes(context, error.message, error.message + " Go on?", "Remove them");
}

Json encode_timings(const core::SnapshotTimings& timings) {
  const auto rounded = [](double ms) { return std::round(ms * 10) / 10; };
  return {{"copy", rounded(timings.copy_ms)},
          {"digest", rounded(timings.digest_ms)},
          {"sync", rounded(timings.sync_ms)},
          {"verify", rounded(timings.verify_ms)},
          {"total", rounded(timings.total_ms)}};
}

Json encode(const SnapshotResult& result) {
  Json structured{{"snapshot", core::text_of(result.snapshot)},
                  {"source", result.manifest.source},
                  {"dry_run", result.dry_run},
                  {"replaced", result.replaced}};
  structured["verdict"] = result.verification
                              ? std::string(core::to_string(result.verification->verdict))
                              : "not verified";
  if (!result.dry_run) {
    structured["manifest"] = core::text_of(result.manifest_path);
    structured["bytes"] = result.manifest.bytes;
    structured["sha256"] = result.manifest.sha256;
    structured["taken_at"] = core::format_instant(result.manifest.taken_at);
    auto rows = result.manifest.rows;
    if (const auto& more = result.manifest.virtual_rows) rows.insert(more->begin(), more->end());
    structured["rows"] = std::move(rows);
    structured["timings_ms"] = encode_timings(result.timings);
  }
  if (result.verification) structured["checks"] = encode_checks(result.verification->checks);
  structured["expired"] = encode_expired(result.retention);
  structured["kept"] = result.retention.size() - structured["expired"].size();
  structured["shrink_alarm"] = result.shrink_alarm;
  structured["warnings"] = core::texts_of(result.warnings);
  return structured;
}

std::string snapshot_db_text(const Json& structured) {
  const bool dry_run = structured.at("dry_run").get<bool>();
  std::string text = format_warnings(structured);
  text += (dry_run ? "Would write " : "Wrote ") + structured.at("snapshot").get<std::string>();
  if (structured.at("replaced").get<bool>()) text += ", replacing the one of the same day";
  text += "\n";
  if (!dry_run) {
    std::uint64_t rows = 0;
    for (const auto& count : structured.at("rows")) rows += count.get<std::uint64_t>();
    text += format_bytes(structured.at("bytes").get<std::uint64_t>()) + ", " +
            format_count(rows, "row") + " in " +
            format_count(structured.at("rows").size(), "table") + ", " +
            structured.at("verdict").get<std::string>() + ", SHA-256 " +
            structured.at("sha256").get<std::string>() + "\n";
  }
  text += format_expired(structured.at("expired"), dry_run);
  return text;
}

}  // namespace

server::Tool snapshot_db(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    auto request = snapshot_options(arguments);
    if (!request) return request.error();
    auto source = arguments.source();
    if (!source) return source.error();
    auto destination = find_destination(arguments, context, setting);
    if (auto ending = server::ending_of<Json>(destination)) return *ending;
    request->source = *source;
    request->destination = std::get<core::fs::path>(destination);

    if (auto ending = settle_new_rules(*request, arguments, context, setting)) return *ending;
    auto result = core::take_snapshot(*request, setting.env, context.progress(), context.stop());
    if (!result) return result.error();
    return encode(*result);
  };
  auto tool = server::make_tool(schema_of("snapshot_db"), handler);
  tool.verb = "snapshot";
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = snapshot_db_text;
  tool.changed_resources = [setting](const Json& structured) -> std::vector<std::string> {
    if (structured.at("dry_run").get<bool>()) return {};
    return uris_of_run(structured.at("snapshot").get<std::string>(), structured.at("expired"),
                       setting);
  };
  return tool;
}

}  // namespace tools
