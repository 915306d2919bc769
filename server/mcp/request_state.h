// The signed memory of a question: what a 2026-07-28 client carries from one round to the next.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/env.h"
#include "server/jsonrpc/json.h"

namespace server {

// Text form: `v1.` base64url(payload) `.` base64url(HMAC-SHA256 over all before the last dot).
// Signed, not secret. Thread-safe.
class RequestStates {
 public:
  static constexpr std::chrono::minutes kLifetime{60};
  static constexpr std::size_t kMaxText = 64 * 1024;  // bytes

  // See DispatcherOptions::request_state_key.
  RequestStates(std::function<std::string()> key, core::Clock& clock)
      : make_key_(std::move(key)), clock_(clock) {}

  struct Memory {
    Json answers = Json::object();  // given in earlier rounds
    Json asked = Json::object();    // key -> requestedSchema (null where there is none)
    std::string state;              // InputRequired::state
  };

  // `request` identifies what is being asked for: see request_digest.
  std::string sign(const Memory& memory, std::string_view principal, std::string_view request);
  // Nothing unless every byte is as signed, and principal, request and time fit.
  std::optional<Memory> verify(std::string_view text, std::string_view principal,
                               std::string_view request);

 private:
  const std::string& key();

  std::function<std::string()> make_key_;
  core::Clock& clock_;
  std::once_flag once_;
  std::string key_;
};

// Of the method and of every parameter but _meta, inputResponses and requestState.
std::string request_digest(std::string_view method, const Json& params);

}  // namespace server
