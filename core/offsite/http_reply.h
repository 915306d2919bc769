// What an HTTP server answers to a request of HTTP/1.0, piece by piece: a head, then the body until
// the connection ends (RFC 1945, section 6). Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace core {

class HttpReply {
 public:
  using Take = std::function<Expected<>(std::string_view piece)>;

  // Hands what belongs to the body to `take`, whose errors it passes on. io for what is no head.
  Expected<> feed(std::string_view piece, const Take& take);
  // Once the connection has ended: io where the body is shorter, or longer, than was announced.
  Expected<> finish() const;

  int status() const { return status_; }  // 0 before the head has come

 private:
  Expected<> read_head(std::string_view head);

  std::string head_;
  int status_ = 0;
  std::optional<std::uint64_t> announced_;
  std::uint64_t received_ = 0;
};

inline constexpr std::size_t kMaxReplyHeadBytes = 64u << 10;

}  // namespace core
