#include "tools/offsite/off_machine.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/offsite/copy_off.h"

namespace tools {

using core::ErrorCode;
using server::Json;

namespace {

std::string text_in(const Json& arguments, const char* key) {
  const auto found = arguments.find(key);
  return found != arguments.end() && found->is_string() ? found->get<std::string>() : "";
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

void replace_all(Json& json, const std::string& from, const std::string& to) {
  if (json.is_string()) {
    auto text = json.get<std::string>();
    replace_all(text, from, to);
    json = std::move(text);
  } else if (json.is_structured()) {
    for (auto& part : json) replace_all(part, from, to);
  }
}

// The folder of the call is nobody's business: it is gone when the answer is read.
server::ToolOutcome<Json> told_of_remote(server::ToolOutcome<Json> outcome, const OffMachine& off) {
  const std::string from = core::text_of(off.view.work.path()), to = core::text_of(off.root);
  if (auto* json = std::get_if<Json>(&outcome)) {
    replace_all(*json, from, to);
    for (const auto& warning : off.view.warnings) (*json)["warnings"].push_back(warning);
  } else if (auto* error = std::get_if<core::Error>(&outcome)) {
    replace_all(error->message, from, to);
    replace_all(error->hint, from, to);
  } else if (auto* question = std::get_if<server::NeedsInput>(&outcome)) {
    replace_all(question->message, from, to);
  }
  return outcome;
}

// "/"-separated, below the root.
std::string relative_to(const OffMachine& off, const core::fs::path& path) {
  std::string text = core::text_of(path);
  std::replace(text.begin(), text.end(), '\\', '/');
  return text.substr(core::text_of(off.root).size() + 1);
}

core::Expected<std::vector<std::string>> all_of_source(const OffMachine& off,
                                                       const Arguments& arguments,
                                                       const Setting& setting) {
  BPD_TRY_AS(source, arguments.source());
  core::ListFilter filter;
  filter.source = core::text_of(core::recorded_source(*source, setting.world.files));
  const auto env = off.env(setting.world);
  BPD_TRY_AS(page, core::list_snapshots(core::path_of(core::text_of(off.root)), filter,
                                        core::kMaxFetchedSnapshots, "", env.files));
  std::vector<std::string> paths;
  for (const auto& snapshot : page->snapshots) paths.push_back(relative_to(off, snapshot.path));
  return paths;
}

// In place, another machine's has to be named by its path, as here: a yes does not do for it.
core::Expected<std::vector<std::string>> latest_of_source(OffMachine& off, core::Damaged damaged,
                                                          const Arguments& arguments,
                                                          const Setting& setting) {
  BPD_TRY_AS(source, arguments.source());
  const auto env = off.env(setting.world);
  BPD_TRY_AS(latest, core::latest_snapshot_of(*source, core::path_of(core::text_of(off.root)),
                                              damaged, env));
  const bool not_ours = latest->ask || !latest->whose.empty();
  if (not_ours && arguments.flag("in_place")) {
    return core::fail(
        ErrorCode::needs_confirmation, latest->whose + " Nothing was changed.",
        "Name it by " + core::say_parameter("snapshot") + ": " + core::text_of(latest->path) + ".");
  }
  for (const auto& warning : latest->warnings) off.view.warnings.push_back(warning);
  if (!latest->whose.empty()) off.view.warnings.push_back(latest->whose);
  return std::vector<std::string>{relative_to(off, latest->path)};
}

// The remote folder of a call, and the file in it that `snapshot` names.
struct Meant {
  std::string folder, file;
};
std::optional<Meant> meant_by(const Json& arguments) {
  const std::string snapshot = text_in(arguments, "snapshot");
  if (core::looks_remote(snapshot)) {
    const std::size_t slash = snapshot.rfind('/');
    if (slash == std::string::npos) return Meant{snapshot, ""};
    return Meant{snapshot.substr(0, slash), snapshot.substr(slash + 1)};
  }
  const bool latest = snapshot.empty() || snapshot == "latest";
  if (!latest || !is_off_machine(arguments, "destination")) return std::nullopt;
  return Meant{text_in(arguments, "destination"), ""};
}

}  // namespace

bool is_off_machine(const Json& arguments, const char* key) {
  return core::looks_remote(text_in(arguments, key));
}

core::Expected<OffMachine> look_off_machine(const std::string& remote, const Setting& setting,
                                            const std::stop_token& stop) {
  if (!setting.allowed.empty()) {
    return core::fail(ErrorCode::permission_denied,
                      remote + " lies off this machine, outside the folders of this server.",
                      "Use the command line, or a server without --allow.");
  }
  BPD_TRY_AS(root, core::parse_remote_folder(remote));
  BPD_TRY_AS(rclone, core::find_rclone(setting.world, stop));
  core::Rclone store(*rclone, *root, "", setting.world.clock.steady_now() + core::kMaxOffsiteTime,
                     setting.world);
  BPD_TRY_AS(view, core::view_remote(
                       store, *root, "", /*deep=*/true, [](const std::string&) { return true; },
                       setting.world, stop));
  return OffMachine{*root, std::move(store), std::move(*view)};
}

Handler fetching_snapshot(const Setting& setting, core::Damaged damaged, bool all,
                          Handler handler) {
  return [=](const Json& json, server::CallContext& context) -> server::ToolOutcome<Json> {
    const auto meant = meant_by(json);
    if (!meant) return handler(json, context);
    auto off = look_off_machine(meant->folder, setting, context.stop());
    if (!off) return off.error();
    const Arguments arguments(json, setting);
    core::Expected<std::vector<std::string>> paths = std::vector<std::string>{meant->file};
    if (meant->file.empty()) {
      paths = all ? all_of_source(*off, arguments, setting)
                  : latest_of_source(*off, damaged, arguments, setting);
    }
    if (!paths) return paths.error();
    const auto fetched =
        core::fetch_copies(off->store, off->root, *paths, off->view, setting.world, context.stop());
    if (!fetched) return fetched.error();
    Json here = json;
    const bool one = !meant->file.empty() || !all;
    const auto folder = off->view.work.path();
    if (one) here["snapshot"] = core::text_of(folder / core::path_of(paths->front()));
    if (!one) here["destination"] = core::text_of(folder);
    if (one && is_off_machine(here, "destination")) here.erase("destination");
    return told_of_remote(handler(here, context), *off);
  };
}

Handler fetching_what_lacks(const Setting& setting, std::function<Json(const core::Held&)> none,
                            Handler handler) {
  return [=](const Json& json, server::CallContext& context) -> server::ToolOutcome<Json> {
    if (!is_off_machine(json, "destination")) return handler(json, context);
    auto off = look_off_machine(text_in(json, "destination"), setting, context.stop());
    if (!off) return off.error();
    core::HeldRequest request;
    request.destination = core::path_of(core::text_of(off->root));
    const Arguments arguments(json, setting);
    request.host = arguments.text("hostname");
    if (const auto home = arguments.text("old_home")) request.old_home = core::path_of(*home);
    const auto held = core::held_in(request, off->env(setting.world), context.stop());
    if (!held) return held.error();
    std::vector<std::string> paths;
    if (held->databases.empty()) {
      return core::Error{
          ErrorCode::not_found, core::text_of(off->root) + " holds no snapshot with a manifest.",
          "See what there is with " +
              core::say(core::Action::list_snapshots, {{"destination", core::text_of(off->root)}}) +
              ". With another password of a crypt remote nothing is seen."};
    }
    if (held->lacking().empty()) return none(*held);
    for (const auto* database : held->lacking()) {
      paths.push_back(relative_to(*off, database->snapshot));
    }
    const auto fetched =
        core::fetch_copies(off->store, off->root, paths, off->view, setting.world, context.stop());
    if (!fetched) return fetched.error();
    Json here = json;
    here["destination"] = core::text_of(off->view.work.path());
    return told_of_remote(handler(here, context), *off);
  };
}

}  // namespace tools
