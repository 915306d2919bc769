#include "tools/arguments.h"

#include <algorithm>
#include <limits>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/destinations.h"
#include "core/catalog/retention.h"
#include "core/discovery/project_here.h"

namespace tools {

namespace fs = core::fs;
using core::ErrorCode;
using core::Expected;
using core::fail;
using server::Json;

namespace {

fs::path absolute_path(const std::string& text, const core::Places& places) {
  if (text == "~") return places.home;
  if (text.starts_with("~/")) return (places.home / text.substr(2)).lexically_normal();
  const fs::path path(text);
  return (path.is_absolute() ? path : places.current_folder / path).lexically_normal();
}

// Links resolved as far as the path exists: what is still to be made lies below that.
fs::path resolved(const fs::path& path, const core::FileSystem& files) {
  fs::path existing = path;
  fs::path rest;
  while (existing.has_relative_path()) {
    if (auto canonical = files.canonical(existing)) {
      // A path that ends in a slash lies in no folder but itself.
      return rest.empty() ? *canonical : (*canonical / rest).lexically_normal();
    }
    // "x" / "" would be "x/", which is no file.
    rest = rest.empty() ? existing.filename() : existing.filename() / rest;
    existing = existing.parent_path();
  }
  return path;
}

bool lies_within(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

Setting::Setting(const core::Env& around, std::vector<fs::path> folders, bool may_set_calls)
    : world(around),
      allowed(std::move(folders)),
      bounds(allowed.empty() ? nullptr
                             : std::make_shared<core::Bounds>(around, std::vector<fs::path>())),
      env(bounds ? bounds->env() : around),
      calls(may_set_calls) {}

std::optional<fs::path> Setting::judge(const fs::path& path) const {
  if (!bounds) return path;
  fs::path real = resolved(path, world.files);
  for (const fs::path& folder : allowed) {
    const fs::path within = resolved(folder, world.files);
    if (!lies_within(real, within)) continue;
    bounds->add(within);
    return real;
  }
  return std::nullopt;
}

bool Arguments::has(std::string_view key) const {
  return arguments_.contains(key);
}

core::Call Arguments::call_with(const std::string& tool, const Json& others) const {
  Json all = arguments_;
  all.update(others);
  core::Call call{tool};
  for (const auto& [name, value] : all.items()) {
    if (value.is_string()) call.parameters.push_back({name, value.get<std::string>()});
    if (value.is_boolean()) call.parameters.push_back({name, value.get<bool>()});
    if (value.is_array()) {
      call.parameters.push_back({name, value.get<std::vector<std::string>>()});
    }
  }
  return call;
}

std::optional<std::string> Arguments::text(std::string_view key) const {
  const auto found = arguments_.find(key);
  if (found == arguments_.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

bool Arguments::flag(std::string_view key, bool otherwise) const {
  const auto found = arguments_.find(key);
  return found == arguments_.end() || !found->is_boolean() ? otherwise : found->get<bool>();
}

std::optional<int> Arguments::integer(std::string_view key) const {
  const auto found = arguments_.find(key);
  if (found == arguments_.end() || !found->is_number()) return std::nullopt;
  // More days or snapshots than an int counts are all there are.
  constexpr double kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp(found->get<double>(), -kMost, kMost));
}

Expected<std::optional<core::Date>> Arguments::date(std::string_view key) const {
  const auto given = text(key);
  if (!given) return std::nullopt;
  const auto date = core::parse_date(*given);
  if (!date) {
    return fail(ErrorCode::invalid_argument,
                std::string(key) + " is \"" + *given + "\", which is not a day.",
                "Write it as YYYY-MM-DD, for example 2026-11-23.");
  }
  return date;
}

Expected<fs::path> Arguments::allowed_path(const std::string& given) const {
  // Not the current folder, as which it would be read.
  if (given.empty()) {
    return fail(ErrorCode::invalid_argument, "A path is empty.", "Give it, or leave it out.");
  }
  if (given.find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos) {
    return fail(ErrorCode::invalid_argument, "A path holds a line break or a null byte.",
                "Give the path on one line.");
  }
  fs::path path = absolute_path(given, setting_.env.places);
  if (auto judged = setting_.judge(path)) return std::move(*judged);
  return fail(ErrorCode::permission_denied,
              core::text_of(path) + " lies outside the folders this server may touch.",
              "Start the server with --allow and a folder that holds it, or choose a path below " +
                  core::text_of(setting_.allowed.front()) + ".");
}

Expected<std::optional<fs::path>> Arguments::path(std::string_view key) const {
  const auto given = text(key);
  if (!given || given->empty()) return std::nullopt;
  return allowed_path(*given).map([](fs::path path) { return std::optional(std::move(path)); });
}

std::vector<std::string> Arguments::texts(std::string_view key) const {
  const auto found = arguments_.find(key);
  if (found == arguments_.end() || !found->is_array()) return {};
  return found->get<std::vector<std::string>>();
}

Expected<std::vector<fs::path>> Arguments::paths(std::string_view key) const {
  std::vector<fs::path> paths;
  for (const auto& given : texts(key)) {
    BPD_TRY_AS(path, allowed_path(given));
    paths.push_back(std::move(*path));
  }
  return paths;
}

Expected<fs::path> Arguments::source() const {
  BPD_TRY_AS(given, path("source"));
  if (*given) return **given;
  return allowed_path("~/" + std::string(core::kGlobalDatabase));
}

Expected<std::optional<fs::path>> Arguments::destination() const {
  auto given = path("destination");
  if (!given || *given) return given;
  const std::string named = core::destination_of_environment(setting_.env.places);
  if (named.empty()) return std::nullopt;
  return allowed_path(named).map([](fs::path path) { return std::optional(std::move(path)); });
}

core::RetentionPolicy Arguments::retention() const {
  core::RetentionPolicy policy;
  for (const auto& [name, count] : core::kKeepRules) policy.*count = integer(name);
  return policy;
}

core::VerifyLevel Arguments::verify(std::string_view key, core::VerifyLevel otherwise) const {
  const auto given = text(key);
  return given ? core::parse_verify_level(*given).value_or(otherwise) : otherwise;
}

std::optional<bool> confirmation_of(const Arguments& arguments,
                                    const server::CallContext& context) {
  if (arguments.flag(kConfirmKey)) return true;
  if (!context.abilities().form_elicitation) return std::nullopt;
  return server::confirmation(context, kConfirmKey);
}

server::ToolOutcome<Json> ask_for_yes(const server::CallContext& context, std::string told,
                                      std::string message, const char* title,
                                      const std::optional<core::Call>& again) {
  if (!context.abilities().form_elicitation) {
    return core::Error{
        ErrorCode::needs_confirmation, std::move(told),
        "Only after the user's yes to this: " +
            (again ? core::say(*again)
                   : "the same call with " + core::say_parameter(std::string(kConfirmKey), true)) +
            "."};
  }
  return server::NeedsInput{
      .key = std::string(kConfirmKey),
      .message = std::move(message),
      .requested_schema =
          Json{{"type", "object"},
               {"properties", {{kConfirmKey, {{"type", "boolean"}, {"title", title}}}}},
               {"required", Json::array({kConfirmKey})}}};
}

server::NeedsInput ask_for_destination() {
  return {
      .key = "destination",
      .message =
          "Which existing folder holds (or shall hold) the snapshots? None was given, "
          "and CLAUDE_ORCHESTRATOR_BACKUP_ROOT is not set.",
      .requested_schema = Json{{"type", "object"},
                               {"properties",
                                {{"destination",
                                  {{"type", "string"},
                                   {"title", "Destination"},
                                   {"description", "Absolute path of a folder, such as ~/Backups"},
                                   {"minLength", 1}}}}},
                               {"required", Json::array({"destination"})}}};
}

server::ToolOutcome<fs::path> find_destination(const Arguments& arguments,
                                               const server::CallContext& context,
                                               const Setting& setting) {
  auto given = arguments.destination();
  if (!given) return given.error();
  if (*given) return **given;
  if (context.answer("destination") == nullptr) return ask_for_destination();
  const auto content = server::accepted_content(context, "destination");
  if (!content || !content->contains("destination")) {
    return core::Error{
        ErrorCode::cancelled, "No destination was chosen, so nothing was done.",
        "Call again with " + core::say_parameter("destination") + " set to an existing folder."};
  }
  const Json answered{{"destination", content->at("destination")}};
  auto chosen = Arguments(answered, setting).destination();
  if (!chosen) return chosen.error();
  if (!*chosen) return ask_for_destination();
  return **chosen;
}

}  // namespace tools
