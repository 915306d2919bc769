// Asks a program on this machine by TCP, for programs that are asked in no other way.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "core/base/error.h"

namespace core {

// Sends `request` to 127.0.0.1:port and hands on what comes, piece by piece, until the other side
// closes; an error of `take` ends it. Thread-safe. Errors: io where there is no connection or it
// broke, timed_out where nothing moved for `silence`, cancelled.
Expected<> ask_on_loopback(std::uint16_t port, std::string_view request,
                           std::chrono::milliseconds silence,
                           const std::function<Expected<>(std::string_view piece)>& take,
                           std::stop_token stop);

}  // namespace core
