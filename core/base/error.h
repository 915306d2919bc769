// The one error type of the program: what went wrong, with which object, and what to do next.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace core {

// Kinds a caller can act on. The names are part of the interface: they stand in tool results
// (`code: message`), in history.db and decide the exit code (server/base/exit_codes.h).
enum class ErrorCode {
  invalid_argument,    // a value that can never work: a label with a slash, a bad date
  not_found,           // a source, destination, snapshot or schedule that is not there
  not_a_database,      // a file that SQLite does not recognise, is empty, or is encrypted
  permission_denied,   // the system refused; the message names the path
  busy,                // another process holds what we need, past the deadline
  conflict,            // doing it would mix or overwrite what belongs to another source or run
  no_space,            // the destination's file system is, or would become, full
  damaged,             // a snapshot or database that failed a check
  needs_confirmation,  // allowed only with an explicit yes
  unsupported,         // this system or SQLite cannot do it
  cancelled,           // asked to stop; nothing was left behind
  timed_out,           // a deadline passed
  io,                  // the system failed to read or write
  internal,            // our bug
};

// "not_found", "busy", …: stable, for people and programs.
std::string_view to_string(ErrorCode code);
// The code of that name, as records of runs have it; internal for any other text.
ErrorCode error_code_of(std::string_view name);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // one sentence that names the object
  std::string hint;     // the next step; empty only where there is none
};

template <class T = void>
using Expected = tl::expected<T, Error>;

// Shorthand for `return fail(ErrorCode::not_found, "…", "…");` in a function of any Expected.
inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

// Ends the function around it with the error of an Expected, where that has one; its value, if any,
// is dropped:  BPD_TRY(files.rename(from, to));
#define BPD_TRY(...)                             \
  if (auto bpd_tried = __VA_ARGS__; bpd_tried) { \
  } else                                         \
    return ::core::fail(std::move(bpd_tried).error())

// The same where the value is wanted: `name` is an Expected that has one from here on.
//   BPD_TRY_AS(source, files.canonical(path));
//   use(*source);
#define BPD_TRY_AS(name, ...) \
  auto name = __VA_ARGS__;    \
  if (!name) return ::core::fail(std::move(name).error())

// The Error for a failed system call: maps errno (ENOENT, EACCES, ENOSPC, …) to a code, and says
// `what` (for example "cannot open /x/y") with the system's own words. Thread-safe.
Error error_from_errno(int error_number, std::string_view what);

// The Error for what was thrown and could be caught only at the end of everything: memory that ran
// out, or a fault of ours. `what` says what was given up. Code internal. Thread-safe.
Error error_from_exception(const std::exception& thrown, std::string_view what);

}  // namespace core
