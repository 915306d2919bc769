// Runs other programs without a shell, on Windows.
#include <array>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/paths.h"
#include "core/platform/temporary.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a running program is looked at for its end, a passed deadline or a stop.
constexpr milliseconds kTick{10};
constexpr DWORD kPipeBytes = 64 * 1024;
constexpr UINT kKilled = 128 + 9;  // as elsewhere

struct Pipe {
  Descriptor read_end, write_end;
};

Expected<Pipe> make_pipe() {
  HANDLE read_end = nullptr, write_end = nullptr;
  if (!::CreatePipe(&read_end, &write_end, nullptr, kPipeBytes)) {
    return fail(error_from_system(::GetLastError(), "cannot make a pipe"));
  }
  return Pipe{owned(read_end), owned(write_end)};
}

// One of the program's output streams, kept up to a bound.
struct Stream {
  Descriptor from;
  std::string* text;
  std::size_t max_bytes;
  std::function<void(std::string_view)> tell{};
  DWORD failure = 0;  // what was read is not all that was said

  // Takes what is there now, and tells whether there was anything; closes at the end of the stream,
  // and on a failure.
  bool drain() {
    std::array<char, 16 * 1024> buffer;
    bool any = false;
    while (from) {
      DWORD there = 0, got = 0;
      bool good = ::PeekNamedPipe(handle_of(from), nullptr, 0, nullptr, &there, nullptr) != 0;
      if (good && there == 0) return any;
      good = good && ::ReadFile(handle_of(from), buffer.data(), static_cast<DWORD>(buffer.size()),
                                &got, nullptr) != 0;
      if (!good) {
        if (::GetLastError() != ERROR_BROKEN_PIPE) failure = ::GetLastError();
        from.close();
        return any;
      }
      any = true;
      const std::size_t room = max_bytes - std::min(max_bytes, text->size());
      text->append(buffer.data(), std::min<std::size_t>(room, got));
      if (tell) tell({buffer.data(), got});
    }
    return any;
  }
};

// As the C library of most programs takes its command line apart again:
// https://learn.microsoft.com/cpp/cpp/main-function-command-line-args
void append_word(std::wstring& line, const std::wstring& word) {
  if (!line.empty()) line += L' ';
  if (!word.empty() && word.find_first_of(L" \t\n\v\"") == std::wstring::npos) {
    line += word;
    return;
  }
  line += L'"';
  std::size_t slashes = 0;
  for (const wchar_t c : word) {
    if (c == L'\\') {
      ++slashes;
      continue;
    }
    line.append(c == L'"' ? slashes * 2 + 1 : slashes, L'\\');
    slashes = 0;
    line += c;
  }
  line.append(slashes * 2, L'\\');
  line += L'"';
}

// The command interpreter takes what follows as it is, in one pair of quotes (/s).
std::wstring command_line(const std::vector<std::string>& words, bool interpreter) {
  std::wstring line;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (interpreter && i > 0) {
      const bool last = i + 1 == words.size();
      line += last ? L" \"" + wide(words[i]) + L"\"" : L" " + wide(words[i]);
    } else {
      append_word(line, wide(words[i]));
    }
  }
  return line;
}

bool ends_with(const std::wstring& text, std::wstring_view end) {
  return text.size() >= end.size() &&
         names_one_file(text.substr(text.size() - end.size()), std::wstring(end));
}

// Looked up in PATH unless it holds a slash: never in the current folder, where anybody's program
// may lie.
Expected<std::wstring> find_program(const std::string& name) {
  std::wstring found = wide(name);
  if (name.find_first_of("/\\:") == std::string::npos) {
    std::wstring path(32'768, L'\0'), whole(32'768, L'\0');
    path.resize(::GetEnvironmentVariableW(L"PATH", path.data(), static_cast<DWORD>(path.size())));
    whole.resize(::SearchPathW(path.c_str(), found.c_str(), L".exe",
                               static_cast<DWORD>(whole.size()), whole.data(), nullptr));
    if (whole.empty()) {
      return fail(error_from_system(ERROR_FILE_NOT_FOUND, "cannot start " + name));
    }
    found = std::move(whole);
  }
  // Their arguments are taken apart by rules that nobody can quote for.
  if (ends_with(found, L".bat") || ends_with(found, L".cmd")) {
    return fail(ErrorCode::unsupported, name + " is a batch file.",
                "Run it through cmd.exe, or name a program.");
  }
  return found;
}

std::wstring environment_of(const Command& command) {
  std::vector<std::wstring> entries;
  wchar_t* block = ::GetEnvironmentStringsW();
  for (const wchar_t* at = block; *at != L'\0'; at += std::wcslen(at) + 1) entries.emplace_back(at);
  ::FreeEnvironmentStringsW(block);
  if (const std::wstring prefix = wide(command.dropped_variables); !prefix.empty()) {
    std::erase_if(entries, [&](const std::wstring& entry) {
      return entry.size() >= prefix.size() &&
             names_one_file(entry.substr(0, prefix.size()), prefix);
    });
  }
  for (const auto& [name, value] : command.extra_environment) {
    const std::wstring key = wide(name) + L"=";
    std::erase_if(entries, [&](const std::wstring& entry) {
      return entry.size() >= key.size() && names_one_file(entry.substr(0, key.size()), key);
    });
    entries.push_back(key + wide(value));
  }
  std::sort(entries.begin(), entries.end(), [](const std::wstring& a, const std::wstring& b) {
    return ::CompareStringOrdinal(a.data(), -1, b.data(), -1, TRUE) == CSTR_LESS_THAN;
  });
  std::wstring result;
  for (const std::wstring& entry : entries) (result += entry) += L'\0';
  return result + L'\0';
}

// A file that goes with its handle, holding the program's input: unlike a pipe it cannot fill up.
Expected<Descriptor> input_file(const std::string& input) {
  std::wstring path = L"NUL";
  DWORD disposition = OPEN_EXISTING, flags = 0;
  if (!input.empty()) {
    path.assign(MAX_PATH + 1, L'\0');
    path.resize(::GetTempPathW(static_cast<DWORD>(path.size()), path.data()));
    path = system_path(temporary_path_of(fs::path(path) / "backup-plugin-db-input"));
    disposition = CREATE_NEW;
    flags = FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE;
  }
  PrivateSecurity security;
  Descriptor file = owned(::CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, kShareAll,
                                        security.get(), disposition, flags, nullptr));
  DWORD written = 0;
  const bool filled =
      file &&
      (input.empty() ||
       (::WriteFile(handle_of(file), input.data(), static_cast<DWORD>(input.size()), &written,
                    nullptr) != 0 &&
        written == input.size() && ::SetFilePointer(handle_of(file), 0, nullptr, FILE_BEGIN) == 0));
  if (filled) return file;
  return fail(error_from_system(::GetLastError(), "cannot prepare the program's input"));
}

// The handles that the program is to have, and no other, whatever else is started meanwhile.
class StartUp {
 public:
  explicit StartUp(std::array<HANDLE, 3> handles) : handles_(handles) {
    for (const HANDLE handle : handles_) {
      ::SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    }
    SIZE_T bytes = 0;
    ::InitializeProcThreadAttributeList(nullptr, 1, 0, &bytes);
    memory_.resize(bytes);
    info_.lpAttributeList = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    ::InitializeProcThreadAttributeList(info_.lpAttributeList, 1, 0, &bytes);
    ::UpdateProcThreadAttribute(info_.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                handles_.data(), sizeof handles_, nullptr, nullptr);
    info_.StartupInfo.cb = sizeof info_;
    info_.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    info_.StartupInfo.hStdInput = handles_[0];
    info_.StartupInfo.hStdOutput = handles_[1];
    info_.StartupInfo.hStdError = handles_[2];
  }
  ~StartUp() { ::DeleteProcThreadAttributeList(info_.lpAttributeList); }
  StartUp(const StartUp&) = delete;
  StartUp& operator=(const StartUp&) = delete;
  STARTUPINFOW* get() { return &info_.StartupInfo; }

 private:
  std::array<HANDLE, 3> handles_;
  std::vector<unsigned char> memory_;
  STARTUPINFOEXW info_{};
};

struct Started {
  Descriptor process;
  Descriptor job;  // of it and all that it starts
};

Expected<Started> start(const Command& command, HANDLE input, HANDLE output, HANDLE error_output) {
  BPD_TRY_AS(program, find_program(command.argv[0]));
  StartUp start_up({input, output, error_output});
  std::wstring line = command_line(command.argv, ends_with(*program, L"cmd.exe"));
  std::wstring environment = environment_of(command);
  Started started{{}, owned(::CreateJobObjectW(nullptr, nullptr))};
  PROCESS_INFORMATION info{};
  constexpr DWORD kFlags = CREATE_NO_WINDOW | CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT |
                           EXTENDED_STARTUPINFO_PRESENT;
  if (!started.job ||
      !::CreateProcessW(program->c_str(), line.data(), nullptr, nullptr, TRUE, kFlags,
                        environment.data(), nullptr, start_up.get(), &info)) {
    return fail(error_from_system(::GetLastError(), "cannot start " + command.argv[0]));
  }
  started.process = owned(info.hProcess);
  const Descriptor thread = owned(info.hThread);
  // Not in the job it could not be ended with what it starts; it goes on all the same.
  ::AssignProcessToJobObject(handle_of(started.job), info.hProcess);
  ::ResumeThread(info.hThread);
  return started;
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
    BPD_TRY_AS(output, make_pipe());
    BPD_TRY_AS(error_output, make_pipe());
    BPD_TRY_AS(started, start(command, handle_of(command.holds_input ? held.read_end : *input),
                              handle_of(output->write_end), handle_of(error_output->write_end)));
    held.read_end.close();
    output->write_end.close();
    error_output->write_end.close();
    CommandResult result;
    std::array<Stream, 2> streams{
        Stream{std::move(output->read_end), &result.output, command.max_output_bytes},
        Stream{std::move(error_output->read_end), &result.error_output, command.max_output_bytes,
               command.on_error_output}};
    BPD_TRY(wait_for_end(*started, command, streams, result, stop));
    return result;
  }

 private:
  static Expected<> wait_for_end(const Started& started, const Command& command,
                                 std::array<Stream, 2>& streams, CommandResult& result,
                                 const std::stop_token& stop) {
    const auto deadline = steady_clock::now() + command.timeout;
    bool cancelled = false;
    milliseconds pause{1};
    // What it left running in the background keeps the streams open: its own end is what counts.
    while (::WaitForSingleObject(handle_of(started.process), static_cast<DWORD>(pause.count())) ==
           WAIT_TIMEOUT) {
      bool heard = false;
      for (Stream& stream : streams) heard = stream.drain() || heard;
      pause = heard ? milliseconds{0} : std::min(pause * 2 + milliseconds{1}, kTick);
      if (cancelled || result.timed_out) continue;
      cancelled = stop.stop_requested();
      result.timed_out = !cancelled && steady_clock::now() >= deadline;
      if (!cancelled && !result.timed_out) continue;
      ::TerminateJobObject(handle_of(started.job), kKilled);
      ::TerminateProcess(handle_of(started.process), kKilled);
    }
    for (Stream& stream : streams) stream.drain();
    if (cancelled) {
      return fail(ErrorCode::cancelled, "The run of " + command.argv[0] + " was cancelled.");
    }
    for (const Stream& stream : streams) {
      if (stream.failure == 0) continue;
      return fail(
          error_from_system(stream.failure, "cannot read what " + command.argv[0] + " prints"));
    }
    DWORD exit_code = 0;
    ::GetExitCodeProcess(handle_of(started.process), &exit_code);
    result.exit_code = static_cast<int>(exit_code);
    return {};
  }
};

}  // namespace

CommandRunner& system_commands() {
  static SystemCommands commands;
  return commands;
}

}  // namespace core
