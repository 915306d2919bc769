// Texts that name calls, in the words of whoever reads them.
#include "server/mcp/next_step.h"

#include <utility>

#include "server/jsonrpc/jsonrpc.h"

namespace server {
namespace {

Json value_of(const core::Parameter& parameter) {
  if (const auto* text = std::get_if<std::string>(&parameter.value)) return *text;
  if (const auto* flag = std::get_if<bool>(&parameter.value)) return *flag;
  if (const auto* list = std::get_if<std::vector<std::string>>(&parameter.value)) return *list;
  return nullptr;
}

std::string argument_for_model(const std::string& name, const Json& value) {
  if (!value.is_null()) return name + ": " + core::lenient_json_text(value);
  return name.find('_') == std::string::npos ? "'" + name + "'" : name;
}

}  // namespace

NextStep same_names(const core::Call& call) {
  NextStep step{call.action};
  for (const core::Parameter& parameter : call.parameters) {
    step.arguments[parameter.name] = value_of(parameter);
  }
  return step;
}

std::string for_model(const NextStep& step) {
  const bool alone = step.tool.empty();
  std::string arguments;
  for (const auto& [name, value] : step.arguments.items()) {
    arguments += arguments.empty() ? "" : ", ";
    arguments += alone
                     ? argument_for_model(name, value)
                     : core::lenient_json_text(Json(name)) + ": " + core::lenient_json_text(value);
  }
  if (alone) return arguments;
  return arguments.empty() ? step.tool : step.tool + " {" + arguments + "}";
}

Speech speech_for_model(StepOf step_of) {
  return [step_of = std::move(step_of)](const std::string& text) {
    return core::spell_calls(text, [&step_of](const core::Call& call) {
      return for_model(step_of ? step_of(call) : same_names(call));
    });
  };
}

void speak(Json& value, const Speech& speech) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    text = speech(text);
  } else if (value.is_structured()) {
    for (Json& part : value) speak(part, speech);
  }
}

CallOutcome spoken(CallOutcome outcome, const Speech& speech) {
  if (auto* asked = std::get_if<InputRequired>(&outcome)) {
    for (InputRequest& request : asked->requests) speak(request.params, speech);
  }
  if (auto* result = std::get_if<ToolResult>(&outcome)) {
    speak(result->content, speech);
    if (result->structured) {
      speak(*result->structured, speech);
      if (result->content.empty()) {
        result->content.push_back(text_block(core::lenient_json_text(*result->structured)));
      }
    }
  }
  return outcome;
}

}  // namespace server
