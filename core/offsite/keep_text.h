// Keep rules as one line, "last=3,daily=7": for what has room for a single setting only. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/catalog/retention.h"

namespace core {

// days, last, hourly, daily, weekly, monthly, each with a count from 1; "all" for no rule.
// invalid_argument for anything else.
Expected<RetentionPolicy> parse_keep_text(std::string_view text);
std::string format_keep_text(const RetentionPolicy& policy);

}  // namespace core
