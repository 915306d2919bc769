// What the header fields of a Streamable HTTP request say, judged without any socket: pure
// functions from text to a verdict.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "server/jsonrpc/transport.h"

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
// a sentence, whatever two readers could read in two ways: a line that does not end in CR and LF, a
// name that is no token, control characters in a value, folded lines, a second field where only one
// is allowed (Host, Content-Length, the Mcp-* fields …), Content-Length together with
// Transfer-Encoding, more than kMaxHeaderFields fields.
tl::expected<HttpHeaders, std::string> parse_header_fields(std::string_view block);

// The request line and the fields. This is the only reading of them: nothing else parses a head.
struct HttpHead {
  std::string method;
  std::string path;         // as it came, without the query: percent signs stay
  bool keep_alive = false;  // whether the client wants to use the connection again
  HttpHeaders headers;
};

// Parses everything up to and with the blank line. Refuses, as above, also: more or less than one
// space between the parts, a method that is no token, a target that is no path or URL (RFC 9112,
// section 3.2), a whole URL as the target whose host is not the one that Host names, other versions
// than HTTP/1.0 and HTTP/1.1, Transfer-Encoding in HTTP/1.0.
tl::expected<HttpHead, std::string> parse_head(std::string_view head);

// Why what follows the last chunk of a body cannot be passed over: it must be as header fields are,
// and hold none that steers the request. Empty: it can.
std::string trailer_problem(std::string_view block);

struct HttpFault {
  int status = 0;
  std::string why;
};

struct BodyFraming {
  bool chunked = false;
  std::uint64_t bytes = 0;       // unless chunked
  bool awaits_continue = false;  // the client waits for "100 Continue"
};

// How the body of a POST is framed, at most `max_bytes` long; or what is answered in its place.
tl::expected<BodyFraming, HttpFault> body_framing(const HttpHeaders& headers,
                                                  std::size_t max_bytes);
// Whether a body follows, of whatever length.
bool has_body(const HttpHeaders& headers);

// Whether Accept allows that media type ("application/json"); an absent field allows all. Several
// Accept fields are one list.
bool accepts(const HttpHeaders& headers, std::string_view media_type);
// Whether Accept names text/event-stream before application/json, both being allowed.
bool prefers_event_stream(const HttpHeaders& headers);
// Whether Content-Type is application/json, parameters aside.
bool has_json_content(const HttpHeaders& headers);

// Whose requests are served: what Host and Origin must say (against DNS rebinding).
struct HttpOrigins {
  // Host names without port, lower case. Loopback names are always good.
  std::vector<std::string> hosts;
  // Whole origins ("https://app.example"); case and a dot at the host's end do not matter. Origins
  // on loopback are always good.
  std::vector<std::string> origins;
  // Every Host is good: where a token guards the server and its names are not known.
  bool any_host = false;
};

// Host must be there and known: localhost, 127.0.0.1, [::1] or one of `hosts`, any port.
bool host_allowed(const HttpHeaders& headers, const HttpOrigins& allowed);
// An absent Origin is good (no browser); one on another host than loopback must be listed.
bool origin_allowed(const HttpHeaders& headers, const HttpOrigins& allowed);
// Whether there is an Origin, and it is listed: a page there may read the answers.
bool origin_listed(const HttpHeaders& headers, const HttpOrigins& allowed);
// A host's name or address as the user gave it, the way HttpOrigins::hosts has it.
std::string normal_host(std::string_view name);

// Whether `Authorization: Bearer …` carries that token. The time it takes does not tell how much
// of it was right.
bool bearer_matches(const HttpHeaders& headers, std::string_view token);

// What the dispatcher wants to know of them.
HeaderFacts header_facts(const HttpHeaders& headers);

}  // namespace server
