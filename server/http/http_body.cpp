#include "server/http/http_body.h"

#include <algorithm>

#include "server/http/http_headers.h"

namespace server {
namespace {

// The value of a hexadecimal digit, or -1.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedBody::State ChunkedBody::take(std::string_view& input) {
  State state = State::more;
  while (state == State::more && !input.empty()) {
    if (part_ == Part::data) {
      const std::size_t count = std::min(left_, input.size());
      body_.append(input.substr(0, count));
      input.remove_prefix(count);
      left_ -= count;
      if (left_ == 0) part_ = Part::data_end;
      continue;
    }
    state = take_byte(input.front());
    input.remove_prefix(1);
  }
  return state;
}

ChunkedBody::State ChunkedBody::take_byte(char c) {
  if (part_ == Part::trailer) return take_trailer_byte(c);
  if (part_ == Part::size) {
    const int digit = hex_digit(c);
    if (digit >= 0 && ++digits_ <= kMaxSizeDigits) {
      left_ = left_ * 16 + static_cast<std::size_t>(digit);
      return State::more;
    }
    if (c != '\r' || digits_ == 0) return State::malformed;
    half_end_ = true;
    part_ = Part::size_end;
    return State::more;
  }
  // Only the end of a line may come here.
  if (c != (half_end_ ? '\n' : '\r')) return State::malformed;
  half_end_ = !half_end_;
  if (half_end_) return State::more;
  if (part_ == Part::size_end) return end_of_size();
  part_ = Part::size;
  digits_ = 0;
  return State::more;
}

ChunkedBody::State ChunkedBody::end_of_size() {
  if (left_ > max_bytes_ - body_.size()) return State::too_large;
  part_ = left_ == 0 ? Part::trailer : Part::data;
  return State::more;
}

ChunkedBody::State ChunkedBody::take_trailer_byte(char c) {
  const bool after_cr = trailer_.ends_with('\r');
  if (after_cr != (c == '\n') || trailer_.size() == kMaxTrailerBytes) return State::malformed;
  trailer_ += c;
  if (trailer_ != "\r\n" && !trailer_.ends_with("\r\n\r\n")) return State::more;
  return trailer_problem(trailer_).empty() ? State::done : State::malformed;
}

}  // namespace server
