// What keep rules remove that a series has not known before is told before they do.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/retention.h"
#include "core/snapshot/request.h"

namespace core {

// What the request's run would remove, where its keep rules are not those that the newest snapshot
// of the series was taken with; else nothing. Changes nothing. Errors: those of a dry run.
Expected<std::vector<Expiry>> removals_by_new_rules(const SnapshotRequest& request, const Env& env,
                                                    std::stop_token stop);

// needs_confirmation, naming what would go. `whose` begins the sentence: "The rules would remove".
Error unconfirmed_removal(const std::string& whose, const std::vector<Expiry>& expired);
inline constexpr std::size_t kMaxNamedRemovals = 20;

}  // namespace core
