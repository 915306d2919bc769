#include "tools/list_runs.h"

#include <charconv>

#include "core/catalog/history.h"
#include "core/catalog/run_records.h"
#include "tools/base/paging.h"
#include "tools/encode.h"
#include "tools/schema.h"

namespace tools {

using core::RunRecord;
using server::Json;

namespace {

constexpr std::size_t kDefaultRuns = 50;
constexpr std::size_t kRunsAtOnce = 500;  // read from the history

core::Expected<core::RunFilter> run_filter(const Arguments& arguments, const Setting& setting) {
  core::RunFilter filter;
  filter.kind = arguments.text("kind");
  filter.schedule = arguments.text("name");
  filter.failed = arguments.flag("failed");
  BPD_TRY_AS(source, arguments.path("source"));
  if (*source) filter.source = core::recorded_path(**source, setting.env);
  if (const auto cursor = arguments.text("cursor")) {
    const char* end = cursor->data() + cursor->size();
    const auto [at, error] = std::from_chars(cursor->data(), end, filter.before);
    if (error != std::errc() || at != end || filter.before <= 0) {
      return core::fail(core::ErrorCode::invalid_argument,
                        "The cursor is not one that a listing returned.",
                        "Leave the cursor out to begin at the newest run.");
    }
  }
  return filter;
}

// A server limited to folders tells of runs that lie in them at all their ends.
bool may_be_told(const RunRecord& run, const Setting& setting) {
  if (setting.allowed.empty()) return true;
  const auto allows = [&](const std::string& path) {
    return path.empty() || setting.allows(core::path_of(path));
  };
  return !run.source.empty() && allows(run.source) && allows(run.destination) &&
         allows(run.snapshot);
}

Json encode_past_run(const RunRecord& run) {
  Json entry{{"id", run.id},
             {"kind", run.kind},
             {"started_at", core::format_instant(run.started_at)},
             {"seconds",
              std::chrono::floor<std::chrono::seconds>(run.finished_at - run.started_at).count()},
             {"ok", run.ok}};
  const auto put = [&entry](const char* key, const std::string& text) {
    if (!text.empty()) entry[key] = text;
  };
  put("schedule", run.schedule);
  put("source", core::manifest_text(run.source));
  put("destination", core::manifest_text(run.destination));
  put("snapshot", core::manifest_text(run.snapshot));
  put("code", run.error_code);
  put("error", run.error);
  if (run.bytes > 0) entry["bytes"] = run.bytes;
  if (run.unchanged()) entry["unchanged"] = true;
  if (core::warns_of(run.warnings, core::WarningKind::shrunk)) entry["shrunk"] = true;
  if (!run.warnings.empty()) entry["warnings"] = core::texts_of(run.warnings);
  return entry;
}

// Newest first, at most `limit`. Runs that may not be told are passed over, page after page: the
// history holds core::kMaxRuns at most.
core::Expected<std::vector<RunRecord>> runs_to_tell(core::RunFilter filter, std::size_t limit,
                                                    const Setting& setting) {
  std::vector<RunRecord> told;
  filter.limit = kRunsAtOnce;
  while (true) {
    BPD_TRY_AS(runs, core::list_runs(filter, setting.world));
    for (RunRecord& run : *runs) {
      filter.before = run.id;
      if (!may_be_told(run, setting)) continue;
      told.push_back(std::move(run));
      if (told.size() == limit) return told;
    }
    if (runs->size() < kRunsAtOnce) return told;
  }
}

std::string outcome_cell(const Json& run) {
  if (!run.at("ok").get<bool>()) return run.value("code", std::string("failed"));
  if (run.contains("unchanged")) return "unchanged";
  return run.contains("warnings") ? "ok, warned" : "ok";
}

}  // namespace

std::string list_runs_text(const Json& structured, std::size_t width) {
  std::string text = format_warnings(structured);
  const Json& runs = structured.at("runs");
  if (runs.empty()) return text + "No runs.\n";
  std::vector<std::vector<std::string>> rows{{"WHEN", "WHAT", "OUTCOME", "SCHEDULE", "DATABASE"}};
  std::string told;
  for (const Json& run : runs) {
    const auto cell = [&run](const char* key) { return run.value(key, std::string("-")); };
    rows.push_back(
        {cell("started_at"), cell("kind"), outcome_cell(run), cell("schedule"), cell("source")});
    if (run.contains("error")) {
      told += cell("started_at") + " " + cell("source") + ": " + cell("error") + "\n";
    }
  }
  return text + format_table(rows, width) + told + format_more(structured);
}

server::Tool list_runs(const Setting& setting) {
  auto handler = [setting](const Json& json, server::CallContext&) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    auto filter = run_filter(arguments, setting);
    if (!filter) return filter.error();
    const auto given = arguments.integer("limit");
    const std::size_t limit = given ? static_cast<std::size_t>(*given) : kDefaultRuns;
    auto runs = runs_to_tell(*filter, limit + 1, setting);  // one more tells of a further page
    if (!runs) return runs.error();
    Json entries = Json::array();
    for (const RunRecord& run : *runs) entries.push_back(encode_past_run(run));
    const std::size_t count = std::min(given ? entries.size() : fitting(entries), limit);
    Json structured{{"runs", Json::array()}, {"warnings", Json::array()}};
    if (count < entries.size()) structured["next_cursor"] = std::to_string((*runs)[count - 1].id);
    for (std::size_t i = 0; i < count; ++i) {
      structured["runs"].push_back(std::move(entries[i]));
    }
    return structured;
  };
  auto tool = server::make_tool(schema_of("list_runs"), handler);
  tool.verb = "runs";
  tool.to_text = [](const Json& structured) { return list_runs_text(structured, 0); };
  return tool;
}

}  // namespace tools
