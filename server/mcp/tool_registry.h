// The tools of a server: finding one, checking its arguments, running it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/jsonrpc/schema_check.h"
#include "server/mcp/lenient_arguments.h"
#include "server/mcp/server_definition.h"
#include "server/mcp/tool.h"

namespace server {

// Thread-safe. The definition must outlive it.
class ToolRegistry {
 public:
  // check_output: see DispatcherOptions. `speech`: of who reads what tools answer.
  ToolRegistry(const ServerDefinition& definition, bool check_output, Speech speech)
      : definition_(definition), check_output_(check_output), speech_(std::move(speech)) {}
  // For those whom the definition is for.
  ToolRegistry(const ServerDefinition& definition, bool check_output)
      : ToolRegistry(definition, check_output,
                     definition.speech ? definition.speech : speech_for_model(definition.step_of)) {
  }

  const Tool* find(std::string_view name) const;
  const std::vector<Tool>& all() const { return definition_.tools; }

  // Reads the arguments leniently, validates them against the inputSchema (compiled on the first
  // call of that tool), then runs the handler. What was read leniently stands as a warning in the
  // result: as a text and, where the structured result has `warnings`, among these. Bad arguments
  // are a result with is_error that names property, problem and valid values. The ending is spoken
  // (next_step.h). Announces Tool::changed_resources after a good call. What was told of `given`
  // already comes first among the warnings.
  CallOutcome call(const Tool& tool, const LenientArguments& given, CallContext& context);
  // The arguments as the handler gets them.
  LenientArguments read(const Tool& tool, const Json& arguments) const;
  // Only the validation, of arguments that were read: a result with is_error, or nothing.
  std::optional<ToolResult> refuse(const Tool& tool, const Json& arguments);

 private:
  CallOutcome run(const Tool& tool, const Json& arguments, CallContext& context);
  void render(ToolResult& result, const Tool& tool) const;
  const SchemaCheck& check_of(const Tool& tool, const char* key);

  const ServerDefinition& definition_;
  const bool check_output_;
  const Speech speech_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<SchemaCheck>> checks_;
};

}  // namespace server
