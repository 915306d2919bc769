// MCP over standard input and output.
#include "server/stdio/stdio_transport.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/log.h"

namespace server {
namespace {

constexpr std::size_t kReadChunk = 64UL * 1024;  // bytes
// What a client that has stopped reading may still cost once we are to end.
constexpr std::chrono::milliseconds kLastWrite{200};

// The one pipe to the client, shared by every call and the session.
class StdioChannel final : public ReplyChannel, public SessionOutlet {
 public:
  StdioChannel(Output output, WaitEnds ends) : output_(output), ends_(std::move(ends)) {}

  void send(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    write_line(text);
  }
  void send_or_drop(std::string_view text) override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    if (output_.has_room_for(text.size() + 1)) write_line(text);
  }
  void reply(std::string_view text, int) override { send(text); }
  // Whether a message could not be written. Never waits for one that is being written.
  bool gone() const { return gone_; }

 private:
  void write_line(std::string_view text) {
    if (gone_) return;
    line_.assign(text);
    line_ += '\n';
    gone_ = !output_.write(line_, ends_, kLastWrite);
  }

  Output output_;
  const WaitEnds ends_;
  std::mutex mutex_;
  std::atomic<bool> gone_{false};
  std::string line_;
};

// Cuts the input into lines.
class LineReader {
 public:
  LineReader(Input input, WaitEnds ends)
      : input_(input), ends_(std::move(ends)), chunk_(kReadChunk) {}

  // Calls `take` with each whole line of the next piece of input; false at its end or on stop.
  // Lines beyond kMaxLine are given as nothing but their first bytes to `too_long`.
  template <class Take, class TooLong>
  bool read_some(Take take, TooLong too_long) {
    const auto count = input_.read(chunk_.data(), chunk_.size(), ends_);
    if (!count) return false;
    if (*count == 0) {
      if (!line_.empty() && !skipping_) take(std::string_view(line_));
      return false;
    }
    std::string_view rest(chunk_.data(), *count);
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
      too_long(std::string_view(line_));
      line_.clear();
      line_.shrink_to_fit();
    }
    return true;
  }

 private:
  Input input_;
  const WaitEnds ends_;
  std::vector<char> chunk_;
  std::string line_;
  bool skipping_ = false;
};

bool blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

StdioEnd serve_stdio(Dispatcher& dispatcher, Input input, Output output, const Event* stop,
                     const std::function<bool()>& client_gone) {
  const auto channel = std::make_shared<StdioChannel>(output, WaitEnds{stop, client_gone});
  const auto session = dispatcher.make_session(channel);
  bool left_alone = false;  // nobody waits for replies
  LineReader reader(input, {stop, [&] {
                              left_alone = channel->gone() || output.reader_gone() || client_gone();
                              return left_alone;
                            }});
  const auto take = [&](std::string_view line) {
    if (blank(line)) return;
    auto message = parse_json(line);
    if (!message) return dispatcher.refuse(message.error(), line, *channel);
    dispatcher.receive({std::move(*message), channel, session, std::nullopt, "local"});
  };
  const auto too_long = [&](std::string_view beginning) {
    dispatcher.refuse(RpcError{rpc_code::kParseError, "Parse error: a message is at most 16 MiB."},
                      beginning, *channel);
  };
  while (reader.read_some(take, too_long)) {
  }
  const bool signalled = stop != nullptr && stop->is_set();
  if (left_alone) log_warning("The client is gone.");
  const bool drains = !signalled && !left_alone;
  const bool done =
      dispatcher.shutdown(kStopTime, drains ? kDrainTime : std::chrono::milliseconds(0));
  if (!done) log_warning("A call did not stop in time.");
  return done ? StdioEnd::clean : StdioEnd::handler_stuck;
}

}  // namespace server
