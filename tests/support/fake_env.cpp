#include "support/fake_env.h"

namespace test {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::seconds;

core::Instant FakeClock::now() const {
  const std::lock_guard lock(mutex_);
  return instant + std::chrono::duration_cast<core::Instant::duration>(slept_);
}

std::chrono::steady_clock::time_point FakeClock::steady_now() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::now() + slept_;
}

core::Date FakeClock::local_date(core::Instant at) const {
  return core::Date{floor<days>(at + local_offset)};
}

core::Instant FakeClock::local_instant(core::Date date, seconds time_of_day) const {
  return core::Instant{std::chrono::sys_days{date}} + time_of_day - local_offset;
}

bool FakeClock::sleep_for(std::chrono::milliseconds duration, std::stop_token stop) const {
  if (really_sleeps) return core::system_clock().sleep_for(duration, std::move(stop));
  const std::lock_guard lock(mutex_);
  slept_ += duration;
  return !stop.stop_requested();
}

core::Expected<core::CommandResult> RecordingCommands::run(const core::Command& command,
                                                           std::stop_token) {
  {
    const std::lock_guard lock(mutex_);
    commands.push_back(command);
  }
  if (answer) return answer(command);
  core::CommandResult result;
  result.exit_code = 0;
  return result;
}

std::vector<std::string> RecordingCommands::lines() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> result;
  for (const core::Command& command : commands) {
    std::string line;
    for (const std::string& word : command.argv) line += (line.empty() ? "" : " ") + word;
    result.push_back(std::move(line));
  }
  return result;
}

core::Places places_in(const fs::path& folder) {
  core::Places places;
  places.home = folder / "home";
  places.state = folder / "state";
  places.config = folder / "config";
  places.data = folder / "data";
  places.runtime = folder / "runtime";
  places.current_folder = folder;
  places.host = "testhost";
  places.user = "tester";
#ifdef _WIN32
  places.program = folder / "backup-plugin-db.exe";
#else
  places.program = folder / "backup-plugin-db";
#endif
  for (const fs::path& place :
       {places.home, places.state, places.config, places.data, places.runtime}) {
    fs::create_directories(place);
  }
  return places;
}

}  // namespace test
