#include "tools/schedules/schedule_names.h"

#include "core/base/call.h"
#include "core/schedule/job.h"
#include "core/schedule/list.h"
#include "tools/base/limits.h"

namespace tools {

bool means_all(const std::string& name, const Setting& setting) {
  if (name != kAllSchedules) return false;
  const auto job = core::read_job(name, setting.world.places, setting.world.files);
  return !job && job.error().code == core::ErrorCode::not_found;
}

core::Expected<std::vector<std::string>> all_schedules(const Setting& setting,
                                                       std::stop_token stop) {
  std::vector<std::string> names;
  for (const auto& status : core::list_schedules(setting.world, std::move(stop)).schedules) {
    if (check_schedule(status.name, setting)) names.push_back(status.name);
  }
  if (!names.empty()) return names;
  return core::fail(core::ErrorCode::not_found, "No schedule is installed.",
                    core::say(core::Action::install_schedule) + " makes one.");
}

core::Expected<std::vector<std::string>> schedules_named(const std::string& name,
                                                         const Setting& setting,
                                                         std::stop_token stop) {
  if (means_all(name, setting)) return all_schedules(setting, std::move(stop));
  BPD_TRY(check_schedule(name, setting));
  return std::vector<std::string>{name};
}

core::Expected<> check_is_there(const std::string& name, const Setting& setting,
                                std::stop_token stop) {
  BPD_TRY(core::check_schedule_name(name));
  const auto job = core::read_job(name, setting.world.places, setting.world.files);
  if (job || job.error().code != core::ErrorCode::not_found) return {};
  for (const auto& status : core::list_schedules(setting.world, std::move(stop)).schedules) {
    if (status.name == name) return {};
  }
  BPD_TRY(check_schedule(name, setting));  // tells no names that this server may not touch
  return core::fail(job.error());
}

std::string joined(const std::vector<std::string>& texts) {
  std::string line;
  for (const auto& text : texts) line += (line.empty() ? "" : ", ") + text;
  return line;
}

}  // namespace tools
