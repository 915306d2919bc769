// The open subscriptions/listen requests.
#include "server/mcp/listen_streams.h"

#include <algorithm>
#include <utility>

#include "server/mcp/versions.h"

namespace server {

Json ListenFilter::to_json() const {
  Json json = Json::object();
  if (tools) json["toolsListChanged"] = true;
  if (prompts) json["promptsListChanged"] = true;
  if (resources) json["resourcesListChanged"] = true;
  if (!uris.empty()) json["resourceSubscriptions"] = uris;
  if (!task_ids.empty()) json["taskIds"] = task_ids;
  return json;
}

void ListenStreams::send(const Stream& stream, std::string_view method, Json params) {
  Json tagged = {{"_meta", {{kMetaSubscription, to_json(stream.call->id())}}}};
  tagged.update(params);
  stream.call->send(encode_notification(method, tagged));
}

bool ListenStreams::open(std::shared_ptr<Call> call, ListenFilter filter) {
  const std::lock_guard lock(mutex_);
  if (streams_.size() >= kMaxStreams) return false;
  Stream stream{std::move(call), std::move(filter)};
  send(stream, "notifications/subscriptions/acknowledged",
       {{"notifications", stream.filter.to_json()}});
  streams_.push_back(std::move(stream));
  return true;
}

bool ListenStreams::want_resources() {
  const std::lock_guard lock(mutex_);
  return std::any_of(streams_.begin(), streams_.end(), [](const Stream& stream) {
    return stream.filter.resources || !stream.filter.uris.empty();
  });
}

void ListenStreams::on_change(const Change& change) {
  const std::lock_guard lock(mutex_);
  for (const Stream& stream : streams_) {
    switch (change.kind) {
      case Change::Kind::tools_list:
        if (stream.filter.tools) send(stream, "notifications/tools/list_changed", Json::object());
        break;
      case Change::Kind::prompts_list:
        if (stream.filter.prompts) {
          send(stream, "notifications/prompts/list_changed", Json::object());
        }
        break;
      case Change::Kind::resources_list:
        if (stream.filter.resources) {
          send(stream, "notifications/resources/list_changed", Json::object());
        }
        break;
      case Change::Kind::resource:
        if (stream.filter.uris.contains(change.uri)) {
          send(stream, "notifications/resources/updated", {{"uri", change.uri}});
        }
        break;
    }
  }
}

void ListenStreams::on_task(const std::string& task_id, const Json& task) {
  const std::lock_guard lock(mutex_);
  for (const Stream& stream : streams_) {
    if (stream.filter.task_ids.contains(task_id)) send(stream, "notifications/tasks", task);
  }
}

void ListenStreams::prune() {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [this](const Stream& stream) {
    if (!stream.call->over()) return false;
    calls_.close(*stream.call);
    return true;
  });
}

void ListenStreams::close_all(const Json& info) {
  std::vector<Stream> streams;
  {
    const std::lock_guard lock(mutex_);
    streams.swap(streams_);
  }
  for (const Stream& stream : streams) {
    const Json result = {
        {"resultType", "complete"},
        {"_meta", {{kMetaServerInfo, info}, {kMetaSubscription, to_json(stream.call->id())}}}};
    // The cancellation page wants notifications/cancelled on stdio besides the result that the
    // subscriptions page wants; in this order clients of both readings see a graceful end.
    if (stream.call->reply_result(core::lenient_json_text(result)) && stream.call->session()) {
      stream.call->session()->send(encode_notification(
          "notifications/cancelled",
          {{"requestId", to_json(stream.call->id())}, {"reason", "The server is stopping."}}));
    }
    calls_.close(*stream.call);
  }
}

}  // namespace server
