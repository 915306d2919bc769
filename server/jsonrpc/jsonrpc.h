// JSON-RPC 2.0 messages as values: decoding, encoding, and the error codes of MCP.
// https://www.jsonrpc.org/specification
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include "server/jsonrpc/json.h"

namespace server {

// MCP forbids null and fractional ids; 0 and "" are ordinary ones, and 1.0 is the integer 1.
using RequestId = std::variant<std::int64_t, std::string>;

namespace rpc_code {
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kResourceNotFound = -32002;  // handshake eras only
inline constexpr int kHeaderMismatch = -32020;
inline constexpr int kMissingCapability = -32021;
inline constexpr int kUnsupportedVersion = -32022;
}  // namespace rpc_code

struct RpcError {
  int code = rpc_code::kInternalError;
  std::string message;
  Json data = nullptr;    // null: none
  int http_status = 200;  // what Streamable HTTP answers with; stdio has no use for it
};

struct Request {
  RequestId id;
  std::string method;
  Json params = Json::object();
};

struct Notification {
  std::string method;
  Json params = Json::object();
};

struct Response {
  std::optional<RequestId> id;  // absent only where the request's id could not be read
  std::variant<Json, RpcError> outcome;
};

using Message = std::variant<Request, Notification, Response>;

struct DecodeFailure {
  RpcError error;
  std::optional<RequestId> id;  // what could be read of it
};

inline constexpr int kMaxJsonDepth = 64;
// Of the whole text: Json looks for each new key among the object's others.
inline constexpr int kMaxJsonMembers = 10'000;
inline constexpr int kMaxJsonValues = 1'000'000;  // each costs 16 bytes

// Parses one JSON text; refuses invalid UTF-8, trailing bytes, nesting beyond kMaxJsonDepth, and
// more than kMaxJsonMembers or kMaxJsonValues (kParseError). Never throws.
tl::expected<Json, RpcError> parse_json(std::string_view text);
// Sorts one JSON value (not an array) into request, notification or response; kInvalidRequest. A
// null for a member that may be absent counts as absent, also for the id of "notifications/…".
tl::expected<Message, DecodeFailure> decode_message(Json value);
// One line, no newline at its end; bytes that are not UTF-8 are replaced, never thrown over.
std::string encode_message(const Message& message);

// The same, piece by piece. `result` is a JSON text: what never changes is encoded only once.
std::string encode_result(const RequestId& id, std::string_view result);
std::string encode_error(const std::optional<RequestId>& id, const RpcError& error);
std::string encode_notification(std::string_view method, const Json& params);
std::string encode_request(const RequestId& id, std::string_view method, const Json& params);
Json to_json(const RequestId& id);
std::optional<RequestId> request_id_from(const Json& value);

}  // namespace server
