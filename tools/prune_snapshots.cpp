#include "tools/prune_snapshots.h"

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/offsite/prune_copies.h"
#include "core/snapshot/prune.h"
#include "core/status/status_facts.h"
#include "tools/encode.h"
#include "tools/offsite/off_machine.h"
#include "tools/schema.h"
#include "tools/snapshot_resources.h"

namespace tools {

using server::Json;

namespace {

Json encode(const core::PruneResult& result, bool dry_run) {
  Json expired = Json::array();
  Json kept = Json::array();
  for (const auto& decision : result.decisions) {
    (decision.expired ? expired : kept)
        .push_back({{"path", core::text_of(decision.snapshot.path)}, {"reason", decision.reason}});
  }
  return {{"source", result.source},           {"dry_run", dry_run},
          {"expired", std::move(expired)},     {"kept", std::move(kept)},
          {"freed_bytes", result.freed_bytes}, {"warnings", result.warnings}};
}

server::ToolOutcome<Json> prune_off_machine(core::PruneRequest request, const std::string& remote,
                                            const Setting& setting,
                                            const server::CallContext& context) {
  auto off = look_off_machine(remote, setting, context.stop());
  if (!off) return off.error();
  request.destination = core::path_of(core::text_of(off->root));
  const auto result =
      core::prune_copies(request, off->store, off->root, off->view, setting.world, context.stop());
  if (!result) return result.error();
  return encode(*result, request.dry_run);
}

// In the place of old snapshots: all that stays until somebody removes it.
server::ToolOutcome<Json> prune_kept(const Arguments& arguments, server::CallContext& context,
                                     const Setting& setting) {
  const bool dry_run = arguments.flag("dry_run", true);
  const auto report = core::report_status(core::FactDepth::whole, setting.world, context.stop());
  if (!report) return report.error();
  Json structured{{"source", ""},          {"dry_run", dry_run}, {"expired", Json::array()},
                  {"kept", Json::array()}, {"freed_bytes", 0},   {"warnings", Json::array()}};
  std::uint64_t freed = 0;
  for (const auto& file : report->kept) {
    if (!setting.allows(file.path)) continue;
    const auto gone = dry_run ? core::Expected<>() : core::remove_kept(file, setting.world.files);
    if (!gone) {
      structured["warnings"].push_back(gone.error().message);
      continue;
    }
    freed += file.bytes;
    structured["expired"].push_back(
        {{"path", core::text_of(file.path)}, {"reason", core::to_string(file.kind)}});
  }
  structured["freed_bytes"] = freed;
  return structured;
}

}  // namespace

std::string prune_snapshots_text(const Json& structured, std::size_t width) {
  const bool dry_run = structured.at("dry_run").get<bool>();
  std::string text = format_warnings(structured);
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : structured.at("expired")) {
    rows.push_back({dry_run ? "would remove" : "removed", entry.at("path").get<std::string>(),
                    entry.at("reason").get<std::string>()});
  }
  for (const auto& entry : structured.at("kept")) {
    rows.push_back(
        {"kept", entry.at("path").get<std::string>(), entry.at("reason").get<std::string>()});
  }
  text += format_table(rows, width);
  text += std::to_string(structured.at("expired").size()) + " of " + std::to_string(rows.size()) +
          (dry_run ? " would go, freeing " : " removed, freeing ") +
          format_bytes(structured.at("freed_bytes").get<std::uint64_t>()) + "\n";
  if (dry_run && !structured.at("expired").empty()) {
    text += "Add " + core::say_parameter("dry_run", false) + " to remove them.\n";
  }
  return text;
}

Json encode_kept(const std::vector<core::KeptFile>& kept, const Setting& setting) {
  Json entries = Json::array();
  for (const auto& file : kept) {
    if (!setting.allows(file.path)) continue;
    entries.push_back({{"path", core::text_of(file.path)},
                       {"kind", core::to_string(file.kind)},
                       {"bytes", file.bytes}});
    if (!file.source.empty() && setting.allows(core::path_of(file.source))) {
      entries.back()["source"] = file.source;
    }
    if (file.made_at) entries.back()["made_at"] = core::format_instant(*file.made_at);
  }
  return entries;
}

std::string format_kept(const Json& kept, std::size_t width) {
  if (kept.empty()) return "";
  std::vector<std::vector<std::string>> rows{{"KEPT", "SIZE", "PATH"}};
  std::uint64_t bytes = 0;
  for (const auto& entry : kept) {
    bytes += entry.at("bytes").get<std::uint64_t>();
    rows.push_back({entry.at("kind").get<std::string>(),
                    format_bytes(entry.at("bytes").get<std::uint64_t>()),
                    entry.at("path").get<std::string>()});
  }
  return format_table(rows, width) + format_bytes(bytes) + " stay until they are removed: " +
         core::say(core::Action::prune, {{"kept", true}, {"dry_run", false}}) + "\n";
}

server::Tool prune_snapshots(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    if (arguments.flag("kept")) return prune_kept(arguments, context, setting);
    core::PruneRequest request;
    auto source = arguments.source();
    if (!source) return source.error();
    request.source = *source;
    request.hostname = arguments.text("hostname").value_or("");
    request.label = arguments.text("label");
    request.policy = arguments.retention();
    request.dry_run = arguments.flag("dry_run", true);

    if (is_off_machine(json, "destination")) {
      return prune_off_machine(request, *arguments.text("destination"), setting, context);
    }
    auto destination = find_destination(arguments, context, setting);
    if (auto ending = server::ending_of<Json>(destination)) return *ending;
    request.destination = std::get<core::fs::path>(destination);
    auto result = core::prune_snapshots(request, setting.env, context.stop());
    if (!result) return result.error();
    return encode(*result, request.dry_run);
  };
  auto tool = server::make_tool(schema_of("prune_snapshots"), handler);
  tool.verb = "prune";
  tool.to_text = [](const Json& structured) { return prune_snapshots_text(structured, 0); };
  tool.changed_resources = [](const Json& structured) -> std::vector<std::string> {
    if (structured.at("dry_run").get<bool>()) return {};
    return uris_of_removed(structured.at("expired"));
  };
  return tool;
}

}  // namespace tools
