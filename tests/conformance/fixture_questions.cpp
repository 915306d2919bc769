// The fixture's tools that ask the client: one handler serves both eras.
#include "fixture.h"

namespace fixture {
namespace {

using server::InputRequired;

const Json kString{{"type", "string"}};
const Json kBoolean{{"type", "boolean"}};

// "Elicitation completed: action=accept, content={…}", or the question if it was not answered.
CallOutcome elicited(const InputRequest& question, CallContext& context) {
  const Json* answer = context.answer(question.key);
  if (answer == nullptr) return InputRequired{{question}, {}};
  return text_result("Elicitation completed: action=" + answer->value("action", "") +
                     ", content=" + answer->value("content", Json::object()).dump());
}

CallOutcome sampled(const InputRequest& question, CallContext& context) {
  const Json* answer = context.answer(question.key);
  if (answer == nullptr || !answer->is_object()) return InputRequired{{question}, {}};
  const Json content = answer->value("content", Json::object());
  return text_result("LLM response: " +
                     (content.is_object() ? content.value("text", "") : std::string()));
}

CallOutcome defaults(const Json&, CallContext& context) {
  return elicited(elicit("details", "Please review your details",
                         {{"name", {{"type", "string"}, {"default", "John Doe"}}},
                          {"age", {{"type", "integer"}, {"default", 30}}},
                          {"score", {{"type", "number"}, {"default", 95.5}}},
                          {"status",
                           {{"type", "string"},
                            {"enum", {"active", "inactive", "pending"}},
                            {"default", "active"}}},
                          {"verified", {{"type", "boolean"}, {"default", true}}}}),
                  context);
}

Json titled(std::initializer_list<std::pair<const char*, const char*>> options) {
  Json out = Json::array();
  for (const auto& [value, title] : options) out.push_back({{"const", value}, {"title", title}});
  return out;
}

CallOutcome enums(const Json&, CallContext& context) {
  const Json options{"option1", "option2", "option3"};
  return elicited(elicit("choices", "Please choose",
                         {{"untitledSingle", {{"type", "string"}, {"enum", options}}},
                          {"titledSingle",
                           {{"type", "string"},
                            {"oneOf", titled({{"value1", "First Option"},
                                              {"value2", "Second Option"},
                                              {"value3", "Third Option"}})}}},
                          {"legacyEnum",
                           {{"type", "string"},
                            {"enum", {"opt1", "opt2", "opt3"}},
                            {"enumNames", {"Option One", "Option Two", "Option Three"}}}},
                          {"untitledMulti",
                           {{"type", "array"}, {"items", {{"type", "string"}, {"enum", options}}}}},
                          {"titledMulti",
                           {{"type", "array"},
                            {"items",
                             {{"anyOf", titled({{"value1", "First Choice"},
                                                {"value2", "Second Choice"},
                                                {"value3", "Third Choice"}})}}}}}}),
                  context);
}

InputRequest name_question(const std::string& key, const std::string& message) {
  return elicit(key, message, {{"name", kString}}, {"name"});
}

CallOutcome greets(const Json&, CallContext& context) {
  const Json name = accepted(context, "user_name", "name");
  if (!name.is_string()) {
    return InputRequired{{name_question("user_name", "What is your name?")}, {}};
  }
  return text_result("Hello, " + name.get<std::string>() + "!");
}

CallOutcome lists_roots(const Json&, CallContext& context) {
  const Json* answer = context.answer("client_roots");
  if (answer == nullptr || !answer->contains("roots")) {
    return InputRequired{{list_roots("client_roots")}, {}};
  }
  return text_result("The client has " + std::to_string(answer->at("roots").size()) + " roots.");
}

// Asks for confirmation with a state, which must come back as it was.
CallOutcome confirms(const Json&, CallContext& context) {
  const Json ok = accepted(context, "confirm", "ok");
  if (!ok.is_boolean() || context.state() != "asked") {
    return InputRequired{{elicit("confirm", "Please confirm", {{"ok", kBoolean}}, {"ok"})},
                         "asked"};
  }
  return text_result("state-ok");
}

CallOutcome asks_three(const Json&, CallContext& context) {
  const Json name = accepted(context, "user_name", "name");
  const Json* greeting = context.answer("greeting");
  const Json* roots = context.answer("client_roots");
  if (!name.is_string() || greeting == nullptr || roots == nullptr) {
    return InputRequired{
        {name_question("user_name", "What is your name?"),
         sample("greeting", "Generate a greeting", 50), list_roots("client_roots")},
        "three"};
  }
  return text_result("All three answered, " + name.get<std::string>() + ".");
}

CallOutcome asks_twice(const Json&, CallContext& context) {
  constexpr std::string_view kKnown = "name:";
  const std::string& state = context.state();
  if (state.starts_with(kKnown)) {
    const Json color = accepted(context, "step2", "color");
    if (color.is_string()) {
      return text_result(state.substr(kKnown.size()) + " likes " + color.get<std::string>() + ".");
    }
  }
  const Json name = accepted(context, "step1", "name");
  if (!state.starts_with(kKnown) && !name.is_string()) {
    return InputRequired{{name_question("step1", "Step 1: What is your name?")}, "start"};
  }
  return InputRequired{
      {elicit("step2", "Step 2: What is your favorite color?", {{"color", kString}}, {"color"})},
      name.is_string() ? std::string(kKnown) + name.get<std::string>() : state};
}

// Asks by whatever the client can do.
CallOutcome asks_what_it_can(const Json&, CallContext& context) {
  InputRequired question;
  if (context.abilities().form_elicitation) {
    question.requests.push_back(name_question("user_name", "What is your name?"));
  }
  if (context.abilities().sampling) {
    question.requests.push_back(sample("greeting", "Generate a greeting", 50));
  }
  const bool answered =
      context.answer("user_name") != nullptr || context.answer("greeting") != nullptr;
  if (question.requests.empty() || answered) return text_result("Nothing more to ask.");
  return question;
}

}  // namespace

std::vector<Tool> question_tools() {
  std::vector<Tool> tools;
  tools.push_back(make_tool(
      "test_sampling", "Asks the client's model",
      [](const Json& arguments, CallContext& context) {
        return sampled(sample("answer", arguments.value("prompt", ""), 100), context);
      },
      object_schema({{"prompt", kString}}, {"prompt"})));
  tools.push_back(make_tool(
      "test_elicitation", "Asks the user for a name and an address",
      [](const Json& arguments, CallContext& context) -> CallOutcome {
        const Json* answer = context.answer("user");
        if (answer == nullptr) {
          return InputRequired{
              {elicit("user", arguments.value("message", ""),
                      {{"username", kString}, {"email", kString}}, {"username", "email"})},
              {}};
        }
        return text_result("User response: " + answer->dump());
      },
      object_schema({{"message", kString}}, {"message"})));
  tools.push_back(make_tool("test_elicitation_sep1034_defaults",
                            "Asks with a default for each kind of field", defaults));
  tools.push_back(
      make_tool("test_elicitation_sep1330_enums", "Asks with each kind of choice", enums));
  tools.push_back(make_tool(
      "test_streaming_elicitation", "Returns at once",
      [](const Json&, CallContext&) -> CallOutcome { return text_result("Nothing to ask."); }));
  const auto add = [&](const char* suffix, const char* description, CallHandler handler) {
    tools.push_back(make_tool(std::string("test_input_required_result_") + suffix, description,
                              std::move(handler)));
  };
  add("elicitation", "Asks for a name", greets);
  add("sampling", "Asks the client's model for a capital", [](const Json&, CallContext& context) {
    return sampled(sample("capital_question", "What is the capital of France?", 100), context);
  });
  add("list_roots", "Asks for the client's roots", lists_roots);
  add("request_state", "Asks with a state that must come back", confirms);
  add("tampered_state", "Asks with a state that must come back whole", confirms);
  add("multiple_inputs", "Asks three things at once", asks_three);
  add("multi_round", "Asks twice in a row", asks_twice);
  add("capabilities", "Asks only what the client can answer", asks_what_it_can);
  return tools;
}

}  // namespace fixture
