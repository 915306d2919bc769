// Fuzz target: header fields, a blank line, and a JSON body that they are compared with.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/http/http_headers.h"
#include "server/jsonrpc/jsonrpc.h"
#include "server/mcp/header_check.h"

namespace {

const server::Json kSchema = server::Json::parse(R"({"type":"object","properties":{
  "text":{"type":"string","x-mcp-header":"Text"},
  "count":{"type":"integer","x-mcp-header":"Count"},
  "deep":{"type":"object","properties":{"on":{"type":"boolean","x-mcp-header":"On"}}}}})");

void judge(const server::HttpHeaders& headers) {
  const server::HttpOrigins allowed{{"backup.lan"}, {"https://app.example"}};
  static_cast<void>(server::accepts(headers, "application/json"));
  static_cast<void>(server::prefers_event_stream(headers));
  static_cast<void>(server::has_json_content(headers));
  static_cast<void>(server::host_allowed(headers, allowed));
  static_cast<void>(server::origin_allowed(headers, allowed));
  static_cast<void>(server::body_framing(headers, 4 << 20));
  if (server::bearer_matches(headers, "a token that no input holds 5f1d9c")) {
    const std::string* field = headers.find("Authorization");
    if (field == nullptr || field->find("5f1d9c") == std::string::npos) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(server::decode_header_value(text));
  const auto blank = text.find("\r\n\r\n");
  static_cast<void>(server::parse_head(text));
  const bool whole = blank != std::string_view::npos;
  const auto headers = server::parse_header_fields(whole ? text.substr(0, blank + 2) : text);
  if (!headers) return 0;
  judge(*headers);
  if (!whole) return 0;
  const auto body = server::parse_json(text.substr(blank + 4));
  if (!body || !body->is_object()) return 0;
  const server::HeaderFacts facts = server::header_facts(*headers);
  const auto message = server::decode_message(*body);
  if (message && std::holds_alternative<server::Request>(*message)) {
    const auto& request = std::get<server::Request>(*message);
    const auto refusal = server::check_method_headers(facts, request);
    if (!refusal && facts.method != request.method) std::abort();
  }
  const auto refusal = server::check_param_headers(facts, kSchema, *body);
  if (refusal &&
      (refusal->code != server::rpc_code::kHeaderMismatch || refusal->http_status != 400)) {
    std::abort();
  }
  return 0;
}
