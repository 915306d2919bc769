#include "core/catalog/loss.h"

#include <algorithm>

#include "core/base/paths.h"

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

// Returns how many rows went with the entries.
std::uint64_t keep_known(Counts& counts, const Counts& known) {
  const std::uint64_t before = sum_of(counts);
  std::erase_if(counts, [&](const auto& entry) { return !known.contains(entry.first); });
  return before - sum_of(counts);
}

// What could not be counted is not lost.
void leave_out_uncounted(Holdings& before, const Holdings& now) {
  const std::uint64_t left_out = keep_known(before.rows, now.rows);
  before.total -= left_out;
  if (!before.virtual_rows) return;
  *before.everything -=
      left_out + keep_known(*before.virtual_rows, now.virtual_rows.value_or(Counts{}));
}

// The table that lost most, among those seen so far: more than half, and no few rows, or `any`. One
// that is not in `now` may have up to `others`.
void look_for_worst(const Counts& before, const Counts& now, std::uint64_t others, bool any,
                    std::optional<Loss>& worst) {
  for (const auto& [table, rows] : before) {
    const auto found = now.find(table);
    const std::uint64_t left = found == now.end() ? std::min(others, rows) : found->second;
    const bool worse = !worst || rows - left > worst->before - worst->after;
    const bool counts = any ? left < rows : is_much(rows, left, kMinAlarmRows);
    if (counts && worse) worst = Loss{table, rows, left};
  }
}

// Why a snapshot does not tell which rows it has; empty when it does.
std::string why_silent(const Snapshot& snapshot, const Manifest& now) {
  if (!snapshot.manifest_problem.empty()) return snapshot.manifest_problem;
  if (!snapshot.manifest) return "It has no manifest.";
  const bool unknown = snapshot.manifest->rows.empty() && snapshot.manifest->omitted.tables == 0 &&
                       !now.rows.empty();
  return unknown ? "Its manifest has no row counts." : "";
}

}  // namespace

Holdings holdings_of(const Manifest& manifest) {
  Holdings holdings;
  holdings.rows = manifest.rows;
  holdings.rows_complete = manifest.rows_complete;
  holdings.virtual_rows = manifest.virtual_rows;
  holdings.total = manifest.omitted.rows + sum_of(manifest.rows);
  if (manifest.virtual_rows) holdings.everything = holdings.total + sum_of(*manifest.virtual_rows);
  holdings.bytes = manifest.bytes;
  if (manifest.omitted.tables > 0) {
    holdings.others = manifest.omitted.rows;  // those with the fewest are omitted
    for (const auto& [table, rows] : manifest.rows) {
      holdings.others = std::min(holdings.others, rows);
    }
  }
  return holdings;
}

Holdings most_of(const Holdings& a, const Holdings& b) {
  Holdings most = a;
  // One that knows all its tables tells also which are not there.
  most.rows_complete = a.rows_complete || b.rows_complete;
  most.total = std::max(a.total, b.total);
  most.bytes = std::max(a.bytes, b.bytes);
  most.others = std::max(a.others, b.others);
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
  look_for_worst(before.rows, now.rows, now.others, /*any=*/false, worst);
  if (before.virtual_rows && now.virtual_rows) {
    look_for_worst(*before.virtual_rows, *now.virtual_rows, 0, /*any=*/false, worst);
  }
  if (worst) return worst;
  if (is_much(previous.bytes, now.bytes, kMinAlarmBytes)) {
    return Loss{"", previous.bytes, now.bytes, "bytes"};
  }
  return std::nullopt;
}

std::optional<Warning> shrink_warning(const Snapshot& previous, const Holdings& now) {
  const auto loss = loss_since(previous, now);
  if (!loss) return std::nullopt;
  const std::string where = loss->table.empty() ? "" : " in " + loss->table;
  return Warning("The database has lost most of its content" + where + ": " +
                     std::to_string(loss->after) + " " + loss->unit + " now, " +
                     std::to_string(loss->before) + " in " + text_of(previous.path) + ".",
                 WarningKind::shrunk);
}

std::optional<Loss> fewer_rows(const Snapshot& previous, const Holdings& now) {
  std::optional<Loss> worst;
  if (!previous.manifest) return worst;
  Holdings before = holdings_of(*previous.manifest);
  if (!now.rows_complete) leave_out_uncounted(before, now);
  look_for_worst(before.rows, now.rows, now.others, /*any=*/true, worst);
  return worst;
}

Comparison compare_with_earlier(const std::vector<Snapshot>& earlier, const Manifest& now,
                                Instant at) {
  std::vector<const Snapshot*> latest_first;
  for (const Snapshot& snapshot : earlier) {
    const bool foreign = snapshot.manifest && snapshot.manifest->source != now.source;
    if (!foreign) latest_first.push_back(&snapshot);
  }
  std::sort(latest_first.begin(), latest_first.end(),
            [&](const Snapshot* a, const Snapshot* b) { return taken_before(*b, *a, at); });
  const Holdings holdings = holdings_of(now);
  Comparison result;
  bool told = false;
  for (const Snapshot* snapshot : latest_first) {
    const std::string silent = why_silent(*snapshot, now);
    if (result.uncompared.empty() && !told && !silent.empty()) {
      result.uncompared =
          text_of(snapshot->path) +
          ", which was taken last before this one, could not be compared with it. " + silent;
    }
    const bool better = !result.fuller || snapshot->restorable();
    if (better && loss_since(*snapshot, holdings)) result.fuller = *snapshot;
    told = told || silent.empty();
    if (told && (!result.fuller || result.fuller->restorable())) break;
  }
  // A database that never had a table has nothing to compare.
  const bool nothing_known = !told && !latest_first.empty() && latest_first.front()->manifest;
  if (nothing_known) result.uncompared.clear();
  return result;
}

}  // namespace core
