// One rclone that serves all requests of a leg: each start of it costs some 0.2 s of CPU, and with
// most providers a new login.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/env.h"

namespace core {

// rclone's remote control (https://rclone.org/rc/) on a port of 127.0.0.1 that the system chooses,
// behind a random password that stands in its environment alone. It runs beside a command that
// waits for its standard input, which ends when this process does, in whatever way. Thread-safe.
class RcloneSession {
 public:
  struct Answer {
    bool well = false;
    std::string text;  // the JSON that was asked for; where it is not well, what rclone says of it
  };

  // `command` as it is without a command of rclone's. None where this rclone does not serve within
  // kSessionStart, or a stop was requested.
  static std::unique_ptr<RcloneSession> start(Command command, const Env& env,
                                              const std::stop_token& stop);
  ~RcloneSession();
  RcloneSession(const RcloneSession&) = delete;
  RcloneSession& operator=(const RcloneSession&) = delete;

  // A call such as "operations/list" with its parameters as JSON. Errors: io, timed_out, cancelled;
  // io as well for an answer of more than max_bytes.
  Expected<Answer> call(const std::string& name, const std::string& parameters,
                        std::chrono::milliseconds timeout, std::size_t max_bytes,
                        std::stop_token stop);
  // The bytes of the file at "remote:folder" and `path`, as they come. An error, io unless `take`
  // has one of its own, timed_out or cancelled, says nothing of the reason.
  Expected<> read(const std::string& remote, const std::string& path,
                  std::chrono::milliseconds silence,
                  const std::function<Expected<>(std::string_view piece)>& take,
                  std::stop_token stop);

 private:
  RcloneSession(Command command, const Env& env);
  void hear(std::string_view said);
  bool wait_for_port(const std::stop_token& stop);
  using Take = std::function<Expected<>(bool well, std::string_view piece)>;
  // Whether it went well.
  Expected<bool> exchange(std::string_view method, const std::string& target, std::string_view body,
                          std::chrono::milliseconds silence, const Take& take,
                          std::stop_token stop);

  const std::string password_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string said_;        // until the port is known
  std::uint16_t port_ = 0;  // 0: not known yet
  bool ended_ = false;
  std::jthread running_;  // last: it uses all the others
};

inline constexpr std::chrono::milliseconds kSessionStart{10'000};

}  // namespace core
