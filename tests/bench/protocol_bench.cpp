// Measures an MCP server from outside, ours or anybody's: start, memory, round trips on stdio,
// requests per second over HTTP. protocol.py runs it on two servers and prints them side by side.
//   protocol_bench start COUNT COMMAND…      median ms from spawn to the reply to initialize
//   protocol_bench ping COUNT COMMAND…       median µs of a ping on stdio
//   protocol_bench memory COMMAND…           resident KiB after tools/list
//   protocol_bench http PORT CLIENTS SECONDS ERA PATH   tools/list per second, all clients together
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/raw_http.h"

extern char** environ;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
    R"("capabilities":{},"clientInfo":{"name":"bench","version":"1"}}})";
constexpr std::string_view kInitialized =
    R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":2,"method":"ping"})";
constexpr std::string_view kList = R"({"jsonrpc":"2.0","id":2,"method":"tools/list"})";
constexpr std::string_view kModernList =
    R"({"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"_meta":{)"
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{}}}})";

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// A server on pipes.
class Child {
 public:
  explicit Child(const std::vector<char*>& command) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) fail("pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (::posix_spawnp(&pid_, command[0], &actions, nullptr, command.data(), environ) != 0) {
      fail(std::string("cannot start ") + command[0]);
    }
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
  }
  ~Child() {
    ::close(to_);
    ::close(from_);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void write(std::string_view line) const {
    const std::string bytes = std::string(line) + "\n";
    if (::write(to_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      fail("the server does not read");
    }
  }
  // The next line that answers a request; notifications are skipped.
  std::string read_reply() {
    for (;;) {
      const auto end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (line.find("\"id\"") != std::string::npos) return line;
        continue;
      }
      std::array<char, 1 << 16> bytes{};
      const auto got = ::read(from_, bytes.data(), bytes.size());
      if (got <= 0) fail("the server ended");
      buffer_.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }
  void greet() {
    write(kInitialize);
    read_reply();
    write(kInitialized);
  }
  long resident_kib() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
    }
    return 0;
  }

 private:
  pid_t pid_ = 0;
  int to_ = -1;
  int from_ = -1;
  std::string buffer_;
};

double elapsed(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

void start(int count, const std::vector<char*>& command) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    Child child(command);
    child.write(kInitialize);
    child.read_reply();
    times.push_back(elapsed(begin) * 1e3);
  }
  std::printf("%.2f\n", median(times));
}

void ping(int count, const std::vector<char*>& command) {
  constexpr int kWarmUp = 500;
  Child child(command);
  child.greet();
  std::vector<double> times;
  for (int i = 0; i < kWarmUp + count; ++i) {
    const auto begin = Clock::now();
    child.write(kPing);
    child.read_reply();
    if (i >= kWarmUp) times.push_back(elapsed(begin) * 1e6);
  }
  std::printf("%.1f\n", median(times));
}

void memory(const std::vector<char*>& command) {
  Child child(command);
  child.greet();
  child.write(kList);
  child.read_reply();
  std::printf("%ld\n", child.resident_kib());
}

std::string post(const std::string& path, const std::string& headers, std::string_view body) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
         "Accept: application/json, text/event-stream\r\n" +
         headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

void http(int port, int clients, int seconds, const std::string& era, const std::string& path) {
  const bool modern = era == "modern";
  std::atomic<long> served{0};
  std::atomic<bool> over{false};
  const auto client = [&] {
    std::string headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n";
    auto connection = std::make_unique<test::RawHttp>(port);
    if (!modern) {
      connection->send(post(path, {}, kInitialize));
      const auto reply = connection->read_reply();
      headers = "Mcp-Session-Id: " + reply.header("Mcp-Session-Id") +
                "\r\nMCP-Protocol-Version: 2025-11-25\r\n";
      connection->send(post(path, headers, kInitialized));
      if (connection->read_reply().status != 202) fail("no session");
    }
    const std::string request = post(path, headers, modern ? kModernList : kList);
    while (!over) {
      connection->send(request);
      const auto reply = connection->read_reply();
      if (reply.status != 200) fail("a request failed");
      if (reply.header("Connection") == "close") {  // it has served its number of requests
        connection = std::make_unique<test::RawHttp>(port);
      }
      ++served;
    }
  };
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) threads.emplace_back(client);
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  over = true;
  for (std::thread& thread : threads) thread.join();
  std::printf("%.0f\n", static_cast<double>(served) / elapsed(begin));
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::string what = argc > 1 ? argv[1] : "";
  const auto command = [&](int from) {
    return std::vector<char*>(argv + from, argv + argc + 1);  // with the null at its end
  };
  if (what == "start" && argc > 3) {
    start(std::atoi(argv[2]), command(3));
  } else if (what == "ping" && argc > 3) {
    ping(std::atoi(argv[2]), command(3));
  } else if (what == "memory" && argc > 2) {
    memory(command(2));
  } else if (what == "http" && argc == 7) {
    http(std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]), argv[5], argv[6]);
  } else {
    fail("usage: protocol_bench start|ping|memory|http …");
  }
  return 0;
}
