// The stdio transport over real pipes: framing, ends, and clients that do not behave.
#include "server/stdio/stdio_transport.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "core/base/json.h"
#include "support/catch.h"
#include "support/pipe.h"
#include "tests/server/support/demo_server.h"

using server::Json;
using test::legacy;
using namespace std::chrono_literals;

namespace {

// The demo server behind pipes, in a thread.
class Piped {
 public:
  Piped()
      : dispatcher_(definition_, clock_, {}), thread_([this] {
          end_ = server::serve_stdio(dispatcher_, server::Input(in_.read_end.get()),
                                     server::Output(out_.write_end.get()), &stop_,
                                     [this] { return client_gone.load(); });
          out_.write_end.close();
        }) {}
  ~Piped() {
    in_.write_end.close();
    if (thread_.joinable()) thread_.join();
  }

  void write(const std::string& text) { REQUIRE(in_.write(text)); }
  // The next line, without its end; empty at the end of output or after ten seconds.
  std::string read_line() {
    while (buffer_.find('\n') == std::string::npos) {
      const std::string piece = out_.read(10s);
      if (piece.empty()) return {};
      buffer_ += piece;
    }
    const std::size_t end = buffer_.find('\n');
    const std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }
  void end_input() { in_.write_end.close(); }
  void stop_reading() { out_.read_end.close(); }
  std::atomic<bool> client_gone{false};
  void signal() { stop_.set(); }
  server::StdioEnd join() {
    thread_.join();
    return end_;
  }

 private:
  test::FakeClock clock_;
  server::ServerDefinition definition_ = test::demo_definition();
  test::Pipe in_, out_;
  server::Event stop_ = *server::Event::make();
  server::Dispatcher dispatcher_;
  server::StdioEnd end_ = server::StdioEnd::handler_stuck;
  std::string buffer_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("Messages are lines, however the bytes arrive") {
  Piped piped;
  const std::string text =
      legacy("1", "ping") + "\r\n\n  \n" + legacy("2", "ping") + "\n" + legacy("3", "ping") + "\n";
  for (const char c : text) piped.write(std::string(1, c));
  for (int id = 1; id <= 3; ++id) CHECK(core::json_of(piped.read_line()).at("id") == id);
}

TEST_CASE("A last line without its end is still a message") {
  Piped piped;
  piped.write(legacy("1", "ping"));
  piped.end_input();
  CHECK(core::json_of(piped.read_line()).at("id") == 1);
  CHECK(piped.join() == server::StdioEnd::clean);
}

TEST_CASE("What is no JSON is answered and the next line is served") {
  Piped piped;
  piped.write("{nonsense\n" + legacy("2", "ping") + "\n");
  const Json error = core::json_of(piped.read_line());
  CHECK(error.at("error").at("code") == -32700);
  CHECK_FALSE(error.contains("id"));
  CHECK(core::json_of(piped.read_line()).at("id") == 2);
}

TEST_CASE("A line beyond the bound is refused without being kept") {
  Piped piped;
  piped.write(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"a":")");
  const std::string piece(1 << 20, 'x');
  for (std::size_t sent = 0; sent <= server::kMaxLine + piece.size(); sent += piece.size()) {
    piped.write(piece);
  }
  const Json refusal = core::json_of(piped.read_line());
  CHECK(refusal.at("error").at("code") == -32700);
  CHECK(refusal.at("id") == 1);
  piped.write("\"}}\n" + legacy("2", "ping") + "\n");
  CHECK(core::json_of(piped.read_line()).at("id") == 2);
}

TEST_CASE("At the end of input quick calls finish and slow ones are stopped within a second") {
  Piped piped;
  piped.write(legacy("1", "tools/call", R"("name":"wait")") + "\n" +
              legacy("2", "tools/call", R"("name":"count","arguments":{"to":3})") + "\n");
  const auto start = std::chrono::steady_clock::now();
  piped.end_input();
  std::string replies;
  for (std::string line = piped.read_line(); !line.empty(); line = piped.read_line()) {
    replies += line + "\n";
  }
  CHECK(replies.find("counted to 3") != std::string::npos);
  CHECK(replies.find("stopped") != std::string::npos);
  CHECK(piped.join() == server::StdioEnd::clean);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("A signal ends the service at once, with calls stopped") {
  Piped piped;
  piped.write(legacy("1", "tools/call", R"("name":"wait")") + "\n" + legacy("2", "ping") + "\n");
  CHECK(core::json_of(piped.read_line()).at("id") == 2);
  piped.signal();
  CHECK(piped.read_line().find("stopped") != std::string::npos);
  CHECK(piped.join() == server::StdioEnd::clean);
}

TEST_CASE("When nobody reads the output any more, the service ends, and its calls are stopped") {
#ifndef _WIN32
  std::signal(SIGPIPE, SIG_IGN);
#endif
  Piped piped;
  piped.write(legacy("1", "tools/call", R"("name":"wait")") + "\n" + legacy("2", "ping") + "\n");
  CHECK(core::json_of(piped.read_line()).at("id") == 2);
  const auto start = std::chrono::steady_clock::now();
  piped.stop_reading();
  CHECK(piped.join() == server::StdioEnd::clean);
  CHECK(std::chrono::steady_clock::now() - start < 2s);
}

TEST_CASE("When the client is gone, the service ends, though others hold its pipes") {
  Piped piped;
  SECTION("while it waits for a message") {
    piped.write(legacy("1", "tools/call", R"("name":"wait")") + "\n" + legacy("2", "ping") + "\n");
    CHECK(core::json_of(piped.read_line()).at("id") == 2);
  }
  SECTION("while it waits for a reader") {
    std::string many;
    for (int i = 0; i < 200; ++i) many += legacy(std::to_string(i), "tools/list") + "\n";
    piped.write(many);
  }
  const auto start = std::chrono::steady_clock::now();
  piped.client_gone = true;
  CHECK(piped.join() == server::StdioEnd::clean);
  CHECK(std::chrono::steady_clock::now() - start < 4s);
}

TEST_CASE("A client that never reads does not keep the process") {
  Piped piped;
  std::string many;
  for (int i = 0; i < 200; ++i) many += legacy(std::to_string(i), "tools/list") + "\n";
  piped.write(many);
  std::this_thread::sleep_for(50ms);
  piped.signal();
  CHECK(piped.join() == server::StdioEnd::clean);
}

TEST_CASE("A reply larger than a pipe arrives whole") {
  Piped piped;
  const std::string large(300'000, 'y');
  piped.write(legacy("1", "tools/call", R"("name":"echo","arguments":{"text":")" + large + "\"}") +
              "\n");
  const Json reply = core::json_of(piped.read_line());
  CHECK(reply.at("result").at("content").at(0).at("text") == large);
}
