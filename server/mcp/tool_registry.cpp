// The tools of a server.
#include "server/mcp/tool_registry.h"

#include <algorithm>
#include <utility>

#include "server/base/log.h"

namespace server {
namespace {

// Into the structured `warnings`, which to_text repeats, and else as a text.
void warn(ToolResult& result, const std::vector<std::string>& warnings) {
  Json* told = nullptr;
  if (result.structured && result.structured->is_object()) {
    const auto found = result.structured->find("warnings");
    if (found != result.structured->end() && found->is_array()) told = &*found;
  }
  const bool rendered = told != nullptr && result.content.empty();
  for (const std::string& warning : warnings) {
    if (told != nullptr) told->push_back(warning);
    if (!rendered) result.content.push_back(text_block("Warning: " + warning));
  }
}

}  // namespace

const Tool* ToolRegistry::find(std::string_view name) const {
  const auto found = std::find_if(definition_.tools.begin(), definition_.tools.end(),
                                  [name](const Tool& tool) { return tool.name() == name; });
  return found == definition_.tools.end() ? nullptr : &*found;
}

const SchemaCheck& ToolRegistry::check_of(const Tool& tool, const char* key) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<SchemaCheck>& check = checks_[tool.name() + "/" + key];
  if (!check) {
    check = std::make_unique<SchemaCheck>(tool.entry.at(key));
    if (!check->defect().empty()) {
      log_error("The " + std::string(key) + " of tool " + tool.name() +
                " cannot be used: " + check->defect());
    }
  }
  return *check;
}

std::optional<ToolResult> ToolRegistry::refuse(const Tool& tool, const Json& arguments) {
  if (!tool.entry.contains("inputSchema")) return std::nullopt;
  const MemberWords words{
      .subject =
          [](const std::string& name) { return "The argument " + core::say_parameter(name); },
      .expected =
          [&tool](const std::string& name) {
            const Json* expected = tool.entry.hint(name, "x-expects");
            return expected == nullptr ? std::string() : expected->get<std::string>();
          }};
  const auto problem = check_of(tool, "inputSchema").problem(arguments, "argument", words);
  if (!problem) return std::nullopt;
  const std::string again = "Call " + core::say(core::Call{tool.name()}) + " again";
  return tool_error({core::ErrorCode::invalid_argument, *problem, again + " with that corrected."});
}

LenientArguments ToolRegistry::read(const Tool& tool, const Json& arguments) const {
  const Json* schema = member(tool.entry.json(), "inputSchema");
  return schema == nullptr ? LenientArguments{arguments, {}} : take_leniently(*schema, arguments);
}

CallOutcome ToolRegistry::call(const Tool& tool, const LenientArguments& given,
                               CallContext& context) {
  auto [arguments, warnings] = read(tool, given.arguments);
  warnings.insert(warnings.begin(), given.warnings.begin(), given.warnings.end());
  CallOutcome outcome = run(tool, arguments, context);
  if (auto* result = std::get_if<ToolResult>(&outcome)) {
    const bool rendered = !result->content.empty();
    warn(*result, warnings);
    if (!rendered && result->structured) render(*result, tool);
  }
  return spoken(std::move(outcome), speech_);
}

void ToolRegistry::render(ToolResult& result, const Tool& tool) const {
  Json& structured = *result.structured;
  speak(structured, speech_);  // before a rendering shortens or quotes what names a call
  result.content.insert(
      result.content.begin(),
      text_block(tool.to_text ? tool.to_text(structured) : core::lenient_json_text(structured)));
}

CallOutcome ToolRegistry::run(const Tool& tool, const Json& arguments, CallContext& context) {
  if (auto refusal = refuse(tool, arguments)) return std::move(*refusal);
  CallOutcome outcome = tool.handler(arguments, context);
  const auto* result = std::get_if<ToolResult>(&outcome);
  if (result == nullptr || result->is_error || !result->structured) return outcome;
  if (check_output_ && tool.entry.contains("outputSchema")) {
    if (const auto problem =
            check_of(tool, "outputSchema").problem(*result->structured, "member")) {
      return RpcError{rpc_code::kInternalError, "The result of " + tool.name() +
                                                    " does not fit its outputSchema. " + *problem};
    }
  }
  if (tool.changed_resources && definition_.changes->is_heard()) {
    const std::vector<std::string> changed = tool.changed_resources(*result->structured);
    for (const std::string& uri : changed) {
      definition_.changes->announce({Change::Kind::resource, uri});
    }
    if (!changed.empty()) definition_.changes->announce({Change::Kind::resources_list, {}});
  }
  return outcome;
}

}  // namespace server
