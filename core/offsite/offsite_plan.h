// What a copy off this machine needs, decided from lists and manifests. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/catalog/retention.h"
#include "core/offsite/rclone.h"
#include "core/offsite/remote_path.h"
#include "core/offsite/remote_store.h"

namespace core {

// Where a schedule's copies go. No secrets: these are in rclone's settings alone.
struct OffsiteTarget {
  RemotePath remote;
  RcloneProgram rclone;
  std::optional<RetentionPolicy> keep{};  // absent: as the snapshots here
  std::string bandwidth;                  // rclone's --bwlimit; empty: none
  // As the settings were when the schedule was installed.
  bool encrypted = false;   // the provider reads neither names nor content
  bool off_machine = true;  // false: the remote ends in a folder of this machine
  bool operator==(const OffsiteTarget&) const = default;
};

// What is known of the remote's series of one database, and of the snapshot that is to be there.
struct OffsiteScene {
  std::vector<Snapshot> copies;  // as list_series gives them; data without a manifest is none
  std::vector<std::string> unmarked{};      // names of such data
  std::string name;                         // of the local snapshot, "global-2026-11-29.db"
  Manifest manifest;                        // of it
  std::optional<std::string> canary{};      // name of the newest copy that the history knows
  std::optional<Instant> last_read_back{};  // of the newest copy
  Instant now{};
};

enum class Sending {
  nothing,    // the newest copy has this state
  read_back,  // the same, and it was last read back long ago
  send,       // under a name that is free
  replace,    // over what stands under that name, which goes first
  wait,       // what stands there is the only good copy: the next day's name is another
};
struct OffsitePlan {
  Sending sending = Sending::send;
  std::string standing;  // the copy that stands, with nothing, read_back and wait: its name
  // The canary is not there, and no run of ours can have been cut off while it replaced it: that
  // leaves its data without a manifest, or at least another good copy.
  bool canary_lost = false;
};
// Every copy that stands is read back again when that was last done longer ago than this.
inline constexpr std::chrono::hours kReadBackPeriod{24 * 30};

// conflict where the name is taken by another database.
Expected<OffsitePlan> plan_copy(const OffsiteScene& scene);

// A copy: data of the length that its manifest tells, and a digest to compare it by.
bool is_good_copy(const Snapshot& copy);

// What the keep rules let go of, oldest first, at most kMaxRemovals: of this host and source, never
// the newest, nor what choose_expired protects.
std::vector<Expiry> choose_removals(std::vector<Snapshot> copies, const std::string& source,
                                    const std::string& host, const RetentionPolicy& keep,
                                    Date today);
inline constexpr std::size_t kMaxRemovals = 31;  // in a run

// Data that no manifest marks, of names that snapshots of ours had, older than kUnmarkedAge: of a
// run that was cut off. `entries` are those of the series' folder, `ours` names of files.
std::vector<RemoteEntry> choose_leftovers(const std::vector<RemoteEntry>& entries,
                                          const std::vector<std::string>& ours, Instant now);
inline constexpr std::chrono::hours kUnmarkedAge{48};

// Whether a failure is to be told at once, or only waits for the network: the newest good copy is
// younger than kOffsitePatience. `last_good`: when a copy was last found or made good.
bool is_alarm(const Error& error, const std::optional<Instant>& last_good, Instant now);
inline constexpr std::chrono::hours kOffsitePatience{48};

}  // namespace core
