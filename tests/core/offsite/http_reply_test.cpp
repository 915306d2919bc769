// Answers over HTTP, in pieces of any length, whole and cut off.
#include "core/offsite/http_reply.h"

#include "support/catch.h"

using core::ErrorCode;
using core::HttpReply;

namespace {

constexpr std::string_view kWhole =
    "HTTP/1.0 200 OK\r\nDate: today\r\ncontent-LENGTH:  5\r\nX: y\r\n\r\nab\r\nc";

struct Heard {
  HttpReply reply;
  std::string body;
  core::Expected<> fed{};
};

Heard hear(std::string_view text, std::size_t piece) {
  Heard heard;
  for (std::size_t at = 0; at < text.size() && heard.fed; at += piece) {
    heard.fed = heard.reply.feed(text.substr(at, piece), [&](std::string_view part) {
      heard.body += part;
      return core::Expected<>();
    });
  }
  return heard;
}

}  // namespace

TEST_CASE("An answer is the same in pieces of any length") {
  for (std::size_t piece = 1; piece <= kWhole.size(); ++piece) {
    INFO(piece);
    const Heard heard = hear(kWhole, piece);
    REQUIRE(heard.fed);
    CHECK(heard.reply.status() == 200);
    CHECK(heard.body == "ab\r\nc");
    CHECK(heard.reply.finish());
  }
}

TEST_CASE("An answer that is cut off anywhere is none") {
  for (std::size_t length = 0; length < kWhole.size(); ++length) {
    INFO(length);
    const Heard heard = hear(kWhole.substr(0, length), 7);
    CHECK(heard.fed);
    CHECK_FALSE(heard.reply.finish());
  }
  CHECK_FALSE(hear(std::string(kWhole) + "d", 7).reply.finish());
}

TEST_CASE("Without a length the end of the connection ends an answer") {
  const Heard heard = hear("HTTP/1.1 404 Not Found\r\n\r\nwhat", 3);
  CHECK(heard.reply.status() == 404);
  CHECK(heard.body == "what");
  CHECK(heard.reply.finish());
}

TEST_CASE("What is no answer of HTTP is refused") {
  for (const char* text : {"SSH-2.0-x\r\n\r\n", "HTTP/1.0 2x0 OK\r\n\r\n", "HTTP/1.0 20\r\n\r\n",
                           "HTTP/2 200\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: many\r\n\r\n",
                           "HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n"}) {
    INFO(text);
    const Heard heard = hear(text, 100);
    REQUIRE_FALSE(heard.fed);
    CHECK(heard.fed.error().code == ErrorCode::io);
  }
  const Heard endless = hear(std::string(core::kMaxReplyHeadBytes + 1, 'x'), 1000);
  CHECK_FALSE(endless.fed);
}

TEST_CASE("An error of whoever takes the body ends an answer") {
  HttpReply reply;
  const auto refuse = [](std::string_view) -> core::Expected<> {
    return core::fail(ErrorCode::invalid_argument, "no");
  };
  const auto fed = reply.feed(kWhole, refuse);
  REQUIRE_FALSE(fed);
  CHECK(fed.error().code == ErrorCode::invalid_argument);
}
