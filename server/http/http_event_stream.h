// One stream of messages from the server to a client, between those that write it (tools,
// subscriptions) and the connection that carries it; and its form on the wire, Server-Sent Events.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace server {

// `data: …`, with `id:` and `retry:` lines where given, and as an event of the kind `message`,
// which some clients look for, unless there is no data. `data` must hold no newline; JSON does not.
std::string sse_event(std::string_view data, std::string_view id = {},
                      std::optional<std::chrono::milliseconds> retry = std::nullopt);
// A comment line: clients skip it, dead connections show by it.
std::string sse_comment();

struct StreamEvent {
  std::uint64_t number = 0;  // counts from 1 within the stream
  std::string json;
};

// Thread-safe. Many may push; at most one connection reads at a time.
class EventStream {
 public:
  static constexpr std::size_t kMaxHeldBytes = 1 << 20;
  static constexpr std::size_t kMaxHeldEvents = 1024;

  // `replayable`: events stay after they were read, up to the bounds, for a client that comes back
  // with Last-Event-ID.
  explicit EventStream(bool replayable) : replayable_(replayable) {}

  // Over the bounds a replayable stream forgets its oldest events; any other ends as overrun, as
  // its client does not keep up.
  void push(std::string json);
  // As push, but forgets this event when half the bounds is already waiting to be read.
  void push_or_drop(std::string json);
  // Nothing follows; the reader ends when it has read everything.
  void finish();
  // Ends the connection that reads now, without finishing the stream: the client is to come back.
  void release();

  enum class State {
    event,      // here is the next one
    idle,       // nothing came within the timeout
    released,   // this connection is to end, the stream goes on
    finished,   // read to the end
    overrun,    // too much was waiting
    displaced,  // another connection reads this stream now
  };
  struct Reading {
    State state = State::idle;
    StreamEvent event;
  };

  struct Place {
    std::uint64_t ticket = 0;  // for next()
    std::uint64_t after = 0;   // the event behind which it reads
  };
  // Becomes the stream's reader, behind event `after`, or behind what was read so far; whoever
  // read before is displaced.
  Place attach(std::optional<std::uint64_t> after = std::nullopt);
  // Waits until there is something to read, or an end to learn of; false after the timeout.
  bool wait(std::chrono::milliseconds timeout);
  // Waits for what comes next.
  Reading next(std::uint64_t ticket, std::chrono::milliseconds timeout);
  // Whether a connection reads; false after detach.
  bool attached() const;
  bool finished() const;
  // Whether nothing follows event `after` and nothing ever will.
  bool ends_at(std::uint64_t after) const;
  void detach(std::uint64_t ticket);

 private:
  void append(std::string json);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  const bool replayable_;
  std::deque<StreamEvent> events_;
  std::size_t held_bytes_ = 0;
  std::uint64_t last_number_ = 0;
  std::uint64_t read_up_to_ = 0;
  std::uint64_t ticket_ = 0;
  bool attached_ = false;
  bool released_ = false;
  bool finished_ = false;
  bool overrun_ = false;
};

}  // namespace server
