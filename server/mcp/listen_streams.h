// The open subscriptions/listen requests of 2026-07-28 and what each wants to hear.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "server/mcp/call.h"
#include "server/mcp/changes.h"

namespace server {

struct ListenFilter {
  bool tools = false;
  bool prompts = false;
  bool resources = false;
  std::set<std::string> uris;
  std::set<std::string> task_ids;

  Json to_json() const;
};

// Thread-safe.
class ListenStreams {
 public:
  static constexpr std::size_t kMaxStreams = 1024;

  explicit ListenStreams(CallTable& calls) : calls_(calls) {}

  // Acknowledges on the call's channel, as the first message for its id, and keeps the stream.
  // False: kMaxStreams are open; nothing was sent.
  bool open(std::shared_ptr<Call> call, ListenFilter filter);
  // Whether a stream wants to hear of resources.
  bool want_resources();
  void on_change(const Change& change);
  void on_task(const std::string& task_id, const Json& task);
  // Forgets the streams whose call is over.
  void prune();
  // Ends every stream with its result; `info` is the server's identity.
  void close_all(const Json& info);

 private:
  struct Stream {
    std::shared_ptr<Call> call;
    ListenFilter filter;
  };
  static void send(const Stream& stream, std::string_view method, Json params);

  CallTable& calls_;
  std::mutex mutex_;
  std::vector<Stream> streams_;
};

}  // namespace server
