// What rclone's messages mean. Its exit codes tell little and differ between versions, and what it
// prints may bear addresses with secrets: so its text becomes one of our kinds, and goes no
// further. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace core {

enum class RcloneFault {
  other,
  missing,           // no such file or folder there
  unknown_remote,    // not in its settings
  encrypted_config,  // its settings are locked by a password
  login,             // refused, or a token that has expired
  unreadable,        // what lies there cannot be decrypted
  unreachable,       // no network, no server, or one that breaks off
  slow,              // a time limit passed
  full,              // no room there, or here for what is fetched
  refused,           // the server allows this to nobody: a bucket without the right to delete
  usage,             // this version knows no such command or flag
};

// By the text of standard error, its lines in any form that rclone has.
RcloneFault fault_of(std::string_view said);

// An error in words of ours. `what` says what could not be done, "cannot send x.db to backup:a".
// Codes: io for unreachable and other, timed_out, no_space, permission_denied for login and
// refused, damaged for unreadable, not_found for missing and unknown_remote, unsupported for the
// rest.
Error error_of(RcloneFault fault, const std::string& what);

// Whether the network or its other end may simply be away: worth waiting, no alarm yet.
bool may_pass(const Error& error);

}  // namespace core
