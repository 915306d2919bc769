// Brings everything home that a destination holds and this machine lacks.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/moving/held.h"
#include "core/restore/restore.h"
#include "core/verify/verify.h"

namespace core {

struct BringHomeRequest {
  HeldRequest held;
  bool dry_run = false;    // checks each snapshot, quick, and writes nothing
  bool confirmed = false;  // the user said yes to a preview
};

struct BroughtDatabase {
  HeldDatabase held;
  fs::path makes;  // the topmost folder that is (or would be) made for it; empty for none
  std::optional<VerifyReport::Verdict> verdict{};  // of its snapshot
  std::vector<std::string> warnings{};
  std::optional<Error> error{};  // why it was not, or could not be, restored
};

struct BringHomeResult {
  bool dry_run = false;
  std::vector<BroughtDatabase> databases;  // those that were lacking
  std::vector<HeldDatabase> left;          // the others, with why
  std::vector<HeldSchedule> schedules;     // to be offered; none is installed here
  std::vector<std::string> warnings;
};

// Restores, one after the other, each database that is lacking (held_in): from its newest snapshot,
// checked in full, to its place below the home, whose folders are made (mode 0700). What is there
// and has a row is never replaced. One that fails does not keep the others from being restored;
// each restore is one of restore.h, and is recorded like it.
//
// Errors: needs_confirmation; invalid_argument where what is lacking comes from several hosts and
// the request names none, with their names; not_found where the destination holds nothing; those of
// held_in. Progress: phases "verify" and "copy".
Expected<BringHomeResult> bring_home(const BringHomeRequest& request, const Env& env,
                                     ProgressSink& progress, std::stop_token stop);

}  // namespace core
