// Schedules as a marked block of three lines in the user's crontab.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/schedule/scheduler.h"

namespace core {

// crontab(5). cron runs nothing that it missed, so three lines ask: at the time itself, at boot and
// every hour, or hourly schedules every quarter of an hour; each runs only if a run is due
// (core/schedule/due.h).
const Scheduler& cron_scheduler();

// The block of a job, markers included, each line ending in a newline.
Expected<std::string> render_crontab_block(const BackupJob& job, const HostFacts& facts);
// The block of that name as it stands in the table, or nothing.
std::optional<std::string> find_crontab_block(std::string_view table, const std::string& name);
// The table with the block put in place of an earlier one of that name, else at the end. Every
// other byte stays, but for a newline added to an unfinished last line.
std::string put_crontab_block(std::string_view table, const std::string& name,
                              std::string_view block);
// The table without the block; every other byte stays.
std::string drop_crontab_block(std::string_view table, const std::string& name);
// What the table's NAME=value lines above the block set for its lines, as cron reads them.
std::map<std::string, std::string> crontab_environment(std::string_view table,
                                                       const std::string& name);

// Debian's cron takes about 1000 characters of command; stay clear of that.
inline constexpr std::size_t kMaxCrontabLineBytes = 950;

}  // namespace core
