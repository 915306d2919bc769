#include "core/loss.h"

#include <algorithm>

#include "core/history.h"

namespace core {
namespace {

// Below these a loss of half is everyday business, not an alarm.
constexpr std::uint64_t kMinAlarmRows = 20;
constexpr std::uint64_t kMinAlarmBytes = 256 * 1024;

bool is_much(std::uint64_t before, std::uint64_t after, std::uint64_t least) {
  return before >= least && after < before / 2;
}

// What could not be counted is not lost.
void leave_out_uncounted(Holdings& before, const Holdings& now) {
  for (auto it = before.rows.begin(); it != before.rows.end();) {
    if (now.rows.contains(it->first)) {
      ++it;
      continue;
    }
    before.total -= it->second;
    it = before.rows.erase(it);
  }
}

}  // namespace

Holdings holdings_of(const Manifest& manifest) {
  Holdings holdings{manifest.rows, manifest.rows_complete, 0, manifest.bytes};
  for (const auto& [table, rows] : manifest.rows) holdings.total += rows;
  return holdings;
}

Holdings most_of(const Holdings& a, const Holdings& b) {
  Holdings most{a.rows, a.rows_complete && b.rows_complete, std::max(a.total, b.total),
                std::max(a.bytes, b.bytes)};
  for (const auto& [table, rows] : b.rows) most.rows[table] = std::max(most.rows[table], rows);
  return most;
}

std::optional<Loss> loss_since(const Snapshot& previous, const Holdings& now) {
  Holdings before =
      previous.manifest ? holdings_of(*previous.manifest) : Holdings{{}, true, 0, previous.bytes};
  if (!now.rows_complete) leave_out_uncounted(before, now);
  if (is_much(before.total, now.total, kMinAlarmRows)) return Loss{"", before.total, now.total};
  // Notes can go unnoticed among the many rows of a log.
  std::optional<Loss> worst;
  for (const auto& [table, rows] : before.rows) {
    const auto found = now.rows.find(table);
    const std::uint64_t left = found == now.rows.end() ? 0 : found->second;
    const bool worse = !worst || rows - left > worst->before - worst->after;
    if (is_much(rows, left, kMinAlarmRows) && worse) worst = Loss{table, rows, left};
  }
  if (worst) return worst;
  if (is_much(previous.bytes, now.bytes, kMinAlarmBytes)) {
    return Loss{"", previous.bytes, now.bytes, "bytes"};
  }
  return std::nullopt;
}

std::optional<std::string> shrink_warning(const Snapshot& previous, const Holdings& now) {
  const auto loss = loss_since(previous, now);
  if (!loss) return std::nullopt;
  return std::string(kShrinkWarning) + (loss->table.empty() ? "" : " in " + loss->table) + ": " +
         std::to_string(loss->after) + " " + loss->unit + " now, " + std::to_string(loss->before) +
         " in " + previous.path.string() + ".";
}

}  // namespace core
