// What must be kept elsewhere to bring everything home from a remote: its settings with their
// secrets, and the commands.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/offsite/rclone.h"
#include "core/offsite/remote_path.h"

namespace core {

// One remote's settings, as rclone's file has them: passwords are obscured there, which everybody
// can undo.
struct RemoteSettings {
  std::string name;
  std::vector<std::pair<std::string, std::string>> values;
};
// One that the sheet is for, and the command that brings home what is there, for a shell.
struct SheetRemote {
  RemotePath remote;
  std::string bring_home;
};
// Pure. Lines that begin with no # are commands of a POSIX shell, to be run in order on a machine
// that has rclone and this program, and no remotes of these names.
std::string render_sheet(const std::vector<SheetRemote>& remotes,
                         const std::vector<RemoteSettings>& settings, const std::string& host,
                         const std::string& user, Instant now);

// Writes it, mode 0600, and notes that there is one. Refuses (conflict) to write over anything but
// an earlier sheet, and (invalid_argument) to put it below one of `beside`, where the copies' own
// snapshots are. Errors of facts_of_remote.
Expected<> write_recovery_sheet(const fs::path& path, const RcloneProgram& rclone,
                                const std::vector<SheetRemote>& remotes,
                                const std::vector<fs::path>& beside, const Env& env,
                                std::stop_token stop);

}  // namespace core
