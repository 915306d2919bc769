// The fixture's tools for the tasks extension.
#include <algorithm>

#include "fixture.h"
#include "server/jsonrpc/jsonrpc.h"

namespace fixture {
namespace {

using namespace std::chrono_literals;
using server::InputRequired;
using server::TaskSupport;

const Json kString{{"type", "string"}};
const Json kBoolean{{"type", "boolean"}};
constexpr double kMaxSeconds = 120;

CallOutcome slow_compute(const Json& arguments, CallContext& context) {
  const double seconds = std::min(arguments.value("seconds", 0.0), kMaxSeconds);
  const auto wait = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  if (!pause(wait, context.stop())) return text_result("Stopped.", true);
  return text_result("Computed " + arguments.value("label", "") + ".");
}

CallOutcome confirm_delete(const Json& arguments, CallContext& context) {
  const Json confirmed = accepted(context, "confirm", "confirm");
  if (context.answer("confirm") == nullptr) {
    return InputRequired{{elicit("confirm", "Delete " + arguments.value("filename", "") + "?",
                                 {{"confirm", kBoolean}}, {"confirm"})},
                         {}};
  }
  return text_result(confirmed == Json(true) ? "Deleted." : "Kept.");
}

CallOutcome multi_input(const Json&, CallContext& context) {
  if (context.answer("name") == nullptr || context.answer("confirm") == nullptr) {
    return InputRequired{{elicit("name", "What name?", {{"name", kString}}, {"name"}),
                          elicit("confirm", "Really?", {{"confirm", kBoolean}}, {"confirm"})},
                         {}};
  }
  return text_result("Both answered.");
}

std::optional<InputRequired> ask_name_first(const Json&, CallContext& context) {
  if (accepted(context, "user_name", "name").is_string()) return std::nullopt;
  return InputRequired{{elicit("user_name", "What is your name?", {{"name", kString}}, {"name"})},
                       {}};
}

CallOutcome greet_later(const Json&, CallContext& context) {
  const Json name = accepted(context, "user_name", "name");
  return text_result("Hello, " + (name.is_string() ? name.get<std::string>() : "nobody") + "!");
}

}  // namespace

std::vector<Tool> task_tools() {
  std::vector<Tool> tools;
  tools.push_back(make_tool(
      "greet", "Greets at once",
      [](const Json& arguments, CallContext&) -> CallOutcome {
        return text_result("Hello, " + arguments.value("name", "") + "!");
      },
      object_schema({{"name", kString}}, {"name"})));

  Tool slow = make_tool("slow_compute", "Waits, then returns", slow_compute,
                        object_schema({{"seconds", {{"type", "number"}}}, {"label", kString}}));
  slow.tasks = TaskSupport::optional;
  slow.wants_task = [](const Json& arguments) { return arguments.value("seconds", 0.0) > 0; };
  tools.push_back(std::move(slow));

  const auto required = [&](Tool tool) {
    tool.tasks = TaskSupport::required;
    tools.push_back(std::move(tool));
  };
  required(make_tool("failing_job", "Fails after a second",
                     [](const Json&, CallContext& context) -> CallOutcome {
                       pause(1s, context.stop());
                       return text_result("The job failed.", true);
                     }));
  required(make_tool(
      "protocol_error_job", "Ends in a protocol error",
      [](const Json&, CallContext&) -> CallOutcome {
        return server::RpcError{server::rpc_code::kInternalError, "The job broke the protocol"};
      }));
  required(make_tool("confirm_delete", "Asks before it deletes nothing", confirm_delete,
                     object_schema({{"filename", kString}}, {"filename"})));
  required(make_tool("multi_input", "Asks two things at once", multi_input));
  Tool later = make_tool("test_tool_with_task", "Asks first, then becomes a task", greet_later);
  later.before_task = ask_name_first;
  required(std::move(later));
  return tools;
}

}  // namespace fixture
