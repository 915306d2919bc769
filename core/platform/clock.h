// The machine's time zone, and what the program reads of its environment.
#pragma once

#include <array>
#include <functional>

#include "core/base/date.h"

namespace core {

// What a wall clock shows at an instant, to the second, as if it were UTC: comparable with itself.
// Thread-safe.
Instant wall_time(Instant instant);

// The first instant of that day at which such a wall clock shows the time, or, where it skips the
// time, the first at which it shows more.
Instant instant_showing(const std::function<Instant(Instant)>& clock, Date date,
                        std::chrono::seconds time_of_day);

// What the program reads from its environment; nothing else in core or server looks there.
inline constexpr std::array kVariables = {
    "CLAUDE_ORCHESTRATOR_BACKUP_ROOT", "BACKUP_PLUGIN_DB_DESTINATION", "BACKUP_PLUGIN_DB_TOKEN",
    "CLAUDE_CONFIG_DIR", "CLAUDE_PLUGIN_ROOT", "CLAUDE_PLUGIN_DATA", "CLAUDE_PROJECT_DIR", "PATH",
    "LANG", "LC_ALL", "TERM", "NO_COLOR", "TZ", "WSL_DISTRO_NAME", "WSL_INTEROP",
    "DBUS_SESSION_BUS_ADDRESS", "SystemRoot", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA", "INVOCATION_ID", "BPD_LOG_LEVEL", "DISPLAY",
    "WAYLAND_DISPLAY", "SSH_CONNECTION",
    // Programs to use in place of the ones in PATH, and the system to play, in tests.
    "BPD_SYSTEMCTL", "BPD_SYSTEMD_ANALYZE", "BPD_CRONTAB", "BPD_LAUNCHCTL", "BPD_SCHTASKS",
    "BPD_CURL", "BPD_RCLONE", "BPD_SYSTEM",
    // Where rclone's settings lie, where not in their usual place.
    "RCLONE_CONFIG"};

}  // namespace core
