// What every era offers alike: the lists, and the work of a call, before an era words the result.
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <variant>

#include "server/mcp/server_definition.h"
#include "server/mcp/skills.h"
#include "server/mcp/tool_registry.h"

namespace server {

inline constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";
inline constexpr std::string_view kSkillsExtension = "io.modelcontextprotocol/skills";
inline constexpr std::string_view kAppsExtension = "io.modelcontextprotocol/ui";
inline constexpr std::string_view kAppType = "text/html;profile=mcp-app";  // exactly

// The body of a result, or one of the other endings.
using WorkOutcome = std::variant<Json, InputRequired, UnknownResource, RpcError>;
// Runs on the executor; may be run again with more answers in the context.
using Work = std::function<WorkOutcome(CallContext& context)>;
template <class T>
using OrRpcError = tl::expected<T, RpcError>;

// Thread-safe; everything it refers to must outlive it.
class Methods {
 public:
  Methods(const ServerDefinition& definition, ToolRegistry& registry, SkillShelf& shelf)
      : definition_(definition), registry_(registry), shelf_(shelf) {}

  bool has_resources() const {
    return definition_.resources != nullptr || has_skills() || definition_.app;
  }
  bool has_prompts() const { return !definition_.prompts.empty(); }
  bool has_completions() const { return static_cast<bool>(definition_.complete); }
  bool has_skills() const { return !definition_.skills.empty(); }
  bool has_tasks() const;
  bool can_subscribe(const std::string& uri) const;

  Json server_info() const;
  // tasks are offered to 2026-07-28 only.
  Json capabilities(bool modern) const;

  // Answered at once. A cursor where there is one page only: kInvalidParams.
  OrRpcError<Json> list_tools(const Json& params, bool modern) const;
  OrRpcError<Json> list_prompts(const Json& params) const;
  OrRpcError<Json> list_templates(const Json& params) const;
  OrRpcError<Json> list_skills(const Json& params);
  OrRpcError<Json> get_skill(const Json& params);
  OrRpcError<Json> read_folder(const Json& params);

  // Parameters are checked now, the work is for later.
  OrRpcError<const Tool*> tool_of(const Json& params) const;
  // The arguments as the tool will get them: see take_leniently.
  Json read_arguments(const Tool& tool, const Json& arguments) const {
    return registry_.read(tool, arguments).arguments;
  }
  // Whether these arguments fail their schema (the work would say so in its result).
  bool refuses(const Tool& tool, const Json& arguments) const {
    return registry_.refuse(tool, arguments).has_value();
  }
  // `wrap`: a structured value that is no object becomes {"result": value} (handshake eras).
  Work tool_work(const Tool& tool, const Json& params, bool wrap);
  OrRpcError<Work> prompt_work(const Json& params) const;
  OrRpcError<Work> read_work(const Json& params);
  OrRpcError<Work> resources_work(const Json& params);
  OrRpcError<Work> completion_work(const Json& params) const;

 private:
  const ServerDefinition& definition_;
  ToolRegistry& registry_;
  SkillShelf& shelf_;
};

RpcError invalid_params(std::string message);
// The params' "arguments", see take_whole; an empty object if absent or null; else kInvalidParams.
OrRpcError<LenientArguments> arguments_of(const Json& params);

}  // namespace server
