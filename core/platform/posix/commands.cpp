// Runs other programs without a shell, on Linux and macOS.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <thread>

#include "core/base/env.h"
#include "core/platform/descriptor.h"

extern "C" char** environ;

namespace core {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a running program is looked at for its end, a passed deadline or a stop.
constexpr milliseconds kTick{10};
// What a program gets between the request to end and the kill.
constexpr milliseconds kGrace{500};
constexpr int kMaxSpawns = 4;
constexpr milliseconds kSpawnPause{100};

using OpenFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

struct Pipe {
  Descriptor read_end, write_end;
};

Expected<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return fail(error_from_errno(errno, "cannot make a pipe"));
  const Descriptor first(ends[0]), second(ends[1]);
  // Above 2, so that putting them in place of the standard streams never meets itself.
  Pipe pipe{Descriptor(::fcntl(first.get(), F_DUPFD_CLOEXEC, 3)),
            Descriptor(::fcntl(second.get(), F_DUPFD_CLOEXEC, 3))};
  if (!pipe.read_end || !pipe.write_end) return fail(error_from_errno(errno, "cannot make a pipe"));
  return pipe;
}

Expected<Pipe> make_output_pipe() {
  BPD_TRY_AS(pipe, make_pipe());
  ::fcntl(pipe->read_end.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

// One of the program's output streams, kept up to a bound.
struct Stream {
  Descriptor from;
  std::string* text;
  std::size_t max_bytes;
  std::function<void(std::string_view)> tell{};
  int failure = 0;  // errno: what was read is not all that was said

  // Takes what is there now; closes at the end of the stream, and on a failure.
  void drain() {
    std::array<char, 16 * 1024> buffer;
    while (from) {
      const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        if (got < 0) failure = errno;
        from.close();
        return;
      }
      const std::size_t room = max_bytes - std::min(max_bytes, text->size());
      text->append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
      if (tell) tell({buffer.data(), static_cast<std::size_t>(got)});
    }
  }
};

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    const bool dropped =
        !command.dropped_variables.empty() && name.starts_with(command.dropped_variables);
    if (!dropped && !command.extra_environment.contains(name)) result.emplace_back(text);
  }
  for (const auto& [name, value] : command.extra_environment) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// A file that already has no name, holding the program's input: unlike a pipe it cannot fill up
// or raise SIGPIPE when the program does not read it.
Expected<OpenFile> input_file(const std::string& input) {
  OpenFile file(input.empty() ? std::fopen("/dev/null", "r") : std::tmpfile(), &std::fclose);
  if (!file) {
    return fail(error_from_errno(
        errno, input.empty() ? "cannot open /dev/null" : "cannot prepare the program's input"));
  }
  ::fcntl(::fileno(file.get()), F_SETFD, FD_CLOEXEC);
  if (!input.empty() &&
      (std::fwrite(input.data(), 1, input.size(), file.get()) != input.size() ||
       std::fflush(file.get()) != 0 || std::fseek(file.get(), 0, SEEK_SET) != 0)) {
    return fail(error_from_errno(errno, "cannot prepare the program's input"));
  }
  return file;
}

Expected<pid_t> spawn(const Command& command, int input, int output, int error_output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error_output, STDERR_FILENO);

  // A process group of its own, so that its children end with it; no inherited signal settings.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGCHLD})
    sigaddset(&signals, signal);
  posix_spawnattr_setsigdefault(&attributes, &signals);

  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> environment = environment_of(command);
  pid_t pid = -1;
  int rc = EAGAIN;  // at a limit on processes: another one may be about to end
  for (int attempt = 1; rc == EAGAIN && attempt <= kMaxSpawns; ++attempt) {
    if (attempt > 1) std::this_thread::sleep_for(kSpawnPause);
    rc = posix_spawnp(&pid, arguments[0].c_str(), &actions, &attributes,
                      pointers_to(arguments).data(), pointers_to(environment).data());
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (rc == EAGAIN) {
    return fail(
        ErrorCode::io,
        "cannot start " + command.argv[0] + ": the system allows no further process.",
        "End some programs of this user, or raise the limit (ulimit -u, or the service's).");
  }
  if (rc != 0) return fail(error_from_errno(rc, "cannot start " + command.argv[0]));
  return pid;
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Waits up to `timeout` for output or the end of both streams.
void wait_for_output(std::array<Stream, 2>& streams, milliseconds timeout) {
  std::array<pollfd, 2> waiting{};
  nfds_t count = 0;
  for (Stream& stream : streams) {
    if (stream.from) waiting[count++] = {stream.from.get(), POLLIN, 0};
  }
  ::poll(waiting.data(), count, static_cast<int>(timeout.count()));
  for (Stream& stream : streams) stream.drain();
}

class SystemCommands final : public CommandRunner {
 public:
  Expected<CommandResult> run(const Command& command, std::stop_token stop) override {
    if (command.argv.empty() || command.argv[0].empty()) {
      return fail(ErrorCode::invalid_argument, "A command without a program cannot be run.");
    }
    Pipe held;
    if (command.holds_input) {
      BPD_TRY_AS(made, make_pipe());
      held = std::move(*made);
    }
    BPD_TRY_AS(input, input_file(command.input));
    BPD_TRY_AS(output, make_output_pipe());
    BPD_TRY_AS(error_output, make_output_pipe());
    const int input_end = command.holds_input ? held.read_end.get() : ::fileno(input->get());
    BPD_TRY_AS(pid,
               spawn(command, input_end, output->write_end.get(), error_output->write_end.get()));
    held.read_end.close();
    output->write_end.close();
    error_output->write_end.close();

    CommandResult result;
    std::array<Stream, 2> streams{
        Stream{std::move(output->read_end), &result.output, command.max_output_bytes},
        Stream{std::move(error_output->read_end), &result.error_output, command.max_output_bytes,
               command.on_error_output}};
    BPD_TRY(wait_for_end(*pid, command, streams, result, stop));
    return result;
  }

 private:
  static Expected<> wait_for_end(pid_t pid, const Command& command, std::array<Stream, 2>& streams,
                                 CommandResult& result, const std::stop_token& stop) {
    const auto deadline = steady_clock::now() + command.timeout;
    std::optional<steady_clock::time_point> asked_to_end;
    bool cancelled = false;
    int status = 0;
    milliseconds pause{1};
    while (true) {
      wait_for_output(streams, pause);
      // A program that left something running in the background keeps the streams open: its own
      // end is what counts.
      const pid_t ended = ::waitpid(pid, &status, WNOHANG);
      if (ended == pid) break;
      if (ended < 0 && errno != EINTR) {
        // As with SIGCHLD ignored: it has ended, and nobody knows how.
        return fail(error_from_errno(errno, "cannot learn how " + command.argv[0] + " ended"));
      }
      pause = std::min(pause * 2, kTick);
      const auto now = steady_clock::now();
      if (!asked_to_end && (stop.stop_requested() || now >= deadline)) {
        cancelled = stop.stop_requested();
        result.timed_out = !cancelled;
        asked_to_end = now;
        ::kill(-pid, SIGTERM);
      } else if (asked_to_end && now - *asked_to_end >= kGrace) {
        ::kill(-pid, SIGKILL);
      }
    }
    for (Stream& stream : streams) stream.drain();
    if (cancelled) {
      return fail(ErrorCode::cancelled, "The run of " + command.argv[0] + " was cancelled.");
    }
    for (const Stream& stream : streams) {
      if (stream.failure == 0) continue;
      return fail(
          error_from_errno(stream.failure, "cannot read what " + command.argv[0] + " prints"));
    }
    result.exit_code = exit_code_of(status);
    return {};
  }
};

}  // namespace

CommandRunner& system_commands() {
  static SystemCommands commands;
  return commands;
}

}  // namespace core
