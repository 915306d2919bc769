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

using Counts = std::map<std::string, std::uint64_t>;

std::uint64_t sum_of(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [table, rows] : counts) sum += rows;
  return sum;
}

void raise_to(Counts& counts, const Counts& others) {
  for (const auto& [table, rows] : others) counts[table] = std::max(counts[table], rows);
}

// What could not be counted is not lost.
void leave_out_uncounted(Holdings& before, const Holdings& now) {
  std::erase_if(before.rows, [&](const auto& entry) { return !now.rows.contains(entry.first); });
  if (before.virtual_rows) {
    std::erase_if(*before.virtual_rows, [&](const auto& entry) {
      return !now.virtual_rows || !now.virtual_rows->contains(entry.first);
    });
  }
  before.total = sum_of(before.rows);
  if (before.everything) before.everything = before.total + sum_of(*before.virtual_rows);
}

// The table that lost most, among those seen so far.
void look_for_worst(const Counts& before, const Counts& now, std::optional<Loss>& worst) {
  for (const auto& [table, rows] : before) {
    const auto found = now.find(table);
    const std::uint64_t left = found == now.end() ? 0 : found->second;
    const bool worse = !worst || rows - left > worst->before - worst->after;
    if (is_much(rows, left, kMinAlarmRows) && worse) worst = Loss{table, rows, left};
  }
}

}  // namespace

Holdings holdings_of(const Manifest& manifest) {
  Holdings holdings;
  holdings.rows = manifest.rows;
  holdings.rows_complete = manifest.rows_complete;
  holdings.virtual_rows = manifest.virtual_rows;
  holdings.total = sum_of(manifest.rows);
  if (manifest.virtual_rows) holdings.everything = holdings.total + sum_of(*manifest.virtual_rows);
  holdings.bytes = manifest.bytes;
  return holdings;
}

Holdings most_of(const Holdings& a, const Holdings& b) {
  Holdings most = a;
  // One that knows all its tables tells also which are not there.
  most.rows_complete = a.rows_complete || b.rows_complete;
  most.total = std::max(a.total, b.total);
  most.bytes = std::max(a.bytes, b.bytes);
  raise_to(most.rows, b.rows);
  if (!b.virtual_rows) return most;
  if (!most.virtual_rows) most.virtual_rows.emplace();
  raise_to(*most.virtual_rows, *b.virtual_rows);
  most.everything = std::max(a.everything.value_or(0), b.everything.value_or(0));
  return most;
}

std::optional<Loss> loss_since(const Snapshot& previous, const Holdings& now) {
  Holdings before;
  before.bytes = previous.bytes;
  if (previous.manifest) before = holdings_of(*previous.manifest);
  if (!now.rows_complete) leave_out_uncounted(before, now);
  if (is_much(before.total, now.total, kMinAlarmRows)) return Loss{"", before.total, now.total};
  const bool both = before.everything && now.everything;
  if (both && is_much(*before.everything, *now.everything, kMinAlarmRows)) {
    return Loss{"", *before.everything, *now.everything};
  }
  // Notes can go unnoticed among the many rows of a log.
  std::optional<Loss> worst;
  look_for_worst(before.rows, now.rows, worst);
  if (before.virtual_rows && now.virtual_rows) {
    look_for_worst(*before.virtual_rows, *now.virtual_rows, worst);
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
