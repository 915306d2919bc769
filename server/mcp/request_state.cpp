// The signed memory of a question.
#include "server/mcp/request_state.h"

#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/platform/secrets.h"
#include "core/platform/sha256.h"
#include "server/jsonrpc/jsonrpc.h"

namespace server {
namespace {

constexpr std::string_view kPrefix = "v1.";
constexpr std::size_t kKeyBytes = 32;

std::int64_t seconds_of(core::Instant instant) {
  return std::chrono::duration_cast<std::chrono::seconds>(instant.time_since_epoch()).count();
}

}  // namespace

const std::string& RequestStates::key() {
  std::call_once(once_, [this] {
    if (make_key_) key_ = make_key_();
    if (key_.size() < kKeyBytes) key_ = core::random_bytes(kKeyBytes);
  });
  return key_;
}

std::string RequestStates::sign(const Memory& memory, std::string_view principal,
                                std::string_view request) {
  const Json payload = {
      {"principal", principal},    {"expires", seconds_of(clock_.now() + kLifetime)},
      {"request", request},        {"nonce", core::random_id()},
      {"answers", memory.answers}, {"asked", memory.asked},
      {"state", memory.state}};
  std::string text = std::string(kPrefix) + core::base64url(core::lenient_json_text(payload));
  const std::string signature = core::base64url(core::hmac_sha256(key(), text));
  return text + "." + signature;
}

std::optional<RequestStates::Memory> RequestStates::verify(std::string_view text,
                                                           std::string_view principal,
                                                           std::string_view request) {
  if (text.size() > kMaxText || !text.starts_with(kPrefix)) return std::nullopt;
  const std::size_t dot = text.rfind('.');
  if (dot < kPrefix.size()) return std::nullopt;
  const auto signature = core::from_base64url(text.substr(dot + 1));
  if (!signature ||
      !core::equal_in_constant_time(*signature, core::hmac_sha256(key(), text.substr(0, dot)))) {
    return std::nullopt;
  }
  const auto bytes = core::from_base64url(text.substr(kPrefix.size(), dot - kPrefix.size()));
  if (!bytes) return std::nullopt;
  const auto payload = parse_json(*bytes);
  if (!payload) return std::nullopt;
  const Json* expires = member(*payload, "expires");
  const Json* answers = member(*payload, "answers");
  const Json* asked = member(*payload, "asked");
  if (expires == nullptr || asked == nullptr || !asked->is_object() ||
      !expires->is_number_integer() || answers == nullptr || !answers->is_object() ||
      string_member(*payload, "principal") != principal ||
      string_member(*payload, "request") != request ||
      expires->get<std::int64_t>() < seconds_of(clock_.now())) {
    return std::nullopt;
  }
  return Memory{*answers, *asked, string_member(*payload, "state")};
}

std::string request_digest(std::string_view method, const Json& params) {
  // Sorted keys: a client may write the same arguments in another order.
  core::SortedJson salient = {{"method", method}};
  for (const auto& [key, value] : params.items()) {
    if (key != "_meta" && key != "inputResponses" && key != "requestState") salient[key] = value;
  }
  return core::sha256_of(core::lenient_json_text(salient));
}

}  // namespace server
