// Compares the Mcp-* headers of a 2026-07-28 POST with its body.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/jsonrpc/jsonrpc.h"
#include "server/jsonrpc/transport.h"

namespace server {

// Mcp-Method and Mcp-Name: present where the method wants them and equal to the body; otherwise
// kHeaderMismatch with http_status 400.
std::optional<RpcError> check_method_headers(const HeaderFacts& headers, const Request& request);

// Mcp-Param-*: for every property of `input_schema` marked x-mcp-header whose argument is present
// and not null, the header must be there and equal; kHeaderMismatch, 400.
std::optional<RpcError> check_param_headers(const HeaderFacts& headers, const Json& input_schema,
                                            const Json& arguments);

// What a header value stands for: `=?base64?…?=` decoded (canonical padded base64 of valid UTF-8),
// anything else itself. Nothing: a sentinel that does not decode.
std::optional<std::string> decode_header_value(std::string_view value);

}  // namespace server
