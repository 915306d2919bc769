#include "tools/restore_snapshot.h"

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/catalog/names.h"
#include "core/restore/choose_snapshot.h"
#include "core/restore/restore.h"
#include "server/cli/shell_speech.h"
#include "tools/base/next_step.h"
#include "tools/drill.h"
#include "tools/encode.h"
#include "tools/offsite/off_machine.h"
#include "tools/rows/restored_rows.h"
#include "tools/schema.h"
#include "tools/verify_snapshot.h"

namespace tools {

using core::Error;
using core::ErrorCode;
using core::fs::path;
using server::Json;

namespace {

constexpr std::string_view kVerb = "restore";
// What a restore waits at most, where it is told to, until the last program has closed its target.
constexpr std::chrono::minutes kHolderWait{30};

// The undo is a shell's command for every reader: it must do where nothing but a shell is left.
Json encode(const core::RestoreResult& result, const std::optional<core::RowComparison>& compared,
            const path& program) {
  Json structured{{"snapshot", core::text_of(result.snapshot)},
                  {"target", core::text_of(result.target)},
                  {"in_place", result.in_place},
                  {"dry_run", result.dry_run}};
  if (const auto& manifest = result.verification.manifest) {
    structured["taken_at"] = core::format_instant(manifest->taken_at);
  }
  structured["rows"] = encode_restored_rows(result, compared);
  if (compared && !compared->ended.empty()) structured["only_counted"] = compared->ended;
  structured["verdict"] = core::to_string(result.verification.verdict);
  if (!result.journal_mode.empty()) structured["journal_mode"] = result.journal_mode;
  if (result.safety_copy) structured["safety_copy"] = core::text_of(*result.safety_copy);
  if (result.undo) {
    structured["undo"] = core::shell_command(
        server::shell_words(step_of(*result.undo), core::text_of(program), std::string(kVerb)));
  }
  structured["warnings"] = result.warnings;
  return structured;
}

// Where not every table was compared.
std::string told_end(const std::string& reason) {
  return "Rows that are not told apart by their keys were only counted: " + reason + ".";
}

std::string sentence_of(const core::RestoreResult& preview,
                        const std::optional<core::RowComparison>& compared) {
  const bool lost = preview.present == core::Present::none;
  std::string text = core::text_of(preview.target);
  if (!preview.in_place) {
    text += " would be written from ";
  } else {
    text += lost ? " is gone and would come back from " : " would be replaced by ";
  }
  text += core::text_of(preview.snapshot);
  if (const auto& manifest = preview.verification.manifest) {
    text += ", taken " + core::format_instant(manifest->taken_at);
  }
  text += ". Rows: " +
          restored_rows_sentence(encode_restored_rows(preview, compared), preview.present) + ".";
  if (compared && !compared->ended.empty()) text += " " + told_end(compared->ended);
  for (const auto& warning : preview.warnings) text += "\nWarning: " + warning;
  return text;
}

// The question after the sentence.
std::string question_of(const core::RestoreResult& preview) {
  if (preview.present == core::Present::none) return "\nRestore it?";
  return "\nThe present database is kept as a safety copy. Replace it?";
}

// Nothing: go on. Otherwise the question, or why it is not to be done.
// `ask`: confirm alone does not do, for who gave it did not name this snapshot.
std::optional<server::ToolOutcome<Json>> settle_confirmation(core::RestoreRequest& request,
                                                             bool ask, const Arguments& arguments,
                                                             server::CallContext& context,
                                                             const Setting& setting) {
  const bool asks = request.in_place || request.accept_damage;
  if (!asks || request.dry_run || (request.confirmed && !ask)) return std::nullopt;
  if (const auto confirmed = server::confirmation(context, kConfirmKey)) {
    request.confirmed = *confirmed;
    request.target_recorded = false;  // the question named it
    if (request.confirmed) return std::nullopt;
    return Error{
        ErrorCode::cancelled,
        "The restore was not confirmed; " + core::text_of(request.target) + " is as it was.", ""};
  }
  auto asked = request;
  asked.dry_run = true;
  auto preview = core::restore_snapshot(asked, setting.env, context.progress(), context.stop());
  if (!preview) return preview.error();
  const auto sentence = sentence_of(*preview, compare_preview(*preview, setting, context.stop()));
  Json yes{{kConfirmKey, true}};
  if (ask) yes["snapshot"] = core::text_of(request.snapshot);
  return ask_for_yes(context, sentence, sentence + question_of(*preview), "Restore it",
                     arguments.call_with("restore_snapshot", yes));
}

// A client that is limited to folders makes no files there that other programs read for something
// else than a database: keys, scripts, settings.
core::Expected<> check_new_name(const path& target, const path& snapshot, const Setting& setting) {
  const auto info = setting.env.files.info(target);
  if (setting.allowed.empty() || (info && info->bytes > 0)) return {};
  const auto recorded = core::recorded_target(snapshot, setting.env.files);
  const bool of_source =
      recorded && (target.filename() == recorded->filename() ||
                   (recorded->has_extension() && target.extension() == recorded->extension()));
  if (of_source || core::has_database_ending(target)) return {};
  return core::fail(ErrorCode::permission_denied,
                    core::text_of(target) +
                        " is no name of a database, which is all that a server "
                        "limited to folders may make.",
                    "Give a new file a name that ends in .db or .sqlite.");
}

// Where to: the argument, or for in_place what the manifest names. Both must be allowed.
core::Expected<> find_target(core::RestoreRequest& request, const Arguments& arguments,
                             const Setting& setting) {
  BPD_TRY_AS(given, arguments.path("target"));
  if (!*given && !request.in_place) {
    return core::fail(ErrorCode::invalid_argument, "No target was given.",
                      "Give " + core::say_parameter("target") + ", a new file to write; or " +
                          core::say_parameter("in_place", true) +
                          " to replace the database that the snapshot was taken of.");
  }
  if (*given) {
    request.target = std::move(**given);
  } else {
    BPD_TRY_AS(recorded, core::recorded_target(request.snapshot, setting.env.files));
    BPD_TRY_AS(allowed, arguments.allowed_path(core::text_of(*recorded)));
    request.target = std::move(*allowed);
    // Whoever names the source, or takes the newest of it, has named the target.
    const std::string snapshot = arguments.text("snapshot").value_or("latest");
    const bool names_source = arguments.has("source") || snapshot.empty() || snapshot == "latest";
    const auto source = arguments.source();
    request.target_recorded = !names_source || !source || *source != request.target;
  }
  return check_new_name(request.target, request.snapshot, setting);
}

}  // namespace

std::string restore_snapshot_text(const Json& structured, std::size_t width) {
  if (structured.contains("drills")) return format_drills(structured);
  const bool dry_run = structured.at("dry_run").get<bool>();
  std::string text = format_warnings(structured);
  text += std::string(dry_run ? "Would restore " : "Restored ") +
          structured.at("snapshot").get<std::string>() + " to " +
          structured.at("target").get<std::string>() + "\n";
  text += restored_rows_text(structured.at("rows"), dry_run, width);
  if (structured.contains("only_counted")) {
    text += told_end(structured.at("only_counted").get<std::string>()) + "\n";
  }
  if (structured.contains("safety_copy")) {
    text += "What was there is kept: " + structured.at("safety_copy").get<std::string>() + "\n";
  }
  if (structured.contains("undo")) {
    text += "To undo: " + structured.at("undo").get<std::string>() + "\n";
  }
  return text;
}

namespace {

// A `busy` with its next steps: what needs nobody to close anything, then the whole command for a
// terminal, which waits. Any other error as it is.
Error with_busy_help(Error error, const core::RestoreRequest& request, const path& program) {
  if (error.code != ErrorCode::busy || !request.in_place) return error;
  core::Call call{std::string(core::to_string(core::Action::restore)),
                  {{"snapshot", core::text_of(request.snapshot)},
                   {"target", core::text_of(request.target)},
                   {"in_place", true},
                   {"wait", true},
                   {"confirmed", true}}};
  if (request.reindex) call.parameters.push_back({"reindex", true});
  if (request.accept_damage) call.parameters.push_back({"accept_damage", true});
  const std::string command = core::shell_command(
      server::shell_words(step_of(call), core::text_of(program), std::string(kVerb)));
  error.hint = "Lost rows come back with nothing closed: " +
               core::say(core::Action::find_rows, {{"source", core::text_of(request.target)}}) +
               " shows them. To replace it all, run this in a terminal, then close what has it "
               "open; it waits up to " +
               std::to_string(kHolderWait.count()) + " minutes for that:\n" + command;
  return error;
}

}  // namespace

server::Tool restore_snapshot(const Setting& setting) {
  auto handler = [setting](const Json& json,
                           server::CallContext& context) -> server::ToolOutcome<Json> {
    const Arguments arguments(json, setting);
    if (arguments.flag("drill")) return drill_call(arguments, context, setting);
    auto snapshot = find_snapshot(arguments, core::Damaged::is_passed_over, context, setting);
    if (auto ending = server::ending_of<Json>(snapshot)) return *ending;
    core::RestoreRequest request;
    auto& found = std::get<core::LatestSnapshot>(snapshot);
    request.snapshot = std::move(found.path);
    request.warnings = std::move(found.warnings);
    request.in_place = arguments.flag("in_place");
    // In place the restore itself tells.
    if (!request.in_place && !found.whose.empty()) request.warnings.push_back(found.whose);
    request.dry_run = arguments.flag("dry_run");
    request.confirmed = arguments.flag(kConfirmKey);
    request.reindex = arguments.flag("reindex");
    if (arguments.flag("wait")) request.holder_timeout = kHolderWait;
    request.accept_damage = arguments.flag("accept_damage");
    if (auto target = find_target(request, arguments, setting); !target) return target.error();
    if (auto ending = settle_confirmation(request, found.ask, arguments, context, setting))
      return *ending;

    auto result = core::restore_snapshot(request, setting.env, context.progress(), context.stop());
    if (!result) return with_busy_help(result.error(), request, setting.env.places.program);
    std::optional<core::RowComparison> compared;
    if (request.dry_run) compared = compare_preview(*result, setting, context.stop());
    return encode(*result, compared, setting.env.places.program);
  };
  auto tool = server::make_tool(
      schema_of("restore_snapshot"),
      fetching_snapshot(setting, core::Damaged::is_passed_over, /*all=*/false, handler));
  tool.verb = std::string(kVerb);
  tool.tasks = server::TaskSupport::optional;
  tool.to_text = [](const Json& structured) { return restore_snapshot_text(structured, 0); };
  tool.bad_news = [](const Json& structured) -> std::optional<ErrorCode> {
    for (const auto& entry : structured.value("drills", Json::array())) {
      if (entry.contains("error")) return ErrorCode::damaged;
    }
    return std::nullopt;
  };
  return tool;
}

}  // namespace tools
