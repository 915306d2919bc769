#include "core/offsite/recovery_sheet.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/offsite/offsite_history.h"

namespace core {
namespace {

constexpr std::string_view kFirstLine = "# Recovery sheet of backup-plugin-db";
constexpr std::string_view kEnd = "END_OF_REMOTES";
constexpr std::uint64_t kMaxSheetBytes = 1 << 20;
constexpr std::size_t kMaxDumpBytes = 4u << 20;

Expected<Json> dump_of(const RcloneProgram& rclone, const Env& env, const std::stop_token& stop) {
  Command command;
  command.argv = {text_of(rclone.program),
                  "--ask-password=false",
                  "--config",
                  text_of(rclone.config),
                  "config",
                  "dump"};
  command.dropped_variables = "RCLONE_";
  command.max_output_bytes = kMaxDumpBytes;
  command.timeout = kAskRcloneTimeout;
  BPD_TRY_AS(said, env.commands.run(command, stop));
  Json dump = read_json(said->output);
  if (said->exit_code == 0 && dump.is_object()) return dump;
  return fail(ErrorCode::io, "rclone does not tell the settings in " + text_of(rclone.config) + ".",
              "Try `rclone config dump`.");
}

RemoteSettings settings_of(const std::string& name, const Json& dump) {
  RemoteSettings settings{name, {}};
  const auto found = dump.find(name);
  if (found == dump.end() || !found->is_object()) return settings;
  for (const auto& [key, value] : found->items()) {
    settings.values.emplace_back(key,
                                 value.is_string() ? value.get<std::string>() : json_text(value));
  }
  return settings;
}

Expected<> check_place(const fs::path& path, const std::vector<fs::path>& beside, const Env& env) {
  const fs::path folder =
      env.files.canonical(path.parent_path()).value_or(path.parent_path().lexically_normal());
  for (const fs::path& place : beside) {
    if (!is_inside(folder, env.files.canonical(place).value_or(place))) continue;
    return fail(ErrorCode::invalid_argument,
                "The recovery sheet must not lie in " + text_of(place) +
                    ": it would be lost, or found, together with the copies.",
                "Write it elsewhere, then print it or put it into a password manager.");
  }
  const auto there = env.files.read(path, kMaxSheetBytes);
  if (!there && there.error().code == ErrorCode::not_found) return {};
  if (there && there->starts_with(kFirstLine)) return {};
  return fail(ErrorCode::conflict, text_of(path) + " is there already, and is no recovery sheet.",
              "Give another name.");
}

}  // namespace

std::string render_sheet(const std::vector<SheetRemote>& remotes,
                         const std::vector<RemoteSettings>& settings, const std::string& host,
                         const std::string& user, Instant now) {
  std::string text =
      std::string(kFirstLine) + "\n# Written " + format_instant(now) + " on " + host + " by " +
      user +
      ".\n#\n"
      "# Who has this sheet can read the copies, and remove them. Who has lost it, and the "
      "machine,\n"
      "# has lost them. Keep it away from both: print it, or put it into a password manager.\n"
      "# Beside it you may need the login at your provider, where that asks in a browser\n"
      "# (rclone config reconnect NAME:).\n#\n"
      "# On a new machine:\n"
      "# 1. Install rclone (https://rclone.org/install/) and backup-plugin-db.\n"
      "# 2. Run what follows in a terminal. First the remotes:\n";
  text += "mkdir -p ~/.config/rclone && cat >> ~/.config/rclone/rclone.conf <<'" +
          std::string(kEnd) + "'\n";
  for (const RemoteSettings& remote : settings) {
    text += "\n[" + remote.name + "]\n";
    for (const auto& [key, value] : remote.values) text += key + " = " + value + "\n";
  }
  text += std::string(kEnd) +
          "\n# 3. All databases; it shows the list, and asks before it writes anything:\n";
  for (const SheetRemote& one : remotes) text += one.bring_home + "\n";
  text +=
      "#\n# Without backup-plugin-db: the copies are plain SQLite databases. This fetches all:\n";
  for (const SheetRemote& one : remotes) {
    text += "#   " + shell_command({"rclone", "copy", text_of(one.remote), "Backups"}) + "\n";
  }
  return text;
}

Expected<> write_recovery_sheet(const fs::path& path, const RcloneProgram& rclone,
                                const std::vector<SheetRemote>& remotes,
                                const std::vector<fs::path>& beside, const Env& env,
                                std::stop_token stop) {
  BPD_TRY(check_place(path, beside, env));
  BPD_TRY_AS(dump, dump_of(rclone, env, stop));
  std::vector<RemoteSettings> settings;
  for (const SheetRemote& one : remotes) {
    BPD_TRY_AS(facts, facts_of_remote(rclone, one.remote, env, stop));
    for (const std::string& name : facts->chain) {
      const bool has = std::any_of(settings.begin(), settings.end(),
                                   [&](const RemoteSettings& had) { return had.name == name; });
      if (!has) settings.push_back(settings_of(name, *dump));
    }
  }
  BPD_TRY(env.files.write_atomically(
      path, render_sheet(remotes, settings, env.places.host, env.places.user, env.clock.now()),
      kPrivateFile));
  for (const SheetRemote& one : remotes) BPD_TRY(note_sheet(one.remote, env));
  return {};
}

}  // namespace core
