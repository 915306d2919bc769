// One request, one reading: what two readers could take for two requests is refused.
#ifndef _WIN32
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

#include <ctime>
#include <deque>
#include <thread>

#include "server/http/http_body.h"
#include "support/catch.h"
#include "tests/server/support/http_fixture.h"

namespace {

using namespace server;
using namespace std::chrono_literals;
using test::RawHttp;
using test::RawReply;

const std::string kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
    R"("capabilities":{},"clientInfo":{"name":"t","version":"1"}}})";
const std::string kType = "Content-Type: application/json\r\n";
const std::string kHead = "POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + kType;

std::string length_of(const std::string& body) {
  return "Content-Length: " + std::to_string(body.size()) + "\r\n";
}

class RequestFixture : public test::HttpFixture {
 public:
  using HttpFixture::HttpFixture;

  // The answer to these bytes, which must be the only one, and whether the connection stays.
  RawReply only_reply(const std::string& bytes) const {
    RawHttp client(port());
    client.send(bytes);
    RawReply reply = client.read_reply();
    CHECK(client.closed_by_server());
    CHECK(client.read_reply().status == 0);
    return reply;
  }
  int status_of(const std::string& bytes) const { return exchange(bytes).status; }
};

std::string chunked(const std::string& chunks) {
  return kHead + "Transfer-Encoding: chunked\r\n\r\n" + chunks;
}

std::string in_hex(std::size_t number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number > 0);
  return digits;
}

std::string chunk(const std::string& data) {
  return in_hex(data.size()) + "\r\n" + data + "\r\n";
}

}  // namespace

TEST_CASE("A head that two readers could read in two ways is refused, and nothing behind it") {
  const RequestFixture fixture;
  // What a second reader might take for a request of its own.
  const std::string hidden = kHead + length_of(kInitialize) + "\r\n" + kInitialize;
  const std::string rest = kType + length_of(kInitialize);
  for (const std::string& head : std::vector<std::string>{
           "POST /mcp HTTP/1.1\r\nHost: localhost\n" + rest,      // a lone LF
           "POST /mcp HTTP/1.1\nHost: localhost\r\n" + rest,      // after the request line
           "POST /mcp HTTP/1.1\r\nHost: localhost\r\n\n" + rest,  // as the blank line
           kHead + "X: a\n\n" + length_of(kInitialize),           // two of them
           kHead + "X: a\rContent-Length: 1\r\n" + rest,          // a lone CR
           kHead + std::string("X: a\0b\r\n", 8) + rest,          // NUL
           kHead + "X: a\r\n b\r\n" + rest,                       // a folded line
           kHead + "Content-Length : 1\r\n" + rest,               // a space before the colon
           kHead + "Content\x80-Length: 1\r\n" + rest,            // an odd byte in a name
           kHead + "Content-Length: 1\r\n" + rest,                // twice
           kHead + "Content-Length: 1, 1\r\n",                    // a list
           kHead + "Content-Length: +1\r\n",                      // a sign
           kHead + "Content-Length: 0x1\r\n",                     // another base
           kHead + "Host: other\r\n" + rest,                      // two hosts
           kHead + "Transfer-Encoding: chunked\r\n" + rest,       // both framings
           kHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "POST /mcp HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n",
           "POST http://other/mcp HTTP/1.1\r\nHost: localhost\r\n" + rest,
           "POST  /mcp HTTP/1.1\r\nHost: localhost\r\n" + rest,   // two spaces
           "POST /mcp\tHTTP/1.1\r\nHost: localhost\r\n" + rest,   // a tab
           "POST /mcp HTTP/1.1 \r\nHost: localhost\r\n" + rest,   // a space at the end
           "POST /mcp#x HTTP/1.1\r\nHost: localhost\r\n" + rest,  // a fragment
           "POST /mcp\x80 HTTP/1.1\r\nHost: localhost\r\n" + rest,
           " POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + rest,
           "\r\nPOST /mcp HTTP/1.1\r\nHost: localhost\r\n" + rest,
           "POST /mcp HTTP/2.0\r\nHost: localhost\r\n" + rest,
           std::string("POST /mcp\n"),
       }) {
    CAPTURE(head);
    CHECK(fixture.only_reply(head + "\r\n" + hidden).status == 400);
  }
}

TEST_CASE("A coding of the body that is not known is refused, and nothing behind it") {
  const RequestFixture fixture;
  for (const char* coding :
       {"gzip", "chunked, gzip", "gzip, chunked", "\vchunked", "xchunked", ""}) {
    CAPTURE(coding);
    const int status = fixture
                           .only_reply(kHead + "Transfer-Encoding: " + coding + "\r\n\r\n" +
                                       chunk(kInitialize) + "0\r\n\r\n")
                           .status;
    CHECK((status == 501 || status == 400));
  }
}

TEST_CASE("A body in chunks is read as it is framed, and the next request after it") {
  const RequestFixture fixture;
  RawHttp client(fixture.port());
  const std::string whole =
      chunked(chunk(kInitialize.substr(0, 9)) + chunk(kInitialize.substr(9)) + "0\r\n\r\n");
  client.send(whole + whole);
  CHECK(client.read_reply().status == 200);
  CHECK(client.read_reply().status == 200);
  // However it comes in pieces.
  for (std::size_t i = 0; i < whole.size(); ++i) client.send(whole.substr(i, 1));
  CHECK(client.read_reply().status == 200);
}

TEST_CASE("Chunks that two readers could read in two ways are refused, and nothing behind them") {
  const RequestFixture fixture;
  const std::string size = in_hex(kInitialize.size());
  const std::string data = "\r\n" + kInitialize + "\r\n0\r\n\r\n";
  const std::string hidden = kHead + length_of(kInitialize) + "\r\n" + kInitialize;
  for (const std::string& chunks : std::vector<std::string>{
           size + ";x=1" + data,                         // an extension
           size + " " + data,                            // white space
           " " + size + data,                            //
           "+" + size + data,                            // a sign
           "-1\r\nx\r\n0\r\n\r\n",                       //
           "0x" + size + data,                           // another base
           "10000000000000" + size + data,               // more than a number holds
           std::string("000000000") + size + data,       //
           std::string("\r\n"),                          // no size
           size + "\n" + kInitialize + "\r\n0\r\n\r\n",  // a lone LF
           size + "\r\n" + kInitialize + "\n0\r\n\r\n",
           size + "\r\n" + kInitialize + "0\r\n\r\n",  // no end of the data
           size + "\r\n" + kInitialize + "xx\r\n0\r\n\r\n",
           chunk(kInitialize) + "0\r\nContent-Length: 5\r\n\r\n",  // a trailer field
           chunk(kInitialize) + "0\r\n\n",
       }) {
    CAPTURE(chunks);
    CHECK(fixture.only_reply(chunked(chunks) + hidden).status == 400);
  }
  CHECK(fixture.only_reply(chunked("fffffff\r\n" + hidden)).status == 413);
}

TEST_CASE("A chunked body ends where it ends, and no sooner") {
  ChunkedBody body(10);
  std::string_view input = "5\r\nhello\r\nA";
  CHECK(body.take(input) == ChunkedBody::State::more);
  CHECK(input.empty());
  input = "\r\n";
  CHECK(body.take(input) == ChunkedBody::State::too_large);
  ChunkedBody other(10);
  input = "5\r\nhello\r\n0\r\n\r\nGET";
  CHECK(other.take(input) == ChunkedBody::State::done);
  CHECK(input == "GET");
  CHECK(other.body() == "hello");
}

TEST_CASE("A client that waits for 100 Continue gets it, or the refusal in its place") {
  HttpOptions options;
  options.limits.max_body_bytes = 1000;
  const RequestFixture fixture(options);
  RawHttp client(fixture.port());
  client.send(kHead + "Expect: 100-continue\r\n" + length_of(kInitialize) + "\r\n");
  CHECK(client.read_head().status == 100);
  client.send(kInitialize);
  CHECK(client.read_reply().status == 200);
  CHECK(fixture.status_of(kHead + "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n") == 413);
  CHECK(fixture.status_of(kHead + "Expect: miracles\r\nContent-Length: 1\r\n\r\n") == 417);
}

TEST_CASE("A connection stays as long as its client wants it") {
  const RequestFixture fixture;
  const auto stays = [&](const std::string& version, const std::string& connection) {
    RawHttp client(fixture.port());
    client.send("POST /mcp " + version + "\r\nHost: localhost\r\n" + kType + connection +
                length_of(kInitialize) + "\r\n" + kInitialize);
    const RawReply reply = client.read_reply();
    CHECK(reply.status == 200);
    return reply.header("Connection") != "close";
  };
  CHECK(stays("HTTP/1.1", ""));
  CHECK_FALSE(stays("HTTP/1.1", "Connection: x, Close\r\n"));
  CHECK_FALSE(stays("HTTP/1.1", "Connection: x\r\nConnection: close\r\n"));
  CHECK_FALSE(stays("HTTP/1.0", ""));
  CHECK(stays("HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

#ifndef _WIN32
TEST_CASE("Without a descriptor for a connection the server turns it away and goes on") {
  const RequestFixture fixture;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const std::string request = kHead + length_of(kInitialize) + "\r\n" + kInitialize;
  {
    std::deque<RawHttp> held;
    held.emplace_back(fixture.port());
    held.back().send(request);
    CHECK(held.back().read_reply().status == 200);
    // Room for the client's end of one more connection, not for the server's.
    const int free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(free);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(free) + 1;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    {
      RawHttp late(fixture.port());
      CHECK(late.connected());
      CHECK(late.read_reply().status == 503);
    }
    const std::clock_t begun = std::clock();
    std::this_thread::sleep_for(500ms);
    CHECK(std::clock() - begun < CLOCKS_PER_SEC / 4);
    held.front().send(request);
    CHECK(held.front().read_reply().status == 200);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  }
  CHECK(fixture.status_of(request) == 200);
}
#endif
