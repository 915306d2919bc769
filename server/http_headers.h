// What the header fields of a Streamable HTTP request say, judged without any socket: pure
// functions from text to a verdict.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "server/transport.h"

namespace server {

// The header fields of one request, as they came: names in any case, values without the
// whitespace around them.
class HttpHeaders {
 public:
  void add(std::string name, std::string value);
  // The first field of that name (case ignored), or null.
  const std::string* find(std::string_view name) const;
  // How many fields bear that name.
  std::size_t count(std::string_view name) const;
  std::size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

inline constexpr std::size_t kMaxHeaderFields = 100;

// Parses the lines between the request line and the blank line (RFC 9112, section 5). Refuses, with
// a sentence: a name that is no token, control characters in a value, folded lines, a second field
// where only one is allowed (Host, Content-Length, the Mcp-* fields …), Content-Length together
// with Transfer-Encoding, more than kMaxHeaderFields fields.
tl::expected<HttpHeaders, std::string> parse_header_fields(std::string_view block);

// Whether the Accept field allows that media type ("application/json"); an absent field allows all.
bool accepts(const HttpHeaders& headers, std::string_view media_type);
// Whether Accept names text/event-stream before application/json, both being allowed.
bool prefers_event_stream(const HttpHeaders& headers);
// Whether Content-Type is application/json, parameters aside.
bool has_json_content(const HttpHeaders& headers);

// Whose requests are served: what Host and Origin must say (against DNS rebinding).
struct HttpOrigins {
  // Host names without port, lower case. Loopback names are always good.
  std::vector<std::string> hosts;
  // Whole origins ("https://app.example"), compared exactly. Origins on loopback are always good.
  std::vector<std::string> origins;
  // Every Host is good: where a token guards the server and its names are not known.
  bool any_host = false;
};

// Host must be there and known: localhost, 127.0.0.1, [::1] or one of `hosts`, any port.
bool host_allowed(const HttpHeaders& headers, const HttpOrigins& allowed);
// An absent Origin is good (no browser); one on another host than loopback must be listed.
bool origin_allowed(const HttpHeaders& headers, const HttpOrigins& allowed);

// Whether `Authorization: Bearer …` carries that token. The time it takes does not tell how much
// of it was right.
bool bearer_matches(const HttpHeaders& headers, std::string_view token);

// What the dispatcher wants to know of them.
HeaderFacts header_facts(const HttpHeaders& headers);

}  // namespace server
