#include "support/writer_process.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <array>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "core/platform/open_files.h"

#ifndef _WIN32
extern "C" char** environ;
#endif

namespace test {
namespace {

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

WriterResult result_of(int exit_code, const std::string& output) {
  WriterResult result;
  result.exit_code = exit_code;
  unsigned long long commits = 0, failures = 0;
  if (std::sscanf(output.c_str(), "%llu %llu", &commits, &failures) == 2) {
    result.commits = commits;
    result.failures = failures;
  }
  return result;
}

}  // namespace

std::string WriterProcess::as_told() const {
#ifdef _WIN32
  constexpr const char* kProgram = "test_writer.exe";
  const auto openers = core::other_openers_of(database_, core::system_files());
  if (openers.empty()) return "a program";
#else
  constexpr const char* kProgram = "test_writer";
#endif
  return std::string(kProgram) + " (process " + std::to_string(pid_) + ")";
}

WriterProcess::~WriterProcess() {
  if (pid_ > 0) kill();
}

#ifdef _WIN32

namespace {

constexpr UINT kKilled = 128 + 9;

HANDLE handle_of(const core::Descriptor& descriptor) {
  return reinterpret_cast<HANDLE>(descriptor.get());
}
core::Descriptor owned(HANDLE handle) {
  return core::Descriptor(reinterpret_cast<core::Descriptor::Handle>(handle));
}

// Our end, and the one that the process inherits.
std::array<core::Descriptor, 2> make_pipe(bool we_read) {
  HANDLE read_end = nullptr, write_end = nullptr;
  if (!::CreatePipe(&read_end, &write_end, nullptr, 0)) throw std::runtime_error("no pipe");
  HANDLE theirs = we_read ? write_end : read_end;
  ::SetHandleInformation(theirs, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  return {owned(we_read ? read_end : write_end), owned(theirs)};
}

}  // namespace

WriterProcess::WriterProcess(const fs::path& database, const WriterOptions& options)
    : database_(database) {
  auto [output, their_output] = make_pipe(/*we_read=*/true);
  auto [input, their_input] = make_pipe(/*we_read=*/false);
  std::wstring line = L"\"" + fs::path(BPD_TEST_WRITER).make_preferred().wstring() + L"\" \"" +
                      database.wstring() + L"\" " + fs::path(name_of(options.mode)).wstring() +
                      L" " + std::to_wstring(options.interval.count()) +
                      (options.checkpoints ? L" 1" : L" 0");
  STARTUPINFOW start{};
  start.cb = sizeof start;
  start.dwFlags = STARTF_USESTDHANDLES;
  start.hStdInput = handle_of(their_input);
  start.hStdOutput = handle_of(their_output);
  start.hStdError = ::GetStdHandle(STD_ERROR_HANDLE);
  PROCESS_INFORMATION info{};
  if (!::CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &start,
                        &info)) {
    throw std::runtime_error("cannot start " BPD_TEST_WRITER);
  }
  ::CloseHandle(info.hThread);
  process_ = owned(info.hProcess);
  pid_ = static_cast<int>(info.dwProcessId);
  output_ = std::move(output);
  input_ = std::move(input);
  their_output.close();
  char ready = 0;
  DWORD got = 0;
  if (!::ReadFile(handle_of(output_), &ready, 1, &got, nullptr) || got != 1 || ready != '+') {
    kill();
    throw std::runtime_error("the writer did not start on " + database.string());
  }
}

WriterResult WriterProcess::stop() {
  input_.close();
  return wait();
}

WriterResult WriterProcess::kill() {
  ::TerminateProcess(handle_of(process_), kKilled);
  return wait();
}

WriterResult WriterProcess::wait() {
  std::string output;
  std::array<char, 256> buffer;
  DWORD got = 0;
  while (::ReadFile(handle_of(output_), buffer.data(), buffer.size(), &got, nullptr) && got > 0) {
    output.append(buffer.data(), got);
  }
  ::WaitForSingleObject(handle_of(process_), INFINITE);
  DWORD exit_code = 0;
  ::GetExitCodeProcess(handle_of(process_), &exit_code);
  pid_ = -1;
  return result_of(static_cast<int>(exit_code), output);
}

#else

namespace {

constexpr int kStartTimeoutMs = 10'000;

}  // namespace

WriterProcess::WriterProcess(const fs::path& database, const WriterOptions& options)
    : database_(database) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  output_ = core::Descriptor(pipe_ends[0]);
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

  pollfd waiting{output_.get(), POLLIN, 0};
  char ready = 0;
  if (::poll(&waiting, 1, kStartTimeoutMs) != 1 || ::read(output_.get(), &ready, 1) != 1 ||
      ready != '+') {
    kill();
    throw std::runtime_error("the writer did not start on " + database.string());
  }
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
  while ((got = ::read(output_.get(), buffer.data(), buffer.size())) > 0) {
    output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  output_.close();
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return result_of(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), output);
}

#endif

}  // namespace test
