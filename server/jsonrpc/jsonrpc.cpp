// JSON-RPC 2.0 messages as values: decoding and encoding.
#include "server/jsonrpc/jsonrpc.h"

#include <cmath>
#include <utility>

#include "core/base/json_limits.h"

namespace server {
namespace {

constexpr std::string_view kNotifications = "notifications/";
constexpr core::JsonLimits kLimits{kMaxJsonDepth, kMaxJsonMembers, kMaxJsonValues};

RpcError invalid_request(std::string message) {
  return RpcError{rpc_code::kInvalidRequest, std::move(message), nullptr, 400};
}

RpcError parse_error(const std::string& why) {
  return RpcError{rpc_code::kParseError, "Parse error: " + why + ".", nullptr, 400};
}

tl::expected<Message, DecodeFailure> decode_response(Json& value, std::optional<RequestId> id) {
  auto result = value.find("result");
  auto error = value.find("error");
  // Both are there where an encoder writes the one that is not set as null.
  if (result != value.end() && error != value.end()) {
    if (error->is_null()) {
      error = value.end();
    } else if (result->is_null()) {
      result = value.end();
    }
  }
  if ((result == value.end()) == (error == value.end())) {
    return tl::unexpected(DecodeFailure{
        invalid_request("A message needs a method, or exactly one of result and error."), id});
  }
  Response response{id, Json()};
  if (result != value.end()) {
    if (!id) return tl::unexpected(DecodeFailure{invalid_request("A result needs an id."), {}});
    response.outcome = std::move(*result);
    return response;
  }
  const auto code = error->is_object() ? error->find("code") : error->end();
  const auto text = error->is_object() ? error->find("message") : error->end();
  if (!error->is_object() || code == error->end() || !code->is_number_integer() ||
      text == error->end() || !text->is_string()) {
    return tl::unexpected(
        DecodeFailure{invalid_request("An error needs an integer code and a message."), id});
  }
  RpcError rpc_error{code->get<int>(), text->get<std::string>()};
  if (const auto data = error->find("data"); data != error->end()) rpc_error.data = *data;
  response.outcome = std::move(rpc_error);
  return response;
}

}  // namespace

tl::expected<Json, RpcError> parse_json(std::string_view text) {
  if (const std::string why = core::beyond_limits(text, kLimits); !why.empty()) {
    return tl::unexpected(parse_error(why));
  }
  Json value = core::read_json(text);
  if (value.is_discarded()) return tl::unexpected(parse_error("this is not one JSON value"));
  return value;
}

tl::expected<Message, DecodeFailure> decode_message(Json value) {
  if (!value.is_object()) {
    return tl::unexpected(DecodeFailure{invalid_request("A message is a JSON object."), {}});
  }
  const auto id_value = value.find("id");
  const Json* method = given_member(value, "method");
  const bool has_id =
      id_value != value.end() &&
      !(id_value->is_null() && string_member(value, "method").starts_with(kNotifications));
  const std::optional<RequestId> id = has_id ? request_id_from(*id_value) : std::nullopt;
  const auto version = value.find("jsonrpc");
  if (version == value.end() || *version != "2.0") {
    return tl::unexpected(
        DecodeFailure{invalid_request("A message needs \"jsonrpc\": \"2.0\"."), id});
  }
  if (has_id && !id) {
    return tl::unexpected(DecodeFailure{invalid_request("An id is a string or an integer."), {}});
  }
  if (method == nullptr) return decode_response(value, id);
  if (!method->is_string()) {
    return tl::unexpected(DecodeFailure{invalid_request("A method is a string."), id});
  }
  Json params = Json::object();
  if (const auto given = value.find("params"); given != value.end() && !given->is_null()) {
    if (!given->is_object()) {
      return tl::unexpected(DecodeFailure{invalid_request("params must be an object."), id});
    }
    params = std::move(*given);
  }
  if (has_id) return Request{*id, method->get<std::string>(), std::move(params)};
  return Notification{method->get<std::string>(), std::move(params)};
}

std::string encode_result(const RequestId& id, std::string_view result) {
  std::string text = R"({"jsonrpc":"2.0","id":)";
  text += core::lenient_json_text(to_json(id));
  text += R"(,"result":)";
  text += result;
  text += '}';
  return text;
}

std::string encode_error(const std::optional<RequestId>& id, const RpcError& error) {
  Json message = {{"jsonrpc", "2.0"}};
  if (id) message["id"] = to_json(*id);
  Json& body = message["error"];
  body["code"] = error.code;
  body["message"] = error.message;
  if (!error.data.is_null()) body["data"] = error.data;
  return core::lenient_json_text(message);
}

std::string encode_notification(std::string_view method, const Json& params) {
  Json message = {{"jsonrpc", "2.0"}, {"method", method}};
  if (!params.empty()) message["params"] = params;
  return core::lenient_json_text(message);
}

std::string encode_request(const RequestId& id, std::string_view method, const Json& params) {
  Json message = {{"jsonrpc", "2.0"}, {"id", to_json(id)}, {"method", method}};
  if (!params.empty()) message["params"] = params;
  return core::lenient_json_text(message);
}

std::string encode_message(const Message& message) {
  if (const auto* request = std::get_if<Request>(&message)) {
    return encode_request(request->id, request->method, request->params);
  }
  if (const auto* notification = std::get_if<Notification>(&message)) {
    return encode_notification(notification->method, notification->params);
  }
  const auto& response = std::get<Response>(message);
  if (const auto* error = std::get_if<RpcError>(&response.outcome)) {
    return encode_error(response.id, *error);
  }
  return encode_result(response.id.value_or(RequestId{}),
                       core::lenient_json_text(std::get<Json>(response.outcome)));
}

Json to_json(const RequestId& id) {
  return std::visit([](const auto& value) { return Json(value); }, id);
}

std::optional<RequestId> request_id_from(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    return std::nullopt;
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number_float()) {
    constexpr double kExact = 1ULL << 53U;  // up to here a double holds each integer
    const auto number = value.get<double>();
    if (std::abs(number) <= kExact && number == std::trunc(number)) {
      return static_cast<std::int64_t>(number);
    }
  }
  return std::nullopt;
}

}  // namespace server
