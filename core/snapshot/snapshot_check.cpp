#include "core/snapshot/snapshot_check.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/series.h"

namespace core {
namespace {

// Why SQLite could not check all that it was asked to.
std::string describe_structure(const VerifyReport& report) {
  std::string text;
  for (const VerifyCheck& check : report.checks) {
    const bool of_structure = check.unfinished || check.name == "header" ||
                              check.name == "quick_check" || check.name == "integrity_check";
    const bool said = text.find(check.reason) != std::string::npos;
    if (of_structure && !check.reason.empty() && !said) text += " " + check.reason;
  }
  return text;
}

}  // namespace

std::optional<Instant> last_full_check(const SnapshotPlan& plan,
                                       const std::vector<Snapshot>& series, Instant now) {
  const std::string source = manifest_text(text_of(plan.source));
  std::optional<Instant> last;
  for (const Snapshot& snapshot : series) {
    if (!snapshot.manifest || snapshot.manifest->source != source ||
        is_of_other_host(snapshot, plan.host, plan.machine)) {
      continue;
    }
    const auto checked = full_check_of(*snapshot.manifest);
    if (checked && *checked <= now) last = last ? std::max(*last, *checked) : *checked;
  }
  return last;
}

VerifyLevel due_level(VerifyLevel wanted, const std::optional<Instant>& last_full, Instant now) {
  if (wanted != VerifyLevel::quick) return wanted;
  return last_full && now - *last_full < kFullCheckEvery ? VerifyLevel::quick : VerifyLevel::full;
}

std::vector<std::string> check_warnings(const VerifyReport& report, VerifyLevel wanted) {
  std::vector<std::string> warnings;
  for (const auto& [check, findings] : report.source_findings) {
    std::string warning = "The source itself has " + std::to_string(findings) +
                          (findings == 1 ? " finding" : " findings") + " of the check " + check +
                          "; the snapshot has them too.";
    if (check == "indexes") warning += " " + index_advice();
    warnings.push_back(std::move(warning));
  }
  if (report.verdict != VerifyReport::Verdict::verified || report.level < wanted) {
    warnings.push_back("The snapshot could not be checked in full." + describe_structure(report));
  }
  return warnings;
}

Error failed_check(const SnapshotPlan& plan, const VerifyReport& report, VerifyLevel level) {
  // A check of ours would call a live database damaged for its -wal.
  const std::string pragma =
      level == VerifyLevel::full ? "PRAGMA integrity_check" : "PRAGMA quick_check";
  return {ErrorCode::damaged,
          "The copy of " + text_of(plan.source) + " failed its check (" +
              describe_failures(report) +
              "). No snapshot was published; older snapshots are as they were.",
          "Check the source with " + pragma +
              ", and try another destination: if both pass, this destination's disk is at fault; "
              "if not, bring back the newest good snapshot with " +
              say(Action::restore) + " and " + say_parameter("in_place") +
              ", after a preview with " + say_parameter("dry_run") + "."};
}

}  // namespace core
