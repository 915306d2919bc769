// Bytes from and to the one peer at the other end of a pipe or terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "server/platform/event.h"

namespace server {

// What else ends the wait of a read or write.
struct WaitEnds {
  const Event* stop = nullptr;        // null: never
  std::function<bool()> peer_gone{};  // asked every kPeerCheck while nothing moves; empty: never
};
inline constexpr std::chrono::milliseconds kPeerCheck{1'000};

class StreamCalls;  // where the system's calls cannot be waited for; else there are none

// Copies are one stream.
class Input {
 public:
  // Does not close what it reads from.
  explicit Input(core::Descriptor::Handle handle);
  static Input standard();

  // Waits until there are bytes, without a bound, and reads what there is, up to `size`. 0 at the
  // end; nothing on a failure, once `stop` is set, whatever there is to read, and when the peer has
  // gone.
  std::optional<std::size_t> read(char* to, std::size_t size, const WaitEnds& ends);

 private:
  core::Descriptor::Handle handle_;
  std::shared_ptr<StreamCalls> calls_;
};

class Output {
 public:
  // Does not close what it writes to.
  explicit Output(core::Descriptor::Handle handle);
  static Output standard();

  // Writes all of it, waiting as long as the reader wants. False when the reader has gone, or when
  // one of `ends` came and nothing can be written for `last_wait`.
  bool write(std::string_view bytes, const WaitEnds& ends, std::chrono::milliseconds last_wait);
  // Whether nobody can read it any more.
  bool reader_gone() const;
  // Whether so many bytes can be written at once; false for more than a few KiB.
  bool has_room_for(std::size_t bytes) const;

 private:
  core::Descriptor::Handle handle_;
  std::shared_ptr<StreamCalls> calls_;
};

}  // namespace server
