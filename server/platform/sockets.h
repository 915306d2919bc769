// TCP: a socket that listens, and the connections that it accepts.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/platform/descriptor.h"

namespace server {

// Sockets are closed in a way of their own on some systems.
class SocketDescriptor : public core::Descriptor {
 public:
  using Descriptor::Descriptor;
  ~SocketDescriptor() { close(); }
  SocketDescriptor(SocketDescriptor&&) = default;
  SocketDescriptor& operator=(SocketDescriptor&&) = default;
  void close();
};

// One accepted connection; closes itself. Used by one thread at a time.
class Socket {
 public:
  Socket() = default;  // no connection
  explicit Socket(SocketDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // Whether there is something to receive (bytes, the end, a failure), or room to send, before
  // `timeout` has passed.
  bool wait_readable(std::chrono::milliseconds timeout) const;
  bool wait_writable(std::chrono::milliseconds timeout) const;

  // These never wait. The bytes that were moved: 0 when there are none, or no room for any, for
  // now; nothing when the peer has closed its side or the connection is broken.
  std::optional<std::size_t> receive(char* to, std::size_t size);
  std::optional<std::size_t> send(std::string_view bytes);
  // As receive(), of one byte that stays to be received.
  std::optional<std::size_t> peek() const;

  // The peer sees the end of what is sent, and may still send.
  void end_sending();
  // Both ways, also for copies of the descriptor that a child process may have for a moment.
  void shut_down();

 private:
  SocketDescriptor descriptor_;
};

// Sends what can be sent without waiting, and closes.
void turn_away(Socket socket, std::string_view text);

// shut_down() may be called beside the others, which are for one thread.
class ListeningSocket {
 public:
  // Up to `backlog` connections wait to be accepted. Port 0: any free one. Nothing when the address
  // cannot be had.
  static std::optional<ListeningSocket> open(const std::string& host, int port, int backlog);

  int port() const { return port_; }

  enum class Outcome {
    accepted,
    none,      // before the timeout, or it has gone again
    shortage,  // one waits, and the system has no descriptor or memory for it
    broken     // no further one can be accepted
  };
  // Waits up to `timeout` for a connection; `accepted` is it.
  Outcome accept(Socket& accepted, std::chrono::milliseconds timeout);
  // In a shortage: accepts one with a descriptor that is kept back for this, and turns it away.
  void turn_one_away(std::string_view text);
  // Ends a wait in accept(), and nobody can connect any more.
  void shut_down();

 private:
  ListeningSocket(SocketDescriptor descriptor, int port);

  SocketDescriptor descriptor_;
  core::Descriptor beside_;  // what each system needs for accept() besides
  // Where only accept() itself can end a listening socket: that it is to.
  std::unique_ptr<std::atomic<bool>> ended_ = std::make_unique<std::atomic<bool>>(false);
  int port_ = 0;
};

}  // namespace server
