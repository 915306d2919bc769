// What the history keeps of a run, in the part that all kinds of runs share.
#pragma once

#include <string>

#include "core/base/env.h"
#include "core/base/error.h"
#include "core/catalog/history.h"

namespace core {

// A run that ends now, well so far as is known.
RunRecord ended_run(std::string kind, Instant started_at, const Env& env);
// That it failed, and why: code, message and hint.
void note_failure(RunRecord& run, const Error& error);

// The path absolute, its links resolved as far as it is there; empty for none.
std::string recorded_path(const fs::path& path, const Env& env);

}  // namespace core
