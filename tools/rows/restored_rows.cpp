#include "tools/rows/restored_rows.h"

#include <algorithm>

#include "tools/encode.h"

namespace tools {

using server::Json;

namespace {

constexpr std::chrono::milliseconds kPreviewPatience{2'000};
// A sentence names the tables that change most; structured content has them all.
constexpr std::size_t kMaxTablesInSentence = 8;

struct Row {
  std::string table;
  const Json* counts = nullptr;
};

std::uint64_t count_of(const Json& counts, const char* key) {
  return counts.value(key, std::uint64_t{0});
}

// How many rows are otherwise; by counts alone at least so many.
std::uint64_t difference_of(const Json& counts) {
  if (counts.contains("same")) {
    return count_of(counts, "only_then") + count_of(counts, "only_now") +
           count_of(counts, "changed");
  }
  const auto now = count_of(counts, "now"), then = count_of(counts, "then");
  const bool one_lacks_it = counts.contains("now") != counts.contains("then");
  return std::max<std::uint64_t>(now > then ? now - then : then - now, one_lacks_it ? 1 : 0);
}

// Those that differ, the most first; the names of the others.
std::vector<Row> differing(const Json& rows, std::vector<std::string>& same) {
  std::vector<Row> result;
  for (const auto& entry : rows.items()) {
    if (difference_of(entry.value()) > 0) {
      result.push_back({entry.key(), &entry.value()});
    } else {
      same.push_back(entry.key());
    }
  }
  std::stable_sort(result.begin(), result.end(), [](const Row& a, const Row& b) {
    return difference_of(*a.counts) > difference_of(*b.counts);
  });
  return result;
}

// "8 tables are the same", or only as long.
std::string told_same(const Json& rows, const std::vector<std::string>& same) {
  const bool compared = std::all_of(same.begin(), same.end(), [&](const std::string& table) {
    return rows.at(table).contains("same");
  });
  const char* const number = same.size() == 1 ? "table " : "tables ";
  return std::to_string(same.size()) + " " + number +
         (compared ? (same.size() == 1 ? "is" : "are") + std::string(" the same")
                   : std::string(same.size() == 1 ? "has" : "have") + " as many rows as now");
}

std::string told_counts(const Json& counts, core::Present present) {
  std::string text;
  if (counts.contains("same")) {
    const auto tell = [&](const char* key, const char* words) {
      if (count_of(counts, key) == 0) return;
      text += (text.empty() ? "" : ", ") + std::to_string(count_of(counts, key)) + words;
    };
    tell("only_then", " only in the snapshot");
    tell("only_now", " only now");
    tell("changed", " changed");
    return text;
  }
  const auto tell = [&](const char* key) {
    return counts.contains(key) ? std::to_string(count_of(counts, key)) : std::string("none");
  };
  return (present == core::Present::uncounted ? "cannot be counted now" : tell("now") + " now") +
         ", " + tell("then") + " then";
}

}  // namespace

std::optional<core::RowComparison> compare_preview(const core::RestoreResult& preview,
                                                   const Setting& setting, std::stop_token stop) {
  if (preview.present != core::Present::counted) return std::nullopt;
  if (preview.verification.verdict == core::VerifyReport::Verdict::damaged) return std::nullopt;
  auto compared = core::compare_rows(preview.target, preview.snapshot, kPreviewPatience,
                                     setting.env, std::move(stop));
  if (compared) return std::move(*compared);
  core::RowComparison none;
  none.ended = compared.error().message;
  return none;
}

Json encode_restored_rows(const core::RestoreResult& result,
                          const std::optional<core::RowComparison>& compared) {
  Json rows = Json::object();
  for (const auto& [table, change] : result.rows) {
    Json counts = Json::object();
    if (change.now) counts["now"] = *change.now;
    if (change.then) counts["then"] = *change.then;
    rows[table] = std::move(counts);
  }
  if (!compared) return rows;
  for (const auto& table : compared->tables) {
    Json& counts = rows[table.name];
    counts["only_then"] = table.only_then;
    counts["only_now"] = table.only_now;
    counts["changed"] = table.changed;
    counts["same"] = table.same;
  }
  return rows;
}

std::string restored_rows_sentence(const Json& rows, core::Present present) {
  std::vector<std::string> same;
  const auto changed = differing(rows, same);
  std::string text;
  for (std::size_t i = 0; i < changed.size() && i < kMaxTablesInSentence; ++i) {
    text +=
        (i == 0 ? "" : "; ") + changed[i].table + ": " + told_counts(*changed[i].counts, present);
  }
  if (changed.size() > kMaxTablesInSentence) {
    text += "; and " + std::to_string(changed.size() - kMaxTablesInSentence) + " more tables";
  }
  if (!same.empty()) text += (text.empty() ? "" : "; ") + told_same(rows, same);
  return text;
}

std::string restored_rows_text(const Json& rows, bool dry_run, std::size_t width) {
  std::vector<std::string> same;
  const auto changed = differing(rows, same);
  const bool by_keys = std::any_of(rows.begin(), rows.end(),
                                   [](const Json& counts) { return counts.contains("same"); });
  std::vector<std::vector<std::string>> lines{{"TABLE", "NOW", "THEN"}};
  if (by_keys) {
    lines.front().insert(lines.front().end(), {"ONLY THEN", "ONLY NOW", "CHANGED", "SAME"});
  }
  for (const Row& row : changed) {
    std::vector<std::string> line{row.table};
    for (const char* key : {"now", "then", "only_then", "only_now", "changed", "same"}) {
      if (line.size() == lines.front().size()) break;
      line.push_back(row.counts->contains(key) ? std::to_string(count_of(*row.counts, key)) : "-");
    }
    lines.push_back(std::move(line));
  }
  std::string text = lines.size() > 1 ? format_table(lines, width) : "";
  if (!same.empty()) text += told_same(rows, same) + "\n";
  if (lines.size() == 1) return text;
  return text + (dry_run ? "NOW: in the database as it is. THEN: in the snapshot.\n"
                         : "NOW: in the database before this. THEN: in the snapshot.\n");
}

}  // namespace tools
