#include "core/offsite/keep_text.h"

#include <array>
#include <charconv>
#include <limits>

namespace core {
namespace {

struct Word {
  std::string_view name;
  std::optional<int> RetentionPolicy::*count;
};
constexpr std::array kWords{
    Word{"days", &RetentionPolicy::retain_days},   Word{"last", &RetentionPolicy::keep_last},
    Word{"hourly", &RetentionPolicy::keep_hourly}, Word{"daily", &RetentionPolicy::keep_daily},
    Word{"weekly", &RetentionPolicy::keep_weekly}, Word{"monthly", &RetentionPolicy::keep_monthly}};
constexpr std::string_view kAll = "all";

bool take_rule(std::string_view rule, RetentionPolicy& policy) {
  const std::size_t equals = rule.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view digits = rule.substr(equals + 1);
  int count = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (problem != std::errc() || end != digits.data() + digits.size() || count < 1) return false;
  for (const Word& word : kWords) {
    if (word.name != rule.substr(0, equals)) continue;
    policy.*word.count = count;
    return true;
  }
  return false;
}

}  // namespace

Expected<RetentionPolicy> parse_keep_text(std::string_view text) {
  RetentionPolicy policy;
  if (text == kAll) return policy;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    if (!take_rule(rest.substr(0, comma), policy)) break;
    if (comma == std::string_view::npos) return policy;
    rest.remove_prefix(comma + 1);
  }
  return fail(ErrorCode::invalid_argument,
              "'" + std::string(text.substr(0, 200)) + "' is no list of keep rules.",
              "Write it as last=3,daily=7,weekly=4,monthly=12, with any of these, days and hourly; "
              "or all, to keep every copy.");
}

std::string format_keep_text(const RetentionPolicy& policy) {
  std::string text;
  for (const Word& word : kWords) {
    const auto& count = policy.*word.count;
    if (!count) continue;
    text += (text.empty() ? "" : ",") + std::string(word.name) + "=" + std::to_string(*count);
  }
  return text.empty() ? std::string(kAll) : text;
}

}  // namespace core
