#include "core/offsite/rclone_says.h"

#include <array>

#include "core/base/lower_case.h"

namespace core {
namespace {

struct Sign {
  std::string_view text;  // in small letters
  RcloneFault fault;
};

// The first that is found decides: what is surest stands first. "directory not found" comes late,
// as several backends say so of a path while the reason is another one.
constexpr std::array kSigns = {
    Sign{"unknown flag", RcloneFault::usage},
    Sign{"unknown shorthand", RcloneFault::usage},
    Sign{"unknown command", RcloneFault::usage},
    Sign{"unknown hash", RcloneFault::usage},
    Sign{"hash type not supported", RcloneFault::usage},
    Sign{"unable to decrypt configuration", RcloneFault::encrypted_config},
    Sign{"couldn't decrypt configuration", RcloneFault::encrypted_config},
    Sign{"configuration is encrypted", RcloneFault::encrypted_config},
    Sign{"didn't find section in config file", RcloneFault::unknown_remote},
    Sign{"didn't find backend called", RcloneFault::unknown_remote},
    Sign{"failed to authenticate decrypted block", RcloneFault::unreadable},
    Sign{"not an encrypted file", RcloneFault::unreadable},
    Sign{"bad pkcs#7 padding", RcloneFault::unreadable},
    Sign{"file is truncated", RcloneFault::unreadable},
    Sign{"no space left", RcloneFault::full},
    Sign{"quota", RcloneFault::full},
    Sign{"insufficient storage", RcloneFault::full},
    Sign{"storagefull", RcloneFault::full},
    Sign{"disk full", RcloneFault::full},
    Sign{"connection refused", RcloneFault::unreachable},
    Sign{"no such host", RcloneFault::unreachable},
    Sign{"network is unreachable", RcloneFault::unreachable},
    Sign{"no route to host", RcloneFault::unreachable},
    Sign{"network is down", RcloneFault::unreachable},
    Sign{"temporary failure in name resolution", RcloneFault::unreachable},
    Sign{"server misbehaving", RcloneFault::unreachable},
    Sign{"i/o timeout", RcloneFault::slow},
    Sign{"deadline exceeded", RcloneFault::slow},
    Sign{"timeout awaiting", RcloneFault::slow},
    Sign{"unable to authenticate", RcloneFault::login},
    Sign{"unauthorized", RcloneFault::login},
    Sign{"401 ", RcloneFault::login},
    Sign{"invalid_grant", RcloneFault::login},
    Sign{"token expired", RcloneFault::login},
    Sign{"couldn't fetch token", RcloneFault::login},
    Sign{"empty token found", RcloneFault::login},
    Sign{"invalidaccesskeyid", RcloneFault::login},
    Sign{"signaturedoesnotmatch", RcloneFault::login},
    Sign{"530 ", RcloneFault::login},
    Sign{"connection reset", RcloneFault::unreachable},
    Sign{"broken pipe", RcloneFault::unreachable},
    Sign{"connection lost", RcloneFault::unreachable},
    Sign{"handshake", RcloneFault::unreachable},
    Sign{"eof", RcloneFault::unreachable},
    Sign{"accessdenied", RcloneFault::refused},
    Sign{"access denied", RcloneFault::refused},
    Sign{"permission denied", RcloneFault::refused},
    Sign{"forbidden", RcloneFault::refused},
    Sign{"method not allowed", RcloneFault::refused},
    Sign{"403 ", RcloneFault::refused},
    Sign{"read only", RcloneFault::refused},
    Sign{"read-only", RcloneFault::refused},
    Sign{"directory not found", RcloneFault::missing},
    Sign{"object not found", RcloneFault::missing},
    Sign{"is a directory or doesn't exist", RcloneFault::missing},
    Sign{"no such file", RcloneFault::missing},
};

struct Meaning {
  RcloneFault fault;
  ErrorCode code;
  std::string_view why, hint;
};

constexpr std::string_view kAskRclone =
    "Try `rclone lsf` with this place: it says more than is told here.";
constexpr std::array kMeanings = {
    Meaning{RcloneFault::other, ErrorCode::io, "rclone failed", kAskRclone},
    Meaning{RcloneFault::missing, ErrorCode::not_found, "it is not there", kAskRclone},
    Meaning{RcloneFault::unknown_remote, ErrorCode::not_found,
            "rclone's settings have no such remote",
            "`rclone listremotes` names those that there are; `rclone config` makes one."},
    Meaning{RcloneFault::encrypted_config, ErrorCode::unsupported,
            "rclone's settings are locked by a password, which a schedule cannot give",
            "Take the password away (`rclone config`, s, u), or keep these remotes in a file of "
            "their own that only you may read, and name it by RCLONE_CONFIG."},
    Meaning{RcloneFault::login, ErrorCode::permission_denied, "the login was refused",
            "Renew it: `rclone config reconnect` for a provider with a browser login, else `rclone "
            "config`."},
    Meaning{RcloneFault::unreadable, ErrorCode::damaged,
            "what lies there cannot be decrypted: it is damaged, or of another password",
            "Compare the password of the crypt remote with the recovery sheet."},
    Meaning{RcloneFault::unreachable, ErrorCode::io, "there is no connection",
            "Look at the network, and at the server or provider."},
    Meaning{RcloneFault::slow, ErrorCode::timed_out, "it did not answer in time",
            "Look at the network, and at the server or provider."},
    Meaning{RcloneFault::full, ErrorCode::no_space, "there is no room",
            "Free some there, or keep fewer copies."},
    Meaning{RcloneFault::refused, ErrorCode::permission_denied, "the server does not allow it",
            "Give this login the right to do so, or take another remote."},
    Meaning{RcloneFault::usage, ErrorCode::unsupported, "this rclone is too old for that",
            "Install a newer one: https://rclone.org/install/"},
};

}  // namespace

RcloneFault fault_of(std::string_view said) {
  const std::string text = lower_case(said);
  for (const Sign& sign : kSigns) {
    if (text.find(sign.text) != std::string::npos) return sign.fault;
  }
  return RcloneFault::other;
}

Error error_of(RcloneFault fault, const std::string& what) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.fault != fault) continue;
    return {meaning.code, what + ": " + std::string(meaning.why) + ".", std::string(meaning.hint)};
  }
  return {ErrorCode::internal, what + ".", ""};
}

bool may_pass(const Error& error) {
  return error.code == ErrorCode::io || error.code == ErrorCode::timed_out ||
         error.code == ErrorCode::no_space || error.code == ErrorCode::busy ||
         error.code == ErrorCode::cancelled;
}

}  // namespace core
