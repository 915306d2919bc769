// The handshake eras, 2024-11-05 to 2025-11-25: sessions, and questions as requests to the client.
// https://modelcontextprotocol.io/specification/2025-11-25
#pragma once

#include <mutex>
#include <string>

#include "server/mcp/context.h"

namespace server {

// Thread-safe.
class LegacyEra {
 public:
  explicit LegacyEra(ServerContext& context) : context_(context) {}

  // origin.session must be there.
  void handle(Request request, const Origin& origin);
  // Unsolicited change notifications, as the session wants them.
  void on_change(Session& session, const Change& change) const;

 private:
  struct Interview;
  // A handler's work on its way through rounds of questions.
  struct Job {
    std::shared_ptr<Call> call;
    CallFacts facts;
    Work work;
    std::string uri;       // of resources/read, for its error
    bool is_tool = false;  // whose troubles are results
    int round = 0;
    ProgressCounter progress;
  };

  OrRpcError<Json> initialize(const Json& params, Session& session) const;
  // Methods answered at once; nothing: the method is none of them.
  std::optional<OrRpcError<Json>> answer_now(const Request& request, Session& session);
  OrRpcError<Work> work_of(const Request& request);

  void run(const std::shared_ptr<Job>& job);
  void ask(const std::shared_ptr<Job>& job, const InputRequired& required);
  void send_questions(const std::shared_ptr<Interview>& interview);
  void conclude(const std::shared_ptr<Interview>& interview);
  void give_up(Job& job, const std::string& why);

  ServerContext& context_;
  std::mutex text_mutex_;
  std::string tools_text_;  // tools/list never changes: encoded once
};

}  // namespace server
