// Parsing and judging of HTTP header fields.
#include "server/http/http_headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <set>

#include "core/base/lower_case.h"
#include "core/platform/secrets.h"

namespace server {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return core::lower_case(x) == core::lower_case(y); });
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (core::lower_case(c) >= 'a' && core::lower_case(c) <= 'z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

// Optional whitespace of RFC 9110, section 5.6.3: spaces and tabs only.
std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool has_control_character(std::string_view value) {
  return std::any_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

// Fields that steer the request: two of them would let two readers see two requests.
bool allowed_once(std::string_view name) {
  constexpr std::array<std::string_view, 13> kSingle = {"host",
                                                        "origin",
                                                        "content-length",
                                                        "transfer-encoding",
                                                        "content-encoding",
                                                        "content-type",
                                                        "expect",
                                                        "authorization",
                                                        "mcp-session-id",
                                                        "mcp-method",
                                                        "mcp-name",
                                                        "last-event-id",
                                                        "mcp-protocol-version"};
  const std::string key = core::lower_case(name);
  return std::find(kSingle.begin(), kSingle.end(), key) != kSingle.end() ||
         key.starts_with("mcp-param-");
}

// Host without port: "[::1]:80" -> "[::1]", "a.b:80" -> "a.b". Empty when malformed.
std::string host_name(std::string_view authority) {
  std::string_view name = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) {
      return {};
    }
    name = authority.substr(0, end + 1);
    port = authority.substr(end + 1);
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    name = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  const bool port_good = port.empty() || (port.size() > 1 && port.size() <= 6 && port[0] == ':' &&
                                          std::all_of(port.begin() + 1, port.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; }));
  if (name.ends_with('.')) name.remove_suffix(1);  // the same name, told to be whole
  return port_good ? core::lower_case(name) : std::string();
}

// "HTTPS://App.Example.:8443" -> "https://app.example:8443".
std::string normal_origin(std::string_view origin) {
  const auto scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos) return core::lower_case(origin);
  std::string_view rest = origin.substr(scheme_end + 3);
  const auto port = rest.find(':', rest.starts_with('[') ? rest.find(']') : 0);
  std::string_view host = rest.substr(0, port);
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string text = core::lower_case(origin.substr(0, scheme_end + 3)) + core::lower_case(host);
  return port == std::string_view::npos ? text : text.append(rest.substr(port));
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

struct AcceptRange {
  std::string type;
  bool refused = false;  // q=0
};

void add_accept_ranges(std::string_view field, std::vector<AcceptRange>& ranges) {
  while (!field.empty()) {
    const auto comma = field.find(',');
    std::string_view item = trim(field.substr(0, comma));
    field = comma == std::string_view::npos ? std::string_view() : field.substr(comma + 1);
    const auto semicolon = item.find(';');
    AcceptRange range{core::lower_case(trim(item.substr(0, semicolon))), false};
    while (item.find(';') != std::string_view::npos) {
      item = item.substr(item.find(';') + 1);
      const std::string parameter = core::lower_case(trim(item.substr(0, item.find(';'))));
      if (parameter.starts_with("q=")) {
        range.refused = as_number(std::string_view(parameter).substr(2)).value_or(1) <= 0;
      }
    }
    ranges.push_back(std::move(range));
  }
}

// Of all Accept fields, which are one list (RFC 9110, section 5.3).
std::vector<AcceptRange> accept_ranges(const HttpHeaders& headers) {
  std::vector<AcceptRange> ranges;
  for (const auto& [name, value] : headers) {
    if (equal_ignoring_case(name, "Accept")) add_accept_ranges(value, ranges);
  }
  return ranges;
}

// The next line without its end; nothing where a lone LF, or none, ends it.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r') return std::nullopt;
  const std::string_view line = text.substr(0, end - 1);
  text.remove_prefix(end + 1);
  return line;
}

// Printable ASCII from "/" on, without a fragment.
bool is_path(std::string_view target) {
  return target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) {
           return c > ' ' && c < '\x7f' && c != '#';
         });
}

// The host and port of a target that is a whole URL ("http://a:80/mcp"), which is cut down to its
// path; nothing where it is none.
std::optional<std::string_view> take_authority(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::string_view rest = target.substr(scheme.size());
    const auto end = std::min(rest.find_first_of("/?#"), rest.size());
    if (end < rest.size() && rest[end] != '/') break;
    target = end < rest.size() ? rest.substr(end) : std::string_view("/");
    return rest.substr(0, end);
  }
  return std::nullopt;
}

// Whether one of the fields of that name, which hold lists, has the element; case is ignored.
bool lists(const HttpHeaders& headers, std::string_view name, std::string_view element) {
  for (const auto& [key, value] : headers) {
    if (!equal_ignoring_case(key, name)) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (equal_ignoring_case(trim(rest.substr(0, comma)), element)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

}  // namespace

void HttpHeaders::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

const std::string* HttpHeaders::find(std::string_view name) const {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const auto& field) {
    return equal_ignoring_case(field.first, name);
  });
  return at == fields_.end() ? nullptr : &at->second;
}

std::size_t HttpHeaders::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const auto& field) { return equal_ignoring_case(field.first, name); }));
}

tl::expected<HttpHeaders, std::string> parse_header_fields(std::string_view block) {
  HttpHeaders headers;
  std::set<std::string> seen;
  while (!block.empty()) {
    const auto line = take_line(block);
    if (!line) return tl::unexpected(std::string("a header line does not end in CR and LF"));
    if (line->empty()) break;
    const auto colon = line->find(':');
    const std::string_view name = line->substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name)) {
      return tl::unexpected(std::string("a header line is not \"name: value\""));
    }
    const std::string_view value = trim(line->substr(colon + 1));
    if (has_control_character(value)) {
      return tl::unexpected("the header " + std::string(name) + " holds control characters");
    }
    if (allowed_once(name) && !seen.insert(core::lower_case(name)).second) {
      return tl::unexpected("the header " + std::string(name) + " came twice");
    }
    if (headers.size() == kMaxHeaderFields) {
      return tl::unexpected("more than " + std::to_string(kMaxHeaderFields) + " header fields");
    }
    headers.add(std::string(name), std::string(value));
  }
  if (headers.find("Content-Length") != nullptr && headers.find("Transfer-Encoding") != nullptr) {
    return tl::unexpected(std::string("Content-Length and Transfer-Encoding exclude each other"));
  }
  return headers;
}

tl::expected<HttpHead, std::string> parse_head(std::string_view head) {
  const auto line = take_line(head);
  const auto method_end = line ? line->find(' ') : std::string_view::npos;
  const auto target_end = line ? line->rfind(' ') : std::string_view::npos;
  if (method_end == std::string_view::npos || target_end <= method_end) {
    return tl::unexpected(std::string("the first line is no request line"));
  }
  const std::string_view method = line->substr(0, method_end);
  std::string_view target = line->substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line->substr(target_end + 1);
  if (!is_token(method)) return tl::unexpected(std::string("the method is no token"));
  const auto authority = take_authority(target);
  if (!is_path(target)) {
    return tl::unexpected(std::string("the request target is neither a path nor a URL"));
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return tl::unexpected(std::string("the version is neither HTTP/1.1 nor HTTP/1.0"));
  }
  auto headers = parse_header_fields(head);
  if (!headers) return tl::unexpected(std::move(headers.error()));
  // RFC 9112, section 3.2.2, has the target's host count: only where no other reader of Host could
  // see another.
  const std::string* host = headers->find("Host");
  if (authority && (host == nullptr || !equal_ignoring_case(*authority, *host))) {
    return tl::unexpected(std::string("the request target and Host name two hosts"));
  }
  const bool old = version == "HTTP/1.0";
  if (old && headers->find("Transfer-Encoding") != nullptr) {
    return tl::unexpected(std::string("HTTP/1.0 has no Transfer-Encoding"));
  }
  const bool keep_alive = !lists(*headers, "Connection", "close") &&
                          (!old || lists(*headers, "Connection", "keep-alive"));
  return HttpHead{std::string(method), std::string(target.substr(0, target.find('?'))), keep_alive,
                  std::move(*headers)};
}

std::string trailer_problem(std::string_view block) {
  const auto fields = parse_header_fields(block);
  if (!fields) return fields.error();
  for (const auto& [name, value] : *fields) {
    if (allowed_once(name)) return "the field " + name + " came after the body";
  }
  return {};
}

bool has_body(const HttpHeaders& headers) {
  return headers.find("Content-Length") != nullptr || headers.find("Transfer-Encoding") != nullptr;
}

tl::expected<BodyFraming, HttpFault> body_framing(const HttpHeaders& headers,
                                                  std::size_t max_bytes) {
  const auto refuse = [](int status, std::string why) {
    return tl::unexpected(HttpFault{status, std::move(why)});
  };
  if (const std::string* coding = headers.find("Content-Encoding");
      coding != nullptr && !equal_ignoring_case(*coding, "identity")) {
    return refuse(415, "The body must not be compressed");
  }
  const std::string* expect = headers.find("Expect");
  if (expect != nullptr && !equal_ignoring_case(*expect, "100-continue")) {
    return refuse(417, "Expect may only be 100-continue");
  }
  BodyFraming framing;
  framing.awaits_continue = expect != nullptr;
  if (const std::string* transfer = headers.find("Transfer-Encoding")) {
    framing.chunked = equal_ignoring_case(*transfer, "chunked");
    return framing.chunked ? tl::expected<BodyFraming, HttpFault>(framing)
                           : refuse(501, "Transfer-Encoding may only be chunked");
  }
  const std::string* length = headers.find("Content-Length");
  if (length == nullptr) return refuse(411, "Content-Length is missing");
  if (length->empty() || length->find_first_not_of("0123456789") != std::string::npos) {
    return refuse(400, "Content-Length is not a number");
  }
  const char* end = length->data() + length->size();
  const auto [at, error] = std::from_chars(length->data(), end, framing.bytes);
  if (error != std::errc() || at != end || framing.bytes > max_bytes) {
    return refuse(413, "The body is larger than " + std::to_string(max_bytes) + " bytes");
  }
  return framing;
}

bool accepts(const HttpHeaders& headers, std::string_view media_type) {
  if (headers.find("Accept") == nullptr) return true;
  const std::string any_subtype = std::string(media_type.substr(0, media_type.find('/'))) + "/*";
  bool allowed = false;
  for (const AcceptRange& range : accept_ranges(headers)) {
    if (range.type == media_type) {
      return !range.refused;  // the most specific range decides
    }
    allowed = allowed || (!range.refused && (range.type == "*/*" || range.type == any_subtype));
  }
  return allowed;
}

bool prefers_event_stream(const HttpHeaders& headers) {
  for (const AcceptRange& range : accept_ranges(headers)) {
    if (range.type == "text/event-stream" && !range.refused) return true;
    if (range.type == "application/json" && !range.refused) return false;
  }
  return false;
}

bool has_json_content(const HttpHeaders& headers) {
  const std::string* field = headers.find("Content-Type");
  return field != nullptr &&
         equal_ignoring_case(trim(std::string_view(*field).substr(0, field->find(';'))),
                             "application/json");
}

bool host_allowed(const HttpHeaders& headers, const HttpOrigins& allowed) {
  const std::string* field = headers.find("Host");
  if (field == nullptr) return false;
  const std::string host = host_name(*field);
  return is_loopback(host) || (allowed.any_host && !host.empty()) ||
         (!host.empty() &&
          std::find(allowed.hosts.begin(), allowed.hosts.end(), host) != allowed.hosts.end());
}

bool origin_allowed(const HttpHeaders& headers, const HttpOrigins& allowed) {
  const std::string* field = headers.find("Origin");
  if (field == nullptr) return true;
  if (origin_listed(headers, allowed)) return true;
  const std::string origin = normal_origin(*field);
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) {
      return is_loopback(host_name(std::string_view(origin).substr(scheme.size())));
    }
  }
  return false;
}

bool origin_listed(const HttpHeaders& headers, const HttpOrigins& allowed) {
  const std::string* field = headers.find("Origin");
  return field != nullptr &&
         std::any_of(allowed.origins.begin(), allowed.origins.end(),
                     [origin = normal_origin(*field)](const std::string& listed) {
                       return normal_origin(listed) == origin;
                     });
}

std::string normal_host(std::string_view name) {
  return host_name(name);
}

bool bearer_matches(const HttpHeaders& headers, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string* field = headers.find("Authorization");
  if (field == nullptr || token.empty() || field->size() < kScheme.size() ||
      !equal_ignoring_case(std::string_view(*field).substr(0, kScheme.size()), kScheme)) {
    return false;
  }
  return core::equal_in_constant_time(trim(std::string_view(*field).substr(kScheme.size())), token);
}

HeaderFacts header_facts(const HttpHeaders& headers) {
  constexpr std::string_view kParam = "mcp-param-";
  HeaderFacts facts;
  const auto copy = [&](std::string_view name) {
    const std::string* field = headers.find(name);
    return field == nullptr ? std::nullopt : std::optional(*field);
  };
  facts.protocol_version = copy("MCP-Protocol-Version");
  facts.method = copy("Mcp-Method");
  facts.name = copy("Mcp-Name");
  for (const auto& [name, value] : headers) {
    if (const std::string key = core::lower_case(name); key.starts_with(kParam)) {
      facts.params.emplace(key.substr(kParam.size()), value);
    }
  }
  return facts;
}

}  // namespace server
