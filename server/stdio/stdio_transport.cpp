// MCP over standard input and output.
#include "server/stdio/stdio_transport.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/log.h"

namespace server {
namespace {

constexpr std::size_t kReadChunk = 64UL * 1024;  // bytes
// A pipe that polls as writable takes this much without blocking.
constexpr std::size_t kWriteChunk = PIPE_BUF;
// What a client that has stopped reading may still cost once we are to end.
constexpr int kLastWriteMs = 200;

// The one pipe to the client, shared by every call and the session.
class StdioChannel final : public ReplyChannel, public SessionOutlet {
 public:
  StdioChannel(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {}

  void send(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    write_line(text);
  }
  void send_or_drop(std::string_view text) override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    pollfd out{fd_, POLLOUT, 0};
    if (text.size() < kWriteChunk && poll(&out, 1, 0) == 1) write_line(text);
  }
  void reply(std::string_view text, int) override { send(text); }

 private:
  void write_line(std::string_view text) {
    if (gone_) return;
    line_.assign(text);
    line_ += '\n';
    for (std::string_view rest = line_; !rest.empty() && !gone_;) {
      if (!wait_writable()) {
        gone_ = true;
        return;
      }
      const ssize_t written = write(fd_, rest.data(), std::min(rest.size(), kWriteChunk));
      if (written > 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR && errno != EAGAIN) {
        gone_ = true;
      }
    }
  }

  // False when the process is to end and the client does not read.
  bool wait_writable() const {
    std::array<pollfd, 2> both{pollfd{fd_, POLLOUT, 0}, pollfd{stop_fd_, POLLIN, 0}};
    while (true) {
      const int ready = poll(both.data(), both.size(), -1);
      if (ready < 0 && errno == EINTR) continue;
      if (both[0].revents != 0) return true;
      pollfd last{fd_, POLLOUT, 0};
      return poll(&last, 1, kLastWriteMs) == 1;
    }
  }

  const int fd_;
  const int stop_fd_;
  std::mutex mutex_;
  bool gone_ = false;
  std::string line_;
};

// Cuts the input into lines.
class LineReader {
 public:
  LineReader(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd), chunk_(kReadChunk) {}

  // Calls `take` with each whole line of the next piece of input; false at its end or on stop.
  // Lines beyond kMaxLine are given as nothing but their first bytes to `too_long`.
  template <class Take, class TooLong>
  bool read_some(Take take, TooLong too_long) {
    if (!wait_readable()) return false;
    const ssize_t count = read(fd_, chunk_.data(), chunk_.size());
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    if (count == 0) {
      if (!line_.empty() && !skipping_) take(std::string_view(line_));
      return false;
    }
    std::string_view rest(chunk_.data(), static_cast<std::size_t>(count));
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (skipping_) {
        skipping_ = false;
      } else if (line_.empty()) {
        take(rest.substr(0, end));
      } else {
        line_ += rest.substr(0, end);
        take(std::string_view(line_));
      }
      line_.clear();
      rest.remove_prefix(end + 1);
    }
    if (!skipping_) line_ += rest;
    if (line_.size() > kMaxLine) {
      skipping_ = true;
      line_.clear();
      line_.shrink_to_fit();
      too_long();
    }
    return true;
  }

 private:
  bool wait_readable() const {
    std::array<pollfd, 2> both{pollfd{fd_, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
    while (true) {
      const int ready = poll(both.data(), both.size(), -1);
      if (ready < 0 && errno == EINTR) continue;
      return ready > 0 && both[1].revents == 0;
    }
  }

  const int fd_;
  const int stop_fd_;
  std::vector<char> chunk_;
  std::string line_;
  bool skipping_ = false;
};

bool blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

StdioEnd serve_stdio(Dispatcher& dispatcher, int input_fd, int output_fd, int stop_fd) {
  const auto channel = std::make_shared<StdioChannel>(output_fd, stop_fd);
  const auto session = dispatcher.make_session(channel);
  LineReader reader(input_fd, stop_fd);
  const auto take = [&](std::string_view line) {
    if (blank(line)) return;
    auto message = parse_json(line);
    if (!message) return dispatcher.refuse(message.error(), *channel);
    dispatcher.receive({std::move(*message), channel, session, std::nullopt, "local"});
  };
  const auto too_long = [&] {
    dispatcher.refuse(RpcError{rpc_code::kParseError, "Parse error: a message is at most 16 MiB."},
                      *channel);
  };
  while (reader.read_some(take, too_long)) {
  }
  pollfd stop{stop_fd, POLLIN, 0};
  const bool signalled = stop_fd >= 0 && poll(&stop, 1, 0) == 1;
  const bool done =
      dispatcher.shutdown(kStopTime, signalled ? std::chrono::milliseconds(0) : kDrainTime);
  if (!done) log_warning("A call did not stop in time.");
  return done ? StdioEnd::clean : StdioEnd::handler_stuck;
}

}  // namespace server
