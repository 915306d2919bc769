// Whether the network in use costs by what goes through it, as that of a phone does.
#pragma once

#include <chrono>
#include <stop_token>
#include <string_view>

#include "core/base/env.h"

namespace core {

// As NetworkManager on Linux, or Windows, says or guesses. False where nobody knows: macOS tells no
// command. Takes some 10 ms, on Windows half a second, and at most kAskNetworkTimeout.
bool network_is_metered(const Env& env, std::stop_token stop);
inline constexpr std::chrono::milliseconds kAskNetworkTimeout{5'000};

// What the two print. Pure.
bool says_metered(std::string_view answer);

}  // namespace core
