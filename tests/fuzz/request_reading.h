// Bytes as a client may send them, read by the server's own reader of HTTP.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/http/http_headers.h"

namespace fuzz {

// What our reader takes for one request, or the refusal that ends the connection.
struct RequestReading {
  int refused = 0;  // the status; 0: it was taken
  std::string why;
  server::HttpHead head;
  std::string body;
};

// All that it reads of one connection on which `bytes` come, in that many pieces at most, and then
// the end. A request that is cut off is none.
std::vector<RequestReading> read_requests(std::string_view bytes, std::size_t pieces);

}  // namespace fuzz
