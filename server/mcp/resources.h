// Interface of a resource provider: what resources/list, templates/list, read and subscribe ask.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "server/mcp/tool.h"

namespace server {

struct ResourcePage {
  Json resources = Json::array();  // Resource objects as MCP spells them: uri, name, mimeType, …
  std::string next_cursor;         // empty on the last page
};

struct ResourceContents {
  Json contents = Json::array();  // objects with uri, mimeType and text or blob (base64)
};

struct UnknownResource {};  // becomes -32002 or -32602, as the era wants it

using ReadOutcome = std::variant<ResourceContents, UnknownResource, InputRequired, RpcError>;

// Thread-safe; list and read may take time (they run on the executor).
class ResourceProvider {
 public:
  virtual ~ResourceProvider() = default;
  // An empty optional: from the start. A cursor that is none of ours: kInvalidParams.
  virtual tl::expected<ResourcePage, RpcError> list(const std::optional<std::string>& cursor) = 0;
  // ResourceTemplate objects: uriTemplate, name, …; few, and always the same.
  virtual Json templates() { return Json::array(); }
  virtual ReadOutcome read(const std::string& uri, CallContext& context) = 0;
  // Whether changes of this URI may be subscribed to; it need not exist yet.
  virtual bool can_subscribe(const std::string& uri) = 0;
  // Begins to watch for changes that others than this server's calls make. The function returned
  // is called now and then, while somebody is subscribed, and gives the URIs that changed since it
  // was called last; it should take little time. Empty: nobody else makes changes.
  virtual std::function<std::vector<std::string>()> watch() { return {}; }
};

}  // namespace server
