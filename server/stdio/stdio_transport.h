// MCP over standard input and output: one JSON message a line.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "server/mcp/dispatcher.h"
#include "server/platform/event.h"
#include "server/platform/streams.h"

namespace server {

inline constexpr std::size_t kMaxLine = 16UL << 20;  // bytes; longer messages are refused
// After the end of input, what runs may finish for a moment, then is cancelled.
inline constexpr std::chrono::milliseconds kDrainTime{400};
inline constexpr std::chrono::milliseconds kStopTime{500};

enum class StdioEnd {
  clean,          // end of input, no client or a signal; every handler has returned
  handler_stuck,  // a handler did not stop in time: the process must exit without destructors
};

// Serves one client until its input ends, nobody can read the output any more, `client_gone` says
// so or `stop` is set (null: never); returns within kDrainTime + kStopTime then, and sooner where
// nobody waits for replies. Messages are dispatched on the calling thread.
StdioEnd serve_stdio(
    Dispatcher& dispatcher, Input input, Output output, const Event* stop,
    const std::function<bool()>& client_gone = [] { return false; });

}  // namespace server
