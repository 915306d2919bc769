// What blocks here cannot be waited for beside other things. So a thread of its own makes each call
// on a stream, and whoever wants it waits for that thread and for the rest.
#include "server/platform/streams.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/threads.h"
#include "server/platform/windows/waiting.h"
// After windows.h.
#include <winternl.h>

namespace server {

namespace {

constexpr std::size_t kPiece = 16UL * 1024;  // bytes of one call
constexpr std::size_t kSmall = 4UL * 1024;   // bytes that are taken at once where nobody waits

}  // namespace

// The calls on one stream, one at a time. Everything but busy() is for one thread at a time. A call
// that never returns outlives its stream, with what it uses.
class StreamCalls {
 public:
  enum class Kind { read, write };
  StreamCalls(core::Descriptor::Handle stream, Kind kind) : shared_(std::make_shared<Shared>()) {
    shared_->stream = system_handle(stream);
    shared_->kind = kind;
    shared_->begin = core::owned(::CreateEventW(nullptr, FALSE, FALSE, nullptr));
    shared_->done = core::owned(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
  }
  ~StreamCalls() {
    shared_->ending = true;
    ::SetEvent(system_handle(shared_->begin.get()));
    if (thread_.joinable()) thread_.detach();
  }
  StreamCalls(const StreamCalls&) = delete;
  StreamCalls& operator=(const StreamCalls&) = delete;

  // From begin() to take().
  bool busy() const { return shared_->busy; }
  HANDLE done() const { return system_handle(shared_->done.get()); }
  std::vector<char>& piece() { return shared_->piece; }

  // Reads or writes up to so many bytes of the piece.
  void begin(std::size_t bytes) {
    shared_->busy = true;
    shared_->bytes = static_cast<DWORD>(bytes);
    ::ResetEvent(done());
    if (!thread_.joinable()) (void)core::start_thread(thread_, [all = shared_] { work(*all); });
    if (thread_.joinable()) {
      ::SetEvent(system_handle(shared_->begin.get()));
    } else {
      call(*shared_);  // without a thread nothing else is heard of meanwhile
    }
  }
  // Once done() is set: the bytes that were moved, and the system's error or 0.
  std::pair<DWORD, DWORD> take() {
    shared_->busy = false;
    return {shared_->bytes, shared_->error};
  }

 private:
  struct Shared {
    HANDLE stream = nullptr;
    Kind kind = Kind::read;
    core::Descriptor begin, done;
    std::atomic<bool> busy{false}, ending{false};
    std::vector<char> piece = std::vector<char>(kPiece);
    DWORD bytes = 0, error = 0;
  };

  static void work(Shared& all) {
    while (is_set_before(system_handle(all.begin.get()), INFINITE) && !all.ending) call(all);
  }
  static void call(Shared& all) {
    const DWORD wanted = std::exchange(all.bytes, 0);
    const BOOL good = all.kind == Kind::read
                          ? ::ReadFile(all.stream, all.piece.data(), wanted, &all.bytes, nullptr)
                          : ::WriteFile(all.stream, all.piece.data(), wanted, &all.bytes, nullptr);
    all.error = good != 0 ? 0 : ::GetLastError();
    ::SetEvent(system_handle(all.done.get()));
  }

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

namespace {

// Whether the call has ended before what else ends the wait.
bool wait_for_call(StreamCalls& calls, const WaitEnds& ends) {
  std::array<HANDLE, 2> both{calls.done(), calls.done()};
  DWORD count = 1;
  if (ends.stop != nullptr) {
    both[0] = system_handle(handle_of(ends.stop));
    count = 2;
  }
  const DWORD timeout = ends.peer_gone ? static_cast<DWORD>(kPeerCheck.count()) : INFINITE;
  for (;;) {
    const DWORD came = ::WaitForMultipleObjects(count, both.data(), FALSE, timeout);
    if (came != WAIT_TIMEOUT) return came == WAIT_OBJECT_0 + count - 1;
    if (ends.peer_gone()) return false;
  }
}

bool means_end(DWORD error) {
  return error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF ||
         error == ERROR_PIPE_NOT_CONNECTED || error == ERROR_NO_DATA;
}

// Of a pipe that gave nothing, without an error: somebody has written nothing, or it is one of
// another system's (Wine's, of the system that it runs on), whose end looks like this.
bool has_ended(HANDLE pipe) {
  return ::PeekNamedPipe(pipe, nullptr, 0, nullptr, nullptr, nullptr) == 0;
}

core::Descriptor::Handle standard_handle(DWORD which) {
  return reinterpret_cast<core::Descriptor::Handle>(::GetStdHandle(which));
}

}  // namespace

Input::Input(core::Descriptor::Handle handle)
    : handle_(handle), calls_(std::make_shared<StreamCalls>(handle, StreamCalls::Kind::read)) {}

Output::Output(core::Descriptor::Handle handle)
    : handle_(handle), calls_(std::make_shared<StreamCalls>(handle, StreamCalls::Kind::write)) {}

Input Input::standard() {
  return Input(standard_handle(STD_INPUT_HANDLE));
}

Output Output::standard() {
  return Output(standard_handle(STD_OUTPUT_HANDLE));
}

std::optional<std::size_t> Input::read(char* to, std::size_t size, const WaitEnds& ends) {
  const bool is_pipe = ::GetFileType(system_handle(handle_)) == FILE_TYPE_PIPE;
  for (;;) {
    if (!calls_->busy()) calls_->begin(std::min(size, kPiece));
    if (!wait_for_call(*calls_, ends)) return std::nullopt;
    const auto [bytes, error] = calls_->take();
    if (error != 0 && error != ERROR_MORE_DATA) {
      return means_end(error) ? std::optional<std::size_t>(0) : std::nullopt;
    }
    if (bytes == 0 && is_pipe && !has_ended(system_handle(handle_))) continue;
    std::memcpy(to, calls_->piece().data(), std::min<std::size_t>(bytes, size));
    return bytes;
  }
}

bool Output::write(std::string_view bytes, const WaitEnds& ends,
                   std::chrono::milliseconds last_wait) {
  if (calls_->busy()) return false;  // what was given up has not been written yet
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kPiece);
    std::memcpy(calls_->piece().data(), bytes.data(), count);
    calls_->begin(count);
    if (!wait_for_call(*calls_, ends) &&
        !is_set_before(calls_->done(), static_cast<DWORD>(last_wait.count()))) {
      return false;
    }
    const auto [written, error] = calls_->take();
    if (error != 0) return false;
    bytes.remove_prefix(written);
  }
  return true;
}

// A call that waits for the reader ends by itself when that one goes; the question would wait, too.
bool Output::reader_gone() const {
  if (calls_->busy()) return false;
  constexpr auto kDisconnected = 1UL, kClosing = 4UL;
  FILE_PIPE_LOCAL_INFORMATION pipe{};
  IO_STATUS_BLOCK status{};
  const NTSTATUS answer =
      ::NtQueryInformationFile(system_handle(handle_), &status, &pipe, sizeof pipe,
                               static_cast<FILE_INFORMATION_CLASS>(FilePipeLocalInformation));
  return answer == 0 && (pipe.NamedPipeState == kDisconnected || pipe.NamedPipeState == kClosing);
}

bool Output::has_room_for(std::size_t bytes) const {
  return bytes <= kSmall && !calls_->busy();
}

}  // namespace server
