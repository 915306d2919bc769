// Takes a chunked body apart, strictly: what another reader could read otherwise is refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace server {

// RFC 9112, section 7.1, without extensions, and with no more than kMaxSizeDigits digits of a size.
// Trailer fields, kMaxTrailerBytes of them at most, are passed over, unless one of them would steer
// the request in a head. Fed with the bytes as they come.
class ChunkedBody {
 public:
  static constexpr std::size_t kMaxSizeDigits = 8;
  static constexpr std::size_t kMaxTrailerBytes = 4096;

  explicit ChunkedBody(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  enum class State { more, done, malformed, too_large };
  // Takes bytes off the front of `input` up to the end of the body; those behind it stay.
  State take(std::string_view& input);
  // The body, once done.
  std::string& body() { return body_; }

 private:
  enum class Part { size, size_end, data, data_end, trailer };
  State take_byte(char c);
  State take_trailer_byte(char c);
  State end_of_size();

  const std::size_t max_bytes_;
  std::string body_;
  Part part_ = Part::size;
  std::size_t left_ = 0;    // bytes of the chunk that are still to come
  std::size_t digits_ = 0;  // of its size
  bool half_end_ = false;   // the CR of a line end has come
  std::string trailer_;     // with the blank line that ends it
};

}  // namespace server
