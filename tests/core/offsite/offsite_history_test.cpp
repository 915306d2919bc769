// What is owed off this machine, by the history alone.
#include "core/offsite/offsite_history.h"

#include "support/catch.h"
#include "support/fake_env.h"

using namespace core;
using std::chrono::hours;

namespace {

const Instant kNow = *parse_instant("2026-11-29T12:00:00Z");
const std::string kRemote = "backup:claude";

RunRecord snapshot_at(Instant at, std::uint64_t bytes = 4096, bool ok = true) {
  RunRecord run;
  run.kind = kSnapshotRun;
  run.schedule = "global";
  run.source = "/live/global.db";
  run.destination = "/backups";
  run.snapshot = ok ? "/backups/vm/global-2026-11-29.db" : "";
  run.started_at = at;
  run.finished_at = at + std::chrono::seconds(5);
  run.ok = ok;
  run.bytes = bytes;
  return run;
}

RunRecord look_at(Instant at, const std::string& error_code = "") {
  RunRecord run = snapshot_at(at);
  run.kind = kOffsiteRun;
  run.destination = kRemote;
  run.ok = error_code.empty();
  run.error_code = error_code;
  run.error = error_code.empty() ? "" : "it failed";
  const bool leaves = run.ok || error_code == "conflict";
  run.snapshot = leaves ? kRemote + "/vm/global-2026-11-29.db" : "";
  return run;
}

// Newest first.
bool owed(const std::vector<RunRecord>& runs) {
  const auto members = members_by(runs, kRemote, kNow);
  REQUIRE(members.size() == 1);
  return members[0].owed;
}

}  // namespace

TEST_CASE("A copy is owed from the first good snapshot on, until a look leaves one") {
  CHECK(members_by({}, kRemote, kNow).empty());
  CHECK(members_by({snapshot_at(kNow, 0, false)}, kRemote, kNow).empty());
  CHECK(owed({snapshot_at(kNow - hours(1))}));
  CHECK_FALSE(owed({look_at(kNow), snapshot_at(kNow - hours(1))}));
  CHECK(owed({look_at(kNow, "io"), snapshot_at(kNow - hours(1))}));
  CHECK_FALSE(owed({look_at(kNow, "conflict"), snapshot_at(kNow - hours(1))}));
}

TEST_CASE("What a run wrote since the last look is owed; what it found unchanged, once a day") {
  const auto first = snapshot_at(kNow - hours(30));
  CHECK(owed({snapshot_at(kNow - hours(1)), look_at(kNow - hours(2)), first}));
  CHECK_FALSE(owed({snapshot_at(kNow - hours(1), 0), look_at(kNow - hours(2)), first}));
  CHECK(owed({snapshot_at(kNow - hours(1), 0), look_at(kNow - hours(25)), first}));
  // A database that is gone takes no snapshots: what stands off this machine is left alone.
  CHECK_FALSE(owed({look_at(kNow - hours(25)), first}));
  // Another remote than before: everything is owed there.
  CHECK(members_by({look_at(kNow - hours(2)), first}, "other:claude", kNow)[0].owed);
}

TEST_CASE("The newest look that left a copy is the last good one, whatever failed since") {
  const auto members = members_by(
      {look_at(kNow - hours(1), "io"), look_at(kNow - hours(30)), snapshot_at(kNow - hours(31))},
      kRemote, kNow);
  REQUIRE(members.size() == 1);
  CHECK(members[0].last_good == kNow - hours(30) + std::chrono::seconds(5));
  CHECK(members[0].last_copy == kRemote + "/vm/global-2026-11-29.db");
  REQUIRE(members[0].last_error);
  CHECK(members[0].last_error->code == ErrorCode::io);
  CHECK(members[0].folder == fs::path("/backups/vm"));
  CHECK(members[0].stem == "global");
}

TEST_CASE("What is noted of a look comes back, and a note that is no note is none") {
  test::FakeEnv world;
  const RemotePath remote{"backup", "claude"};
  CHECK_FALSE(read_offsite_note(remote, "/x.db", world.env()));
  const OffsiteNote note{"backup:claude/vm/x.db", kNow - hours(3), kNow, kNow - hours(1), 7};
  REQUIRE(write_offsite_note(remote, "/x.db", note, world.env()));
  const auto read = read_offsite_note(remote, "/x.db", world.env());
  REQUIRE(read);
  CHECK(read->copy == note.copy);
  CHECK(read->taken_at == note.taken_at);
  CHECK(read->read_back_at == note.read_back_at);
  CHECK(read->copies == 7);
  CHECK_FALSE(read_offsite_note(remote, "/y.db", world.env()));
  for (const auto& entry : fs::directory_iterator(world.places.state / "offsite")) {
    test::write_file(entry.path(), "{\"copy\": 7}");
  }
  CHECK_FALSE(read_offsite_note(remote, "/x.db", world.env()));
}
