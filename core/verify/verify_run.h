// Verifying as a run of its own, which history.db remembers.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/verify/verify.h"

namespace core {

struct VerifyRun {
  VerifyReport report;
  std::vector<std::string> warnings;  // it could not be recorded; the history was begun anew
};

// As verify_snapshot (verify.h), and the outcome is recorded (kind "verify"; ok only when
// verified), so that "when did a snapshot last pass a check" has an answer. Failing to record is a
// warning.
Expected<VerifyRun> verify_and_record(const VerifyRequest& request, const Env& env,
                                      ProgressSink& progress, std::stop_token stop);

// Marks those snapshots whose last conclusive check, by the history of this user, found them
// damaged: retention and restoring must not rely on them. With `source` all are of that one, and
// only its checks are read. A history of a newer version, which cannot be read here, says nothing;
// any other that cannot be read is an error.
Expected<> mark_damaged(std::vector<Snapshot>& snapshots, const std::optional<std::string>& source,
                        const Env& env);

}  // namespace core
