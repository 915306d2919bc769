// The tools of a server.
#include "server/mcp/tool_registry.h"

#include <algorithm>
#include <utility>

#include "server/base/log.h"

namespace server {

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
  const auto problem = check_of(tool, "inputSchema").problem(arguments, "argument");
  if (!problem) return std::nullopt;
  return tool_error(error_text({core::ErrorCode::invalid_argument, *problem,
                                "Call " + tool.name() + " again with that corrected."}));
}

CallOutcome ToolRegistry::call(const Tool& tool, const Json& arguments, CallContext& context) {
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
  if (tool.changed_resources) {
    const std::vector<std::string> changed = tool.changed_resources(*result->structured);
    for (const std::string& uri : changed) {
      definition_.changes->announce({Change::Kind::resource, uri});
    }
    if (!changed.empty()) definition_.changes->announce({Change::Kind::resources_list, {}});
  }
  return outcome;
}

}  // namespace server
