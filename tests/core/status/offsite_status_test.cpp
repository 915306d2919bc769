#include "core/status/offsite_status.h"

#include "support/catch.h"

using namespace core;
using std::chrono::hours;

namespace {

const Instant kStatusAt = *parse_instant("2026-11-29T12:00:00Z");

RunRecord offsite_look(Instant at, const std::string& error_code = "") {
  RunRecord run;
  run.kind = kOffsiteRun;
  run.destination = "backup:claude";
  run.started_at = run.finished_at = at;
  run.ok = error_code.empty();
  run.error_code = error_code;
  if (run.ok) run.snapshot = "backup:claude/vm/x.db";
  if (!run.ok) run.error = "there is no connection.";
  return run;
}

OffsiteStatus judged(const std::vector<RunRecord>& runs, bool encrypted = false,
                     bool has_sheet = false) {
  std::vector<const RunRecord*> pointers;
  for (const RunRecord& run : runs) pointers.push_back(&run);
  OffsiteFacts facts;
  facts.schedule = "global";
  facts.remote = "backup:claude";
  facts.encrypted = encrypted;
  facts.has_sheet = has_sheet;
  return judge_offsite(facts, pointers, kStatusAt);
}

}  // namespace

TEST_CASE("A fresh copy off this machine is no problem, and one of three days is a failure") {
  const auto fresh = judged({offsite_look(kStatusAt - hours(3))});
  CHECK(fresh.problem.empty());
  CHECK(fresh.last_copy == kStatusAt - hours(3));
  const auto old = judged({offsite_look(kStatusAt - hours(72))});
  CHECK(old.failing);
  CHECK_THAT(old.problem, Catch::Contains("3 days old") && Catch::Contains("backup:claude"));
}

TEST_CASE(
    "A network that is away is a problem, and a failure after two days or for other reasons") {
  const auto away = judged({offsite_look(kStatusAt, "io"), offsite_look(kStatusAt - hours(30))});
  CHECK_FALSE(away.failing);
  CHECK(away.last_error == "there is no connection.");
  CHECK_THAT(away.problem, Catch::Contains("30 hours old: there is no connection."));
  CHECK(judged({offsite_look(kStatusAt, "io"), offsite_look(kStatusAt - hours(50))}).failing);
  CHECK(judged({offsite_look(kStatusAt, "damaged"), offsite_look(kStatusAt - hours(1))}).failing);
  const auto never = judged({offsite_look(kStatusAt, "io")});
  CHECK(never.failing);
  CHECK_THAT(never.problem, Catch::StartsWith("There is no off-site copy on backup:claude: "));
}

TEST_CASE("A look of a time that has not come is no success") {
  CHECK_FALSE(judged({offsite_look(kStatusAt + hours(1))}).last_copy);
}

TEST_CASE("Encrypted copies without a recovery sheet are a matter of upkeep") {
  const auto bare = judged({offsite_look(kStatusAt - hours(3))}, true);
  CHECK_FALSE(bare.failing);
  CHECK_THAT(bare.problem, Catch::Contains("recovery sheet"));
  CHECK(judged({offsite_look(kStatusAt - hours(3))}, true, true).problem.empty());
}
