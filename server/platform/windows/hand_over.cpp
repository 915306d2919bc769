// A process cannot become another program here: that one runs as a child, and this one waits.
#include "server/platform/hand_over.h"

#include <cstdlib>
#include <string>

#include "server/platform/windows/waiting.h"

namespace server {
namespace {

// The child hears of Ctrl-C itself, and this process has nothing to do but to wait for it.
BOOL WINAPI leave_to_child(DWORD kind) {
  if (kind != CTRL_C_EVENT && kind != CTRL_BREAK_EVENT) ::Sleep(INFINITE);
  return TRUE;
}

// Whatever ends this process ends those in the job.
core::Descriptor job_of(HANDLE process) {
  core::Descriptor job = core::owned(::CreateJobObjectW(nullptr, nullptr));
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  ::SetInformationJobObject(system_handle(job.get()), JobObjectExtendedLimitInformation, &limits,
                            sizeof limits);
  ::AssignProcessToJobObject(system_handle(job.get()), process);
  return job;
}

}  // namespace

void hand_over_to(const std::filesystem::path& program, char**) {
  const std::wstring file = program.native() + L".exe";
  std::wstring words = ::GetCommandLineW();  // may be written to
  STARTUPINFOW start{};
  start.cb = sizeof start;
  start.dwFlags = STARTF_USESTDHANDLES;
  start.hStdInput = ::GetStdHandle(STD_INPUT_HANDLE);
  start.hStdOutput = ::GetStdHandle(STD_OUTPUT_HANDLE);
  start.hStdError = ::GetStdHandle(STD_ERROR_HANDLE);
  PROCESS_INFORMATION started{};
  if (::CreateProcessW(file.c_str(), words.data(), nullptr, nullptr, TRUE, CREATE_SUSPENDED,
                       nullptr, nullptr, &start, &started) == 0) {
    return;
  }
  const core::Descriptor process = core::owned(started.hProcess);
  const core::Descriptor thread = core::owned(started.hThread);
  const core::Descriptor job = job_of(started.hProcess);
  ::SetConsoleCtrlHandler(leave_to_child, TRUE);
  ::ResumeThread(started.hThread);
  ::WaitForSingleObject(started.hProcess, INFINITE);
  DWORD code = EXIT_FAILURE;
  ::GetExitCodeProcess(started.hProcess, &code);
  std::exit(static_cast<int>(code));
}

}  // namespace server
