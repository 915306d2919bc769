// What a destination holds that this machine lacks: databases and schedules of a machine that is
// gone, or of another one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/call.h"
#include "core/base/env.h"
#include "core/schedule/job.h"

namespace core {

struct HeldRequest {
  fs::path destination;
  std::optional<std::string> host{};  // only what that host's snapshots hold
  fs::path old_home{};  // the home there; empty: as the schedules kept there say, else guessed
  // Which targets may be touched; empty: all.
  std::function<bool(const fs::path&)> allows{};
};

// One database of one machine, by its newest snapshot that can be restored.
struct HeldDatabase {
  enum class State {
    lacking,    // there is nothing at its place here, or a database without a row
    there,      // there is something that is never replaced unasked
    elsewhere,  // it has no place below the home here: `why`
  };
  std::string source;  // as manifests name it
  std::string host;
  fs::path snapshot;
  Instant taken_at{};
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  fs::path target{};  // its place here: the part below the old home, below ours
  State state = State::lacking;
  bool home_unknown = false;  // elsewhere: the home there has to be told
  std::string why{};          // a sentence with what to do; empty for what is lacking
};
std::string_view to_string(HeldDatabase::State state);  // "lacking", "there", "elsewhere"

// A schedule that a machine had and that no schedule here stands for.
struct HeldSchedule {
  std::string host;
  // Its source is the place here; never with on_failure or ping_url. Its label is another one where
  // its snapshots would go among those of the other machine.
  BackupJob job;
  Call install;  // what sets it up here
};

struct Held {
  std::vector<HeldDatabase> databases;  // by host, then source
  std::vector<HeldSchedule> schedules;  // likewise
  std::vector<std::string> warnings;
  // Those that are lacking.
  std::vector<const HeldDatabase*> lacking() const;
};

inline constexpr std::size_t kMaxHeldSnapshots = 20'000;  // looked at; a warning tells of more
inline constexpr std::size_t kMaxHeldDatabases = 500;

// Reads the destination, its manifests and what lies at the targets; changes nothing. Only below
// the home, and only under a database's file name, is a place looked for: what a manifest says,
// anybody may have written. Errors: those of list_snapshots; cancelled.
Expected<Held> held_in(const HeldRequest& request, const Env& env, std::stop_token stop);

}  // namespace core
