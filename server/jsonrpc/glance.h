// What can still be told of a message that parse_json refused: whether it wants an answer, and
// under which id. A client that gets an error without an id waits for ever.
#pragma once

#include <optional>
#include <string_view>

#include "server/jsonrpc/jsonrpc.h"

namespace server {

struct Glance {
  // Of a request: there was a method, and exactly one id. A response's id is in the peer's hands
  // and is none to answer under.
  std::optional<RequestId> id;
  bool answered = true;  // false: surely a response, or a notification read to its end
};

// Reads as far as it can, whatever the depth, the number of members, and the bytes within strings.
// Takes a copy of `text`, and time in proportion to it. Never throws but for memory.
Glance glance_at(std::string_view text);

}  // namespace server
