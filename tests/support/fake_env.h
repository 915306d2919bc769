// A world for core under a test's control: a clock that can be set, places in a temporary folder,
// commands that are only recorded, and real files.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "core/base/env.h"
#include "support/temp_folder.h"

namespace test {

// Local time is UTC plus `local_offset`. Safe to read from several threads while none sets it.
class FakeClock final : public core::Clock {
 public:
  // 2026-11-23T12:00:00Z unless set.
  core::Instant instant =
      std::chrono::sys_days{
          core::Date{std::chrono::year{2026}, std::chrono::November, std::chrono::day{23}}} +
      std::chrono::hours{12};
  std::chrono::seconds local_offset{0};
  // Sleeping takes real time, so that other processes can go on; with false it only moves the
  // clock.
  bool really_sleeps = true;

  void advance(core::Instant::duration by) { instant += by; }

  core::Instant now() const override;
  std::chrono::steady_clock::time_point steady_now() const override;
  core::Date local_date(core::Instant at) const override;
  core::Instant local_instant(core::Date date, std::chrono::seconds time_of_day) const override;
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) const override;

 private:
  mutable std::mutex mutex_;
  mutable std::chrono::nanoseconds slept_{0};
};

// Records every command and answers by `answer` (default: exit code 0, no output).
class RecordingCommands final : public core::CommandRunner {
 public:
  std::function<core::Expected<core::CommandResult>(const core::Command&)> answer;
  std::vector<core::Command> commands;

  core::Expected<core::CommandResult> run(const core::Command& command,
                                          std::stop_token stop) override;
  // The command lines, arguments separated by one space.
  std::vector<std::string> lines() const;

 private:
  mutable std::mutex mutex_;
};

// `folder/home`, `folder/state`, … exist; host "testhost", user "tester".
core::Places places_in(const fs::path& folder);

struct FakeEnv {
  TempFolder folder;
  FakeClock clock;
  RecordingCommands commands;
  core::Places places = places_in(folder.path());

  // Valid as long as this FakeEnv.
  core::Env env() { return {clock, core::system_files(), commands, places}; }
  fs::path operator/(std::string_view name) const { return folder / name; }
};

}  // namespace test
