#include "core/status/offsite_status.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/offsite/offsite_plan.h"

namespace core {
namespace {

std::string age_of(Instant then, Instant now) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(now - then).count();
  return hours >= 48 ? std::to_string(hours / 24) + " days" : std::to_string(hours) + " hours";
}

std::string try_now(const OffsiteFacts& facts) {
  return " Try it now: " + say(Action::copy_offsite, {{"schedule", facts.schedule}}) + ".";
}

// Of the newest run.
void tell_failure(const RunRecord& run, const OffsiteFacts& facts, Instant now,
                  OffsiteStatus& status) {
  status.last_error = run.error.empty() ? run.error_code : run.error;
  status.failing = is_alarm({error_code_of(run.error_code), "", ""}, status.last_copy, now);
  status.problem = status.last_copy
                       ? "The off-site copy on " + facts.remote + " is " +
                             age_of(*status.last_copy, now) + " old: " + status.last_error
                       : "There is no off-site copy on " + facts.remote + ": " + status.last_error;
  status.problem += try_now(facts);
}

void tell_what_lacks(const OffsiteFacts& facts, Instant now, OffsiteStatus& status) {
  if (!status.last_copy) {
    status.problem = "There is no off-site copy on " + facts.remote + " yet." + try_now(facts);
  } else if (now - *status.last_copy >= kOffsitePatience) {
    status.failing = true;
    status.problem = "The off-site copy on " + facts.remote + " is " +
                     age_of(*status.last_copy, now) + " old." + try_now(facts);
  } else if (facts.encrypted && !facts.has_sheet) {
    status.problem = "Nobody can read the off-site copies on " + facts.remote +
                     " without its passwords. Write a recovery sheet, and keep it elsewhere: " +
                     say(Action::copy_offsite, {{"recovery_sheet"}}) + ".";
  }
}

}  // namespace

OffsiteStatus judge_offsite(const OffsiteFacts& facts, const std::vector<const RunRecord*>& runs,
                            Instant now) {
  OffsiteStatus status;
  status.remote = facts.remote;
  status.encrypted = facts.encrypted;
  status.off_machine = facts.off_machine;
  const RunRecord* newest = nullptr;
  for (const RunRecord* run : runs) {
    if (run->kind != kOffsiteRun || run->destination != facts.remote) continue;
    if (newest == nullptr) newest = run;
    if (!leaves_copy(*run) || run->finished_at > now) continue;
    status.last_copy = run->finished_at;
    break;
  }
  if (facts.note) {
    status.taken_at = facts.note->taken_at;
    status.copies = facts.note->copies;
    if (!status.last_copy && facts.note->looked_at <= now) status.last_copy = facts.note->looked_at;
  }
  if (newest != nullptr && !newest->ok) {
    tell_failure(*newest, facts, now, status);
  } else {
    tell_what_lacks(facts, now, status);
  }
  return status;
}

}  // namespace core
