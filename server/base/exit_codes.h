// What a program's end tells the shell.
#pragma once

#include <array>
#include <utility>

#include "core/base/error.h"

namespace server {

inline constexpr int kExitDone = 0;
inline constexpr int kExitUsage = 2;

// One exit code for each kind of failure; README lists them.
inline constexpr std::array<std::pair<core::ErrorCode, int>, 14> kExitCodes = {{
    {core::ErrorCode::invalid_argument, kExitUsage},
    {core::ErrorCode::not_found, 3},
    {core::ErrorCode::not_a_database, 4},
    {core::ErrorCode::permission_denied, 5},
    {core::ErrorCode::busy, 6},
    {core::ErrorCode::conflict, 7},
    {core::ErrorCode::no_space, 8},
    {core::ErrorCode::damaged, 9},
    {core::ErrorCode::needs_confirmation, 10},
    {core::ErrorCode::unsupported, 11},
    {core::ErrorCode::cancelled, 12},
    {core::ErrorCode::timed_out, 13},
    {core::ErrorCode::io, 14},
    {core::ErrorCode::internal, 15},
}};
int exit_code(core::ErrorCode code);

}  // namespace server
