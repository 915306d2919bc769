// The era of 2026-07-28: stateless requests that carry version and capabilities themselves.
// https://modelcontextprotocol.io/specification/2026-07-28
#pragma once

#include <mutex>
#include <string>

#include "server/mcp/context.h"

namespace server {

// Thread-safe.
class ModernEra {
 public:
  explicit ModernEra(ServerContext& context) : context_(context) {}

  // Checks in the specification's order (envelope, header version, served version, header names,
  // method, capability, header parameters, parameters), then answers or starts the work.
  void handle(Request request, const Origin& origin);

 private:
  struct Cache {
    int ttl_ms;
    const char* scope;
  };
  using Answer = OrRpcError<Json>;

  // Methods answered at once; false: the method is none of them.
  bool answer_now(const Request& request, const Origin& origin, const CallFacts& facts);
  Answer task_method(const Request& request, const Origin& origin, const CallFacts& facts);
  void listen(const Request& request, const Origin& origin, const CallFacts& facts);
  void start_tool(const Request& request, const Origin& origin, CallFacts facts);
  void run_tool(const Request& request, const Tool& tool, const Json& given, const CallFacts& facts,
                const std::shared_ptr<Call>& call);
  void start_work(const Request& request, const Origin& origin, CallFacts facts, OrRpcError<Work>,
                  std::optional<Cache> cache);

  // Takes the answers and signed state of a retry into the facts.
  OrRpcError<void> take_answers(const Request& request, CallFacts& facts);
  void finish(const Request& request, const std::shared_ptr<Call>& call, const CallFacts& facts,
              WorkOutcome outcome, std::optional<Cache> cache);
  void ask(const Request& request, const std::shared_ptr<Call>& call, const CallFacts& facts,
           const InputRequired& required);
  std::string result_text(Json body, std::string_view type, std::optional<Cache> cache) const;
  bool serves(std::string_view method) const;

  ServerContext& context_;
  // tools/list and server/discover never change: encoded once.
  std::mutex texts_mutex_;
  std::string tools_text_;
  std::string discover_text_;
};

}  // namespace server
