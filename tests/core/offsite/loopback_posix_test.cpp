// Asking a program on this machine: answers, silence, and nobody there.
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "core/offsite/loopback.h"
#include "core/platform/descriptor.h"
#include "support/catch.h"

using core::ErrorCode;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kLong{60'000};

struct Listener {
  core::Descriptor socket{::socket(AF_INET, SOCK_STREAM, 0)};
  std::uint16_t port = 0;

  Listener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket.get(), 1) == 0);
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }
  // One connection, from which so many bytes are read.
  core::Descriptor accept(std::size_t bytes) const {
    core::Descriptor connection(::accept(socket.get(), nullptr, nullptr));
    std::string asked(bytes, '\0');
    ::recv(connection.get(), asked.data(), asked.size(), MSG_WAITALL);
    return connection;
  }
};

core::Expected<std::string> ask(std::uint16_t port, milliseconds silence,
                                std::stop_token stop = {}) {
  std::string answer;
  const auto keep = [&](std::string_view piece) {
    answer += piece;
    return core::Expected<>();
  };
  BPD_TRY(core::ask_on_loopback(port, "hello", silence, keep, std::move(stop)));
  return answer;
}

}  // namespace

TEST_CASE("A program on this machine is asked, and heard to its end") {
  const Listener listener;
  const std::string said(300'000, 'x');
  const std::jthread program([&] {
    const core::Descriptor connection = listener.accept(5);
    for (std::size_t at = 0; at < said.size();) {
      const ssize_t sent = ::send(connection.get(), said.data() + at, said.size() - at, 0);
      if (sent <= 0) return;
      at += static_cast<std::size_t>(sent);
    }
  });
  const auto answer = ask(listener.port, kLong);
  REQUIRE(answer);
  CHECK(*answer == said);
}

TEST_CASE("Where nobody listens there is no connection") {
  std::uint16_t port = 0;
  {
    const Listener listener;
    port = listener.port;
  }
  const auto answer = ask(port, kLong);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::io);
}

TEST_CASE("A program that is silent is waited for no longer than was said, or until a stop") {
  const Listener listener;  // takes the connection, and never answers
  const auto late = ask(listener.port, milliseconds(100));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::timed_out);

  std::stop_source stop;
  stop.request_stop();
  const auto stopped = ask(listener.port, kLong, stop.get_token());
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::cancelled);
}
