#include "server/jsonrpc/glance.h"

#include <cctype>
#include <string>

namespace server {
namespace {

constexpr char kPatch = '\x7f';

bool is_half_of_a_pair(std::string_view digits) {
  return digits.size() >= 2 && (digits[0] == 'd' || digits[0] == 'D') && digits[1] != '\0' &&
         std::string_view("89abcdefABCDEF").find(digits[1]) != std::string_view::npos;
}

// What a parser stumbles over within strings is patched: bytes beyond ASCII, halves of pairs.
std::string patched(std::string_view text) {
  constexpr std::size_t kEscape = 6;  // bytes of \uXXXX
  std::string out(text);
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (static_cast<unsigned char>(out[at]) >= 0x80) {
      out[at] = kPatch;
    } else if (out[at] == '\\' && at + 1 < out.size()) {
      if (out[at + 1] == 'u' && at + kEscape <= out.size() &&
          is_half_of_a_pair(std::string_view(out).substr(at + 2, 4))) {
        out.replace(at, kEscape, kEscape, kPatch);
        at += kEscape - 1;
      } else {
        ++at;
      }
    }
  }
  return out;
}

// Hears the members of the outermost object; builds nothing.
class Listener final : public core::JsonListener {
 public:
  bool null() override { return value(nullptr); }
  bool boolean(bool given) override { return value(given); }
  bool number_integer(number_integer_t given) override { return value(given); }
  bool number_unsigned(number_unsigned_t given) override { return value(given); }
  bool number_float(number_float_t given, const string_t&) override { return value(given); }
  bool string(string_t& given) override {
    return depth_ > 1 || value(given.find(kPatch) == std::string::npos ? Json(given) : Json());
  }
  bool binary(binary_t&) override { return value(nullptr); }
  bool start_object(std::size_t) override { return start(); }
  bool start_array(std::size_t) override { return depth_ > 0 && start(); }
  bool end_object() override { return --depth_ >= 0; }
  bool end_array() override { return --depth_ >= 0; }
  bool key(string_t& name) override {
    if (depth_ == 1) key_ = name;
    return true;
  }

  Glance glance(bool whole) const {
    if (method_) return {ids_ == 1 ? id_ : std::nullopt, ids_ > 0 || !whole};
    return {std::nullopt, !outcome_};
  }

 private:
  bool start() {
    if (depth_ == 1) (void)value(nullptr);
    ++depth_;
    return true;
  }
  bool value(const Json& given) {
    if (depth_ != 1) return depth_ > 1;  // a lone value is no message
    if (key_ == "id") {
      ++ids_;
      id_ = request_id_from(given);
    }
    method_ = method_ || (key_ == "method" && given.is_string());
    outcome_ = outcome_ || key_ == "result" || key_ == "error";
    return true;
  }

  int depth_ = 0;
  std::string key_;
  int ids_ = 0;
  std::optional<RequestId> id_;
  bool method_ = false;
  bool outcome_ = false;
};

}  // namespace

Glance glance_at(std::string_view text) {
  const std::string readable = patched(text);
  Listener listener;
  const bool whole = core::read_events(readable, listener);
  return listener.glance(whole);
}

}  // namespace server
