#include "core/base/call.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base/json.h"

namespace core {

namespace {

// Start and end of text: nobody writes them, and a terminal shows nothing.
constexpr char kBegin = '\x02';
constexpr char kEnd = '\x03';

constexpr std::array<std::pair<Action, std::string_view>, 16> kActions = {{
    {Action::snapshot, "snapshot"},
    {Action::list_snapshots, "list-snapshots"},
    {Action::verify, "verify"},
    {Action::restore, "restore"},
    {Action::discover, "discover"},
    {Action::status, "status"},
    {Action::prune, "prune"},
    {Action::install_schedule, "install-schedule"},
    {Action::list_schedules, "list-schedules"},
    {Action::run_schedule, "run-schedule"},
    {Action::remove_schedule, "remove-schedule"},
    {Action::find_rows, "find-rows"},
    {Action::put_back_rows, "put-back-rows"},
    {Action::ignore, "ignore"},
    {Action::bring_home, "bring-home"},
    {Action::copy_offsite, "copy-offsite"},
}};

Json encode(const Parameter& parameter) {
  if (const auto* text = std::get_if<std::string>(&parameter.value)) return *text;
  if (const auto* flag = std::get_if<bool>(&parameter.value)) return *flag;
  if (const auto* list = std::get_if<std::vector<std::string>>(&parameter.value)) return *list;
  return nullptr;
}

std::optional<Parameter> decode(const std::string& name, const Json& value) {
  if (value.is_string()) return Parameter{name, value.get<std::string>()};
  if (value.is_boolean()) return Parameter{name, value.get<bool>()};
  if (value.is_array() &&
      std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_string(); })) {
    return Parameter{name, value.get<std::vector<std::string>>()};
  }
  if (value.is_null()) return Parameter{name, std::monostate()};
  return std::nullopt;
}

// What stands between the two control characters.
std::optional<Call> parse(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::size_t space = text.find(' ');
  Call call{std::string(text.substr(0, space))};
  if (space == std::string_view::npos) return call;
  const Json parameters = read_json(text.substr(space + 1));
  if (!parameters.is_object()) return std::nullopt;
  for (const auto& [name, value] : parameters.items()) {
    auto parameter = decode(name, value);
    if (!parameter) return std::nullopt;
    call.parameters.push_back(std::move(*parameter));
  }
  return call;
}

std::string plain(const Call& call) {
  std::string text = call.action;
  for (const Parameter& parameter : call.parameters) {
    text += (text.empty() ? "" : " ") + parameter.name;
    if (const auto* value = std::get_if<std::string>(&parameter.value)) text += " " + *value;
    if (const auto* list = std::get_if<std::vector<std::string>>(&parameter.value)) {
      for (const auto& one : *list) text += " " + one;
    }
    if (const auto* flag = std::get_if<bool>(&parameter.value); flag != nullptr && !*flag) {
      text += " false";
    }
  }
  return text;
}

}  // namespace

std::string_view to_string(Action action) {
  for (const auto& [known, name] : kActions) {
    if (known == action) return name;
  }
  return "";
}

std::string say(const Call& call) {
  std::string text = kBegin + call.action;
  if (!call.parameters.empty()) {
    Json parameters = Json::object();
    for (const Parameter& parameter : call.parameters) {
      parameters[parameter.name] = encode(parameter);
    }
    text += " " + lenient_json_text(parameters);
  }
  return text + kEnd;
}

std::string say(Action action, std::vector<Parameter> parameters) {
  return say(Call{std::string(to_string(action)), std::move(parameters)});
}

std::string say_parameter(std::string name) {
  return say(Call{"", {{std::move(name)}}});
}

std::string say_parameter(std::string name, bool value) {
  return say(Call{"", {{std::move(name), value}}});
}

std::string spell_calls(std::string_view text,
                        const std::function<std::string(const Call&)>& spell) {
  std::string spelled;
  while (true) {
    const std::size_t begin = text.find(kBegin);
    const std::size_t end = begin == std::string_view::npos ? begin : text.find(kEnd, begin + 1);
    if (end == std::string_view::npos) return spelled + std::string(text);
    const auto call = parse(text.substr(begin + 1, end - begin - 1));
    spelled += text.substr(0, begin);
    spelled += call ? spell(*call) : std::string(text.substr(begin, end + 1 - begin));
    text.remove_prefix(end + 1);
  }
}

std::string plain_text(std::string_view text) {
  return spell_calls(text, plain);
}

}  // namespace core
