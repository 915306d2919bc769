#include "core/offsite/http_reply.h"

#include <algorithm>
#include <charconv>

#include "core/base/lower_case.h"

namespace core {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n", kLineEnd = "\r\n";
constexpr std::string_view kLength = "content-length:";
constexpr std::size_t kVersionBytes = 9;  // "HTTP/1.0 "

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good ? std::optional(number) : std::nullopt;
}

tl::unexpected<Error> no_reply() {
  return fail(ErrorCode::io, "What answers is no HTTP server.");
}

}  // namespace

Expected<> HttpReply::feed(std::string_view piece, const Take& take) {
  if (status_ == 0) {
    head_ += piece;
    const std::size_t end = head_.find(kHeadEnd);
    if (end == std::string::npos) {
      if (head_.size() > kMaxReplyHeadBytes) return no_reply();
      return {};
    }
    const std::string rest = head_.substr(end + kHeadEnd.size());
    head_.resize(end);
    BPD_TRY(read_head(head_));
    return feed(rest, take);
  }
  if (piece.empty()) return {};
  received_ += piece.size();
  return take(piece);
}

Expected<> HttpReply::read_head(std::string_view head) {
  const std::string_view first = head.substr(0, head.find(kLineEnd));
  if (!first.starts_with("HTTP/1.") || first.size() < kVersionBytes + 3) return no_reply();
  const auto status = number_in<int>(first.substr(kVersionBytes, 3));
  if (!status || *status < 100) return no_reply();
  status_ = *status;
  for (std::size_t at = first.size(); at < head.size();) {
    at += kLineEnd.size();
    const std::size_t end = std::min(head.find(kLineEnd, at), head.size());
    const std::string_view line = head.substr(at, end - at);
    if (lower_case(line.substr(0, kLength.size())) == kLength) {
      announced_ = number_in<std::uint64_t>(line.substr(kLength.size()));
      if (!announced_) return no_reply();
    }
    at = end;
  }
  return {};
}

Expected<> HttpReply::finish() const {
  if (status_ != 0 && received_ == announced_.value_or(received_)) return {};
  return fail(ErrorCode::io, "An answer was cut off.");
}

}  // namespace core
