#include "support/writer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <vector>

extern "C" char** environ;

namespace test {
namespace {

constexpr int kStartTimeoutMs = 10'000;

const char* name_of(WriterOptions::Mode mode) {
  switch (mode) {
    case WriterOptions::Mode::commit:
      return "commit";
    case WriterOptions::Mode::idle:
      return "idle";
    case WriterOptions::Mode::hold_read:
      return "hold_read";
    case WriterOptions::Mode::hold_write:
      return "hold_write";
    case WriterOptions::Mode::hold_exclusive:
      return "hold_exclusive";
  }
  return "";
}

}  // namespace

WriterProcess::WriterProcess(const fs::path& database, const WriterOptions& options) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  output_ = pipe_ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  std::vector<std::string> words = {BPD_TEST_WRITER, database.string(), name_of(options.mode),
                                    std::to_string(options.interval.count()),
                                    options.checkpoints ? "1" : "0"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int rc = posix_spawn(&pid_, BPD_TEST_WRITER, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  if (rc != 0) throw std::runtime_error("cannot start " BPD_TEST_WRITER);

  pollfd waiting{output_, POLLIN, 0};
  char ready = 0;
  if (::poll(&waiting, 1, kStartTimeoutMs) != 1 || ::read(output_, &ready, 1) != 1 ||
      ready != '+') {
    kill();
    throw std::runtime_error("the writer did not start on " + database.string());
  }
}

WriterProcess::~WriterProcess() {
  if (pid_ > 0) kill();
}

WriterResult WriterProcess::stop() {
  ::kill(pid_, SIGTERM);
  return wait();
}

WriterResult WriterProcess::kill() {
  ::kill(pid_, SIGKILL);
  return wait();
}

WriterResult WriterProcess::wait() {
  std::string output;
  std::array<char, 256> buffer;
  ssize_t got = 0;
  while ((got = ::read(output_, buffer.data(), buffer.size())) > 0) {
    output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(output_);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  WriterResult result;
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  unsigned long long commits = 0, failures = 0;
  if (std::sscanf(output.c_str(), "%llu %llu", &commits, &failures) == 2) {
    result.commits = commits;
    result.failures = failures;
  }
  return result;
}

}  // namespace test
