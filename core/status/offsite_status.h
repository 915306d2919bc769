// How a database's copies off this machine stand. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/history.h"
#include "core/offsite/offsite_history.h"

namespace core {

// What a schedule says of them, and what is noted of the last look.
struct OffsiteFacts {
  std::string schedule, remote;  // "backup:claude"
  bool encrypted = false, off_machine = true;
  bool has_sheet = false;  // a recovery sheet was written
  std::optional<OffsiteNote> note{};
};

struct OffsiteStatus {
  std::string remote;
  bool encrypted = false, off_machine = true;
  std::optional<Instant> last_copy{};  // when a copy was last made, or found to stand
  std::optional<Instant> taken_at{};   // of the newest copy's snapshot
  std::optional<std::uint64_t> copies{};
  std::string last_error;  // of the last look, when it failed
  // What is wrong, with what to do; empty: nothing. `failing`: beyond waiting for the network.
  std::string problem;
  bool failing = false;
};

// `runs` of that database, newest first; those of a time after `now` do not count as success.
OffsiteStatus judge_offsite(const OffsiteFacts& facts, const std::vector<const RunRecord*>& runs,
                            Instant now);

}  // namespace core
