// The comparison of Mcp-* headers with the body.
#include "server/mcp/header_check.h"

#include <charconv>

#include "core/base/base64.h"
#include "core/base/lower_case.h"
#include "core/base/utf8.h"

namespace server {
namespace {

constexpr int kBadRequest = 400;
constexpr int kMaxSchemaDepth = 16;

RpcError mismatch(std::string message) {
  return {rpc_code::kHeaderMismatch, std::move(message), nullptr, kBadRequest};
}

// Which member of params Mcp-Name mirrors, or nothing for methods that carry none.
std::string_view named_member(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "resources/read") return "uri";
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") {
    return "taskId";
  }
  return {};
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

bool field_equals(const std::string& field, const Json& value) {
  if (value.is_string()) return field == value.get_ref<const std::string&>();
  if (value.is_boolean()) return field == (value.get<bool>() ? "true" : "false");
  if (value.is_number_integer()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
    if (error == std::errc() && end == field.data() + field.size()) {
      return value == Json(number);  // exact, where a double would round
    }
  }
  if (value.is_number()) {
    const auto number = as_number(field);
    return number && *number == value.get<double>();
  }
  return false;  // arrays and objects cannot be mirrored
}

std::optional<RpcError> check_one_param(const HeaderFacts& headers, const std::string& suffix,
                                        const std::string& property, const Json& value) {
  const std::string name = "Mcp-Param-" + suffix;
  const auto field = headers.params.find(core::lower_case(suffix));
  if (field == headers.params.end()) {
    return mismatch("The header " + name + " is missing: it must repeat the argument " + property);
  }
  const auto decoded = decode_header_value(field->second);
  if (!decoded) return mismatch("The header " + name + " is not valid base64 of UTF-8 text");
  if (!field_equals(*decoded, value)) {
    return mismatch("The header " + name + " differs from the argument " + property);
  }
  return std::nullopt;
}

std::optional<RpcError> check_params_of(const HeaderFacts& headers, const Json& schema,
                                        const Json& arguments, int depth) {
  if (depth > kMaxSchemaDepth || !schema.is_object() || !arguments.is_object()) return std::nullopt;
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !properties->is_object()) return std::nullopt;
  for (const auto& [property, declared] : properties->items()) {
    const auto value = arguments.find(property);
    if (value == arguments.end() || value->is_null() || !declared.is_object()) continue;
    const auto suffix = declared.find("x-mcp-header");
    auto refusal = suffix != declared.end() && suffix->is_string()
                       ? check_one_param(headers, suffix->get<std::string>(), property, *value)
                       : check_params_of(headers, declared, *value, depth + 1);
    if (refusal) return refusal;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> decode_header_value(std::string_view value) {
  constexpr std::string_view kOpen = "=?base64?";
  constexpr std::string_view kClose = "?=";
  if (value.size() < kOpen.size() + kClose.size() || !value.starts_with(kOpen) ||
      !value.ends_with(kClose)) {
    return std::string(value);
  }
  value.remove_prefix(kOpen.size());
  value.remove_suffix(kClose.size());
  auto decoded = core::from_base64(value);
  return decoded && core::is_utf8(*decoded) ? decoded : std::nullopt;
}

std::optional<RpcError> check_method_headers(const HeaderFacts& headers, const Request& request) {
  if (!headers.method) {
    return mismatch("The header Mcp-Method is missing: it must repeat the method of the body");
  }
  if (*headers.method != request.method) {
    return mismatch("The header Mcp-Method differs from the method of the body");
  }
  const std::string member(named_member(request.method));
  const auto named =
      request.params.is_object() ? request.params.find(member) : request.params.end();
  if (member.empty() || named == request.params.end() || !named->is_string()) {
    return std::nullopt;  // the method's own check of params says what is wrong
  }
  if (!headers.name) {
    return mismatch("The header Mcp-Name is missing: it must repeat params." + member);
  }
  const auto decoded = decode_header_value(*headers.name);
  if (!decoded) return mismatch("The header Mcp-Name is not valid base64 of UTF-8 text");
  if (*decoded != named->get_ref<const std::string&>()) {
    return mismatch("The header Mcp-Name differs from params." + member);
  }
  return std::nullopt;
}

std::optional<RpcError> check_param_headers(const HeaderFacts& headers, const Json& input_schema,
                                            const Json& arguments) {
  return check_params_of(headers, input_schema, arguments, 0);
}

}  // namespace server
