#include "core/offsite/loopback.h"

#include <algorithm>
#include <array>

#include "core/platform/loopback_socket.h"

namespace core {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{50};  // how often a wait looks whether it is to stop

Expected<> wait_until_ready(const LoopbackSocket& socket, bool for_reading, milliseconds silence,
                            const std::stop_token& stop) {
  const auto deadline = steady_clock::now() + silence;
  while (!socket.wait(for_reading, kTick)) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "Stopped.");
    if (steady_clock::now() >= deadline) {
      return fail(ErrorCode::timed_out, "A program on this machine does not answer.");
    }
  }
  return {};
}

tl::unexpected<Error> broken() {
  return fail(ErrorCode::io, "The connection to a program on this machine broke.");
}

}  // namespace

Expected<> ask_on_loopback(std::uint16_t port, std::string_view request, milliseconds silence,
                           const std::function<Expected<>(std::string_view)>& take,
                           std::stop_token stop) {
  const LoopbackSocket socket = LoopbackSocket::connect(port);
  if (!socket) return broken();
  while (!request.empty()) {
    BPD_TRY(wait_until_ready(socket, /*for_reading=*/false, silence, stop));
    const auto sent = socket.send(request);
    if (!sent) return broken();
    request.remove_prefix(*sent);
  }
  std::array<char, 64 * 1024> buffer;
  while (true) {
    BPD_TRY(wait_until_ready(socket, /*for_reading=*/true, silence, stop));
    const auto got = socket.receive(buffer.data(), buffer.size());
    if (!got) return broken();
    if (*got == 0) return {};
    BPD_TRY(take({buffer.data(), *got}));
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "Stopped.");
  }
}

}  // namespace core
