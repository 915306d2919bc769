// A whole server as a value: what it is called and what it offers. Our program and the conformance
// fixture are two such values on the same library.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/mcp/changes.h"
#include "server/mcp/next_step.h"
#include "server/mcp/resources.h"
#include "server/mcp/tool.h"

namespace server {

// What a client may have a server do.
struct ServerLimits {
  // Folders outside them (empty: no limit) are refused by every tool that reads or writes paths.
  std::vector<std::filesystem::path> allowed;
  bool calls = false;  // a limited server runs commands and calls addresses for its client, too
};

struct PromptResult {
  std::string description;
  Json messages = Json::array();  // {role, content} objects
};
using PromptOutcome = std::variant<PromptResult, InputRequired, RpcError>;

struct Prompt {
  Json entry;  // the literal prompts/list entry: name, title, description, arguments
  // `arguments` is an object of strings; the required ones are there.
  std::function<PromptOutcome(const Json& arguments, CallContext& context)> handler;
};

struct CompletionRequest {
  enum class Of { prompt, resource };
  Of of = Of::prompt;
  std::string name;               // of the prompt, or the resource's URI template
  std::string argument;           // being typed
  std::string value;              // typed so far
  Json context = Json::object();  // arguments already settled
};
// Every match, best first; the library cuts at 100 and says how many there are.
using Completer = std::function<std::vector<std::string>(const CompletionRequest&)>;

// One file of a skill, served byte by byte. The texts must outlive the server.
struct SkillFile {
  std::string_view path;  // "<skill>/SKILL.md", "<skill>/references/x.md"
  std::string_view text;
  std::string_view frontmatter;  // of a SKILL.md: its YAML as a JSON object
};

// A page for people, one HTML file: an MCP App, which clients draw beside a tool's result, and what
// a browser shows. The text must outlive the server.
// https://github.com/modelcontextprotocol/ext-apps/blob/main/specification/2026-01-26/apps.mdx
struct AppPage {
  std::string uri;   // "ui://server/name.html", as the tools' entries have it in _meta.ui
  std::string name;  // of the resource, and of the command that opens it
  std::string title;
  std::string_view html;
};

struct ServerDefinition {
  std::string name;     // serverInfo
  std::string version;  //
  std::string title;    //
  std::string instructions;
  std::vector<Tool> tools;
  StepOf step_of;                               // for the calls that texts of these tools name
  Speech speech;                                // of who reads what tools answer; empty: a model
  std::shared_ptr<ResourceProvider> resources;  // null: none of its own (skills may still be)
  std::vector<Prompt> prompts;
  Completer complete;  // empty: no completions capability
  std::vector<SkillFile> skills;
  std::optional<AppPage> app;
  // Where tools and watchers announce changes; the library announces Tool::changed_resources.
  std::shared_ptr<Changes> changes = std::make_shared<Changes>();
  // Whether the lists may change while the server runs (listChanged is advertised).
  bool lists_change = false;
  bool logging = true;  // whether handlers log to the client
};

}  // namespace server
