// What a tool is: its tools/list entry, and a function from arguments to one of three endings.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "server/jsonrpc/json.h"
#include "server/jsonrpc/jsonrpc.h"

namespace server {

// What the client on the other side can be asked for during this call.
struct ClientAbilities {
  bool form_elicitation = false;
  bool url_elicitation = false;
  bool sampling = false;
  bool roots = false;
  bool tasks = false;
};

enum class LogLevel { debug, info, notice, warning, error, critical, alert, emergency };

// The call's two-way street: progress and logs out; stop, abilities and earlier answers in.
// Lives as long as the call. Its methods may be called from any thread of the handler.
class CallContext {
 public:
  virtual ~CallContext() = default;
  // Reaches the client only if it gave a progress token. Values that do not grow are dropped.
  virtual core::ProgressSink& progress() = 0;
  // Requested when the client cancels or goes away, or the server ends.
  virtual std::stop_token stop() const = 0;
  virtual const ClientAbilities& abilities() const = 0;
  // The client's answer to an earlier question of this call (an ElicitResult, CreateMessageResult
  // or ListRootsResult); null when there is none yet.
  virtual const Json* answer(std::string_view key) const = 0;
  // What an earlier ending of this call put into InputRequired::state; empty at first.
  virtual const std::string& state() const = 0;
  // Reaches the client only where it asked for logs of this level.
  virtual void log(LogLevel level, const Json& data, std::string_view logger = {}) = 0;
  // Closes the call's stream early where the client can fetch the rest elsewhere (Streamable HTTP
  // of the handshake eras); otherwise nothing.
  virtual void release_stream() {}
};

// Ending one: a result.
struct ToolResult {
  Json content = Json::array();    // content blocks as MCP spells them; none: see Tool::to_text
  std::optional<Json> structured;  // conforms to the tool's outputSchema
  bool is_error = false;
  std::optional<core::ErrorCode> code{};  // of an error of ours
};

// Ending two: questions to the client. The same call comes again with the answers; in 2026-07-28
// as an input_required result, for older clients by requests that the legacy layer sends.
struct InputRequest {
  std::string key;     // under which the answer is found
  std::string method;  // "elicitation/create", "sampling/createMessage", "roots/list"
  Json params = Json::object();
};
struct InputRequired {
  std::vector<InputRequest> requests;
  std::string state;  // comes back signed and verified, in CallContext::state
};

// Ending three, for the client's protocol mistakes only: an RpcError. What a model can mend is a
// ToolResult with is_error.
using CallOutcome = std::variant<ToolResult, InputRequired, RpcError>;
using CallHandler = std::function<CallOutcome(const Json& arguments, CallContext& context)>;

enum class TaskSupport {
  never,     // always answered at once
  optional,  // becomes a task where the client declares tasks and `wants_task` agrees
  required,  // refused (kMissingCapability) without
};

// A tools/list entry, parsed when it is first looked into: a one-shot run must not pay for the
// schemas of the tools it does not call. Copies share the parsed value. Thread-safe.
class ToolEntry {
 public:
  ToolEntry() : ToolEntry(Json::object()) {}
  ToolEntry(Json entry);  // NOLINT(google-explicit-constructor): an entry is a Json value
  ToolEntry(Json::initializer_list_t entry) : ToolEntry(Json(entry)) {}
  // `text` must be valid JSON and outlive every copy; only its "name" is read at once.
  static ToolEntry from_text(std::string_view text);

  const Json& json() const;
  operator const Json&() const { return json(); }  // NOLINT(google-explicit-constructor)
  const Json& at(std::string_view key) const { return json().at(std::string(key)); }
  bool contains(std::string_view key) const { return json().contains(std::string(key)); }
  const std::string& name() const;
  // What the schema text says of an argument for the command line alone, or null: members whose
  // names begin with "x-" ("x-path": true, its value is a path; "x-alias", another name of its
  // flag). json() leaves them out, for some clients refuse schemas with members that they do not
  // know.
  const Json* hint(const std::string& argument, std::string_view key) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// One tool, as any server publishes it.
struct Tool {
  ToolEntry entry;  // the literal tools/list entry
  CallHandler handler;
  std::string verb{};  // on the command line; empty: the name with hyphens
  TaskSupport tasks = TaskSupport::never;
  // With TaskSupport::optional: whether these arguments are worth a task. Empty: yes.
  std::function<bool(const Json& arguments)> wants_task;
  // What must be asked before a call becomes a task; nothing: go ahead. Empty: nothing is.
  std::function<std::optional<InputRequired>(const Json& arguments, CallContext&)> before_task;
  // The result for a person at a terminal, and for a model whose client shows it no structured
  // content: everything that a next call needs must be in it. Empty: the JSON itself.
  std::function<std::string(const Json& structured)> to_text;
  // A good call whose answer is bad news (a damaged snapshot): decides the command line's exit
  // code.
  std::function<std::optional<core::ErrorCode>(const Json& structured)> bad_news;
  // After a good call: URIs of resources that changed (a snapshot landed). Empty: none.
  std::function<std::vector<std::string>(const Json& structured)> changed_resources;

  const std::string& name() const { return entry.name(); }
};

// A question by form, the only kind our own tools ask.
struct NeedsInput {
  std::string key;
  std::string message;
  Json requested_schema;  // a flat object of primitives
};

// The three endings of our own tools, visible in the handler's type.
template <class Out>
using ToolOutcome = std::variant<Out, NeedsInput, core::Error>;
// What an outcome says in the place of a value: a question or an error, as an outcome of the
// caller's own. Nothing: it is a value.
//   if (auto ending = server::ending_of<Json>(destination)) return *ending;
template <class To, class From>
std::optional<ToolOutcome<To>> ending_of(const ToolOutcome<From>& outcome) {
  if (const auto* question = std::get_if<NeedsInput>(&outcome)) return *question;
  if (const auto* error = std::get_if<core::Error>(&outcome)) return *error;
  return std::nullopt;
}

using StructuredHandler = std::function<ToolOutcome<Json>(const Json& arguments, CallContext&)>;

// Makes a Tool of a schema text (one file of schemas/) and a handler whose Out is
// structuredContent. Its text block is left to Tool::to_text, and its texts may name calls
// (next_step.h). An Error becomes isError with error_text and its code, without structured content,
// as that would not fit the outputSchema. A NeedsInput that the client cannot be asked becomes
// isError naming the missing argument (the question's key). The schema text must be valid: it is
// ours, checked by a test.
Tool make_tool(std::string_view schema_text, StructuredHandler handler);

// A text content block.
Json text_block(std::string text);
// A result with is_error and this text.
ToolResult tool_error(std::string text);
// The same with error_text and the code.
ToolResult tool_error(const core::Error& error);

// The accepted answer's content of a form question, or nothing (unanswered, declined, cancelled).
std::optional<Json> accepted_content(const CallContext& context, std::string_view key);
// The answer to a yes-or-no question with one boolean `key`: false where it was declined. Nothing:
// not answered, or not with a boolean, so it has to be asked (again).
std::optional<bool> confirmation(const CallContext& context, std::string_view key);

}  // namespace server
