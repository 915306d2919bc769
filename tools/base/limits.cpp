#include "tools/base/limits.h"

#include "core/discovery/project_here.h"
#include "core/schedule/list.h"

namespace tools {

using core::ErrorCode;
using core::Expected;

bool allows_schedule(const Setting& setting, const core::fs::path& source,
                     const core::fs::path& destination) {
  return setting.allows(source) && setting.allows(destination);
}

bool allows_schedule(const Setting& setting, const core::BackupJob& job) {
  if (job.global &&
      !setting.allows((setting.world.places.home / core::kGlobalDatabase).parent_path())) {
    return false;
  }
  return allows_schedule(setting, job.place(), job.snapshot.destination);
}

Expected<> check_schedule(const std::string& name, const Setting& setting) {
  if (setting.allowed.empty()) return {};
  const auto& env = setting.world;
  if (const auto job = core::read_job(name, env.places, env.files);
      job && allows_schedule(setting, *job)) {
    return {};
  }
  std::vector<core::UnusableJob> unusable;
  std::string names;
  for (const auto& job : core::list_jobs(env.places, env.files, unusable)) {
    if (allows_schedule(setting, job)) names += (names.empty() ? "" : ", ") + job.name;
  }
  return core::fail(ErrorCode::not_found,
                    "There is no schedule named '" + name + "' that this server may touch.",
                    names.empty() ? "It sees only those within the folders given with --allow."
                                  : "Schedules are: " + names + ".");
}

Expected<> check_name_is_free(const std::string& name, const Setting& setting,
                              std::stop_token stop) {
  if (setting.allowed.empty()) return {};
  for (const auto& status : core::list_schedules(setting.world, std::move(stop)).schedules) {
    if (status.name != name || (status.job && allows_schedule(setting, *status.job))) continue;
    return core::fail(ErrorCode::conflict,
                      "The name '" + name +
                          "' belongs to a schedule that this server may not "
                          "touch.",
                      "Choose another name.");
  }
  return {};
}

Expected<> check_calls(const Arguments& arguments, const Setting& setting) {
  if (setting.may_call()) return {};
  for (const char* key : {"on_failure", "ping_url", "offsite"}) {
    if (arguments.text(key).value_or("").empty()) continue;
    return core::fail(ErrorCode::permission_denied,
                      std::string(key) +
                          " makes this machine run a command, call an address or send copies away, "
                          "which a server limited to folders must not do for its client.",
                      "Install this schedule from the command line, or start the server with "
                      "--allow-calls.");
  }
  return {};
}

}  // namespace tools
