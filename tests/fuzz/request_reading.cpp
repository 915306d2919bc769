#include "tests/fuzz/request_reading.h"

#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "server/http/http_connection.h"

namespace fuzz {
namespace {

// The end to read from. Packets, so that the reader gets the pieces as they were cut; they are all
// there, so that it never waits.
server::SocketDescriptor sent(std::string_view bytes, std::size_t pieces, core::Descriptor& peer) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) != 0) std::abort();
  server::SocketDescriptor reader(ends[0]);
  peer = core::Descriptor(ends[1]);
  std::size_t next = bytes.size();  // a little of chance, the same for the same bytes
  for (; !bytes.empty(); --pieces) {
    next = next * 2'654'435'761U + static_cast<unsigned char>(bytes.front());
    const std::size_t count = pieces > 1 ? 1 + (next >> 7U) % bytes.size() : bytes.size();
    if (::send(peer.get(), bytes.data(), count, MSG_NOSIGNAL) != static_cast<ssize_t>(count)) {
      std::abort();
    }
    bytes.remove_prefix(count);
  }
  ::shutdown(peer.get(), SHUT_WR);
  return reader;
}

// Reads the next request as Listener::answer does; nothing: it does not come to its end.
std::optional<RequestReading> read_request(server::HttpConnection& connection,
                                           const server::HttpLimits& limits) {
  RequestReading reading;
  if (!connection.read_head()) return std::nullopt;
  if (const auto& fault = connection.fault()) {
    reading.refused = fault->status;
    reading.why = fault->why;
    return reading;
  }
  reading.head = connection.head();
  if (reading.head.method != "POST") {
    if (has_body(reading.head.headers)) connection.close_after();
    return reading;
  }
  const auto framing = server::body_framing(reading.head.headers, limits.max_body_bytes);
  auto body = framing ? connection.read_body(*framing) : tl::unexpected(framing.error());
  if (body) {
    reading.body = std::move(*body);
    return reading;
  }
  if (body.error().why == "The body ended early") return std::nullopt;
  connection.close_after();
  reading.refused = body.error().status;
  reading.why = body.error().why;
  return reading;
}

}  // namespace

std::vector<RequestReading> read_requests(std::string_view bytes, std::size_t pieces) {
  const server::HttpLimits limits;
  const std::atomic<bool> cut{false};
  core::Descriptor peer;
  server::HttpConnection connection(server::Socket(sent(bytes, pieces, peer)), limits, cut);
  std::vector<RequestReading> readings;
  while (connection.await_request([] { return false; })) {
    auto reading = read_request(connection, limits);
    if (!reading) break;
    const bool last = reading->refused != 0 || !reading->head.keep_alive || connection.closes();
    readings.push_back(std::move(*reading));
    if (last) break;
  }
  return readings;
}

}  // namespace fuzz
