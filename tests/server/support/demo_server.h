// A small server to test the protocol with, in this process: a tool for every way a call can go.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/mcp/dispatcher.h"
#include "support/fake_env.h"

namespace test {

// Tools: echo, count, greet (asks for a name), register (two rounds, state), sum (structured, no
// object), wait (until stopped), refuse (isError), crash (throws), summarize (sampling), job (a
// task where declared), big_job (a task always), touch (changes a resource).
server::ServerDefinition demo_definition();

// Keeps what the server sends on one channel; also a session's outlet.
class RecordingChannel final : public server::ReplyChannel, public server::SessionOutlet {
 public:
  void send(std::string_view text) override { add(text); }
  void reply(std::string_view text, int http_status) override;
  void abandon() override;

  std::vector<std::string> lines() const;
  // Waits until `count` lines came in all (or `limit` passed) and returns what there is.
  std::vector<std::string> wait_for(
      std::size_t count, std::chrono::milliseconds limit = std::chrono::seconds(10)) const;
  // The status of the last reply; 0 before.
  int http_status() const;
  int abandoned() const;

 private:
  void add(std::string_view text);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> lines_;
  int http_status_ = 0;
  int abandoned_ = 0;
};

// The demo server with one client on a pipe, as on stdio: everything comes on `client`.
class DemoServer {
 public:
  explicit DemoServer(server::DispatcherOptions options = {});

  // As one line of input.
  void send(const std::string& text);
  // Sends, and returns the next message that comes.
  server::Json ask(const std::string& text);
  // The message number `index` (from 0) that came; waits for it.
  server::Json message(std::size_t index);

  FakeClock clock;
  server::ServerDefinition definition = demo_definition();
  server::Dispatcher dispatcher;
  std::shared_ptr<RecordingChannel> client = std::make_shared<RecordingChannel>();
  std::shared_ptr<server::Session> session;
};

// A request of 2026-07-28 with these client capabilities (JSON text); `params` is the inside of an
// object, without braces, or empty.
std::string modern(const std::string& id, const std::string& method, const std::string& params = "",
                   const std::string& capabilities = "{}", const std::string& more_meta = "");
// A request of the handshake eras.
std::string legacy(const std::string& id, const std::string& method,
                   const std::string& params = "");
std::string initialize(const std::string& version = "2025-11-25",
                       const std::string& capabilities = "{}");

}  // namespace test
