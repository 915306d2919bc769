// The leg off this machine, over a remote in memory.
#include "core/offsite/copy_off.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/catalog/manifest.h"
#include "core/offsite/offsite_history.h"
#include "core/offsite/rclone_says.h"
#include "core/support/memory_store.h"
#include "support/catch.h"
#include "support/snapshots.h"
#include "support/test_database.h"

using namespace core;
using What = OffsiteCopy::What;
using std::chrono::hours;

namespace {

struct OffsiteWorld : test::SnapshotWorld {
  OffsiteWorld() {
    test::make_notes_database(source);
    take_as_scheduled();
  }
  void take_as_scheduled() {
    auto wanted = request();
    wanted.schedule = "global";
    REQUIRE(take(wanted));
  }
  void change() { test::run_sql(source, test::commit_sql(1000 + ++changes)); }
  // The next day's run, with something new in it.
  void next_day() {
    clock.advance(hours(24));
    change();
    take_as_scheduled();
  }
  OffsiteRequest leg() {
    const auto members = *offsite_members("global", {"backup", "claude"}, env());
    REQUIRE(members.size() == 1);
    OffsiteRequest request;
    request.schedule = "global";
    request.source = members[0].source;
    request.folder = members[0].folder;
    request.destination = members[0].destination;
    request.stem = members[0].stem;
    request.host = "testhost";
    request.target.remote = {"backup", "claude"};
    request.keep = keep;
    if (!members[0].last_copy.empty()) request.canary = members[0].last_copy;
    return request;
  }
  Expected<OffsiteCopy> copy() {
    NoProgress no_progress;
    store.now = clock.now();
    store.deeds.clear();
    store.bytes_sent = 0;
    return copy_off_and_record(leg(), store, env(), no_progress, {});
  }
  bool owed() { return (*offsite_members("global", {"backup", "claude"}, env()))[0].owed; }
  RunRecord last_run() {
    RunFilter filter;
    filter.kind = kOffsiteRun;
    return list_runs(filter, env())->front();
  }
  // A manifest never stands beside other bytes.
  void check_marks() const {
    for (const auto& [path, file] : store.files) {
      if (!path.ends_with(kManifestEnding)) continue;
      const auto manifest = decode_manifest(file.bytes);
      if (!manifest) continue;
      const auto data = store.files.find(std::string(without_manifest_ending(path)));
      REQUIRE(data != store.files.end());
      CHECK(sha256_of(data->second.bytes) == manifest->sha256);
    }
  }
  std::string& data(const std::string& day) {
    return store.files.at("testhost/global-" + day + ".db").bytes;
  }

  test::MemoryStore store;
  RetentionPolicy keep;
  std::uint64_t changes = 0;
};

const std::string kFirst = "testhost/global-2026-11-23.db";

std::optional<Error> gone_network(const std::string&) {
  return error_of(RcloneFault::unreachable, "cannot reach backup:claude");
}

}  // namespace

TEST_CASE("A copy goes, is read back, and its manifest goes last, byte for byte") {
  OffsiteWorld world;
  CHECK(world.owed());
  const auto copy = world.copy();
  REQUIRE(copy);
  CHECK(copy->what == What::sent);
  CHECK(copy->copy == "backup:claude/" + kFirst);
  CHECK(copy->copies == 1);
  const std::vector<std::string> order{"list testhost", "put " + kFirst, "digest " + kFirst,
                                       "put " + kFirst + ".manifest.json",
                                       "read " + kFirst + ".manifest.json"};
  CHECK(world.store.deeds == order);
  const auto local = world.destination / kFirst;
  CHECK(world.store.files.at(kFirst).bytes == test::read_file(local));
  CHECK(world.store.files.at(kFirst + ".manifest.json").bytes ==
        test::read_file(manifest_path_of(local)));
  const RunRecord run = world.last_run();
  CHECK(run.ok);
  CHECK(run.schedule == "global");
  CHECK(run.destination == "backup:claude");
  CHECK(run.snapshot == copy->copy);
  CHECK_FALSE(world.owed());
}

TEST_CASE("An unchanged database sends nothing, and is looked at once a day") {
  OffsiteWorld world;
  REQUIRE(world.copy());
  world.clock.advance(hours(24));
  CHECK_FALSE(world.owed());  // nothing ran here meanwhile
  auto wanted = world.request();
  wanted.schedule = "global";
  wanted.unless_unchanged = true;
  REQUIRE(world.take(wanted)->unchanged);
  CHECK(world.owed());
  const auto copy = world.copy();
  REQUIRE(copy);
  CHECK(copy->what == What::unchanged);
  CHECK(world.store.bytes_sent == 0);
  CHECK(world.store.deeds ==
        std::vector<std::string>{"list testhost", "fetch " + kFirst + ".manifest.json"});
  CHECK_FALSE(world.owed());
}

TEST_CASE(
    "A copy that stands unchanged is read back once a month, and sent again where it rotted") {
  OffsiteWorld world;
  REQUIRE(world.copy());
  world.clock.advance(kReadBackPeriod + hours(1));
  const auto whole = world.copy();
  REQUIRE(whole);
  CHECK(whole->what == What::unchanged);
  CHECK(std::count(world.store.deeds.begin(), world.store.deeds.end(), "digest " + kFirst) == 1);
  CHECK(world.store.bytes_sent == 0);
  world.clock.advance(kReadBackPeriod + hours(1));
  world.data("2026-11-23")[5000] ^= 1;
  const auto again = world.copy();
  REQUIRE(again);
  CHECK(again->what == What::sent);
  REQUIRE(again->warnings.size() == 1);
  CHECK_THAT(again->warnings[0], Catch::Contains("did not read back"));
  world.check_marks();
}

TEST_CASE("A remote that stores other bytes and says all is well is found out") {
  OffsiteWorld world;
  const bool manifest_too = GENERATE(false, true);
  world.store.spoil = [&](const std::string& path, std::string bytes) {
    const bool is_manifest = path.ends_with(kManifestEnding);
    if (is_manifest != manifest_too) return bytes;
    return bytes.substr(0, bytes.size() / 2);
  };
  const auto copy = world.copy();
  REQUIRE_FALSE(copy);
  CHECK(copy.error().code == ErrorCode::damaged);
  CHECK_THAT(copy.error().message, Catch::Contains("read back") && Catch::Contains("no copy"));
  CHECK_FALSE(world.store.files.contains(kFirst + ".manifest.json"));
  CHECK(world.last_run().error_code == "damaged");
  CHECK(world.owed());
  world.store.spoil = nullptr;
  REQUIRE(world.copy());
  world.check_marks();
}

TEST_CASE("A snapshot that rotted here is told as what it is, and not as the remote's fault") {
  OffsiteWorld world;
  std::string bytes = test::read_file(world.destination / kFirst);
  bytes[5000] ^= 1;
  test::write_file(world.destination / kFirst, bytes);
  const auto copy = world.copy();
  REQUIRE_FALSE(copy);
  CHECK(copy.error().code == ErrorCode::damaged);
  CHECK_THAT(copy.error().message, Catch::Contains("not what its manifest says"));
  CHECK_FALSE(world.store.files.contains(kFirst + ".manifest.json"));
}

TEST_CASE("A copy of today is replaced only while another good one stands") {
  OffsiteWorld world;
  REQUIRE(world.copy());
  const std::string first = world.data("2026-11-23");
  world.clock.advance(hours(1));
  world.change();
  world.take_as_scheduled();
  CHECK(world.owed());
  const auto waiting = world.copy();
  REQUIRE(waiting);
  CHECK(waiting->what == What::waiting);
  CHECK(world.data("2026-11-23") == first);
  CHECK_FALSE(world.owed());  // until the next snapshot
  world.next_day();
  REQUIRE(world.copy()->what == What::sent);
  const std::string second = world.data("2026-11-24");
  world.change();
  world.clock.advance(hours(1));
  world.take_as_scheduled();
  const auto replaced = world.copy();
  REQUIRE(replaced);
  CHECK(replaced->what == What::sent);
  CHECK(world.data("2026-11-24") != second);
  CHECK(replaced->copies == 2);
  world.check_marks();
}

TEST_CASE(
    "Whatever step fails or is the last, no manifest stands beside other bytes, and the next "
    "run makes it good") {
  OffsiteWorld world;
  REQUIRE(world.copy());
  world.next_day();
  REQUIRE(world.copy());
  world.change();
  world.clock.advance(hours(1));
  world.take_as_scheduled();  // replaces, so that each step there is comes in turn
  const auto before = world.store.files;
  for (std::size_t step = 0; step < 20; ++step) {
    world.store.files = before;
    const bool torn = GENERATE(false, true);
    std::size_t done = 0;
    world.store.fault = [&](const std::string& deed) -> std::optional<Error> {
      if (done++ != step) return std::nullopt;
      if (torn && deed.starts_with("put ")) {
        world.store.files[deed.substr(4)] = {"half of it", world.clock.now()};
      }
      return error_of(RcloneFault::unreachable, deed);
    };
    const auto cut = world.copy();
    world.store.fault = nullptr;
    INFO(step);
    world.check_marks();
    if (cut) break;
    CHECK(step < 10);
    const auto whole = world.copy();
    REQUIRE(whole);
    CHECK_FALSE(whole->missed);  // that it is not there was our own doing
    CHECK(whole->what != What::waiting);
    CHECK(whole->copies == 2);
    CHECK(world.data("2026-11-24") ==
          test::read_file(world.host_folder() / "global-2026-11-24.db"));
    world.check_marks();
  }
}

TEST_CASE(
    "A copy that the history knows and the remote lacks is told once, and nothing is removed") {
  OffsiteWorld world;
  world.keep.keep_last = 1;
  REQUIRE(world.copy());
  world.store.files.clear();  // as with a wrong password, or a folder that somebody deleted
  world.next_day();
  const auto copy = world.copy();
  REQUIRE(copy);
  REQUIRE(copy->missed);
  CHECK(copy->missed->code == ErrorCode::conflict);
  CHECK_THAT(copy->missed->message, Catch::Contains(kFirst));
  CHECK(copy->what == What::sent);
  CHECK(std::none_of(world.store.deeds.begin(), world.store.deeds.end(),
                     [](const std::string& deed) { return deed.starts_with("remove "); }));
  CHECK_FALSE(world.last_run().ok);
  CHECK_FALSE(world.owed());
  world.next_day();
  const auto next = world.copy();
  REQUIRE(next);
  CHECK_FALSE(next->missed);
  world.check_marks();
}

TEST_CASE("Keep rules let old copies go, manifest first, and never the last good one") {
  OffsiteWorld world;
  world.keep.keep_last = 2;
  REQUIRE(world.copy());
  world.next_day();
  REQUIRE(world.copy());
  world.next_day();
  const auto copy = world.copy();
  REQUIRE(copy);
  REQUIRE(copy->removed.size() == 1);
  CHECK(copy->copies == 2);
  CHECK_FALSE(world.store.files.contains(kFirst));
  const auto& deeds = world.store.deeds;
  REQUIRE(deeds.size() > 2);
  CHECK(deeds[deeds.size() - 2] == "remove " + kFirst + ".manifest.json");
  CHECK(deeds.back() == "remove " + kFirst);

  // All but the newest are no copies any more: it stays, whatever the rules say.
  world.keep.keep_last = 1;
  world.data("2026-11-24").resize(10);
  const auto last = world.copy();
  REQUIRE(last);
  CHECK(last->copies == 1);
  CHECK(world.store.files.contains("testhost/global-2026-11-25.db"));
}

TEST_CASE(
    "Where the database lost most of its rows, the fuller copy stays whatever the rules say") {
  OffsiteWorld world;
  test::run_sql(world.source,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
                "INSERT INTO notes(id, type, content, created_at) "
                "SELECT 'm' || i, 'x', 'much', '' FROM n");
  world.next_day();
  world.keep.keep_last = 1;
  REQUIRE(world.copy());
  test::run_sql(world.source, "DELETE FROM notes WHERE id LIKE 'm%'");
  world.next_day();
  const auto copy = world.copy();
  REQUIRE(copy);
  CHECK(copy->removed.empty());
  CHECK(copy->copies == 2);
}

TEST_CASE("What a server does not let us remove is a warning, and the copy counts") {
  OffsiteWorld world;
  world.keep.keep_last = 1;
  REQUIRE(world.copy());
  world.next_day();
  world.store.fault = [](const std::string& deed) -> std::optional<Error> {
    if (!deed.starts_with("remove ")) return std::nullopt;
    return error_of(RcloneFault::refused, "cannot remove it");
  };
  const auto copy = world.copy();
  REQUIRE(copy);
  CHECK(copy->what == What::sent);
  REQUIRE(copy->warnings.size() == 1);
  CHECK_THAT(copy->warnings[0], Catch::StartsWith("Older copies stay: "));
  CHECK(world.last_run().ok);
  CHECK(copy->copies == 2);
}

TEST_CASE("What others put there is neither read as a copy, nor removed") {
  OffsiteWorld world;
  world.keep.keep_last = 1;
  REQUIRE(world.copy());
  const Instant old = world.clock.now() - hours(24 * 30);
  world.store.files["testhost/global-2026-01-01.db"] = {"somebody's", old};
  world.store.files["testhost/other-2026-01-01.db"] = {"somebody's", old};
  world.store.files["testhost/readme.txt"] = {"somebody's", old};
  auto manifest = *decode_manifest(world.store.files[kFirst + ".manifest.json"].bytes);
  manifest.source = "/another/global.db";
  manifest.bytes = 10;
  world.store.files["testhost/global-2026-01-02.db"] = {"somebody's", old};
  world.store.files["testhost/global-2026-01-02.db.manifest.json"] = {encode_manifest(manifest),
                                                                      old};
  world.next_day();
  const auto copy = world.copy();
  REQUIRE(copy);
  CHECK(copy->removed.size() == 1);  // our own of yesterday
  for (const char* theirs : {"testhost/global-2026-01-01.db", "testhost/other-2026-01-01.db",
                             "testhost/readme.txt", "testhost/global-2026-01-02.db"}) {
    CHECK(world.store.files.contains(theirs));
  }
}

TEST_CASE("Data of ours that a cut run left unmarked goes after two days") {
  OffsiteWorld world;
  REQUIRE(world.copy());
  world.store.files.erase(kFirst + ".manifest.json");
  const RunRecord run = world.last_run();
  world.next_day();
  auto request = world.leg();
  request.canary.reset();
  NoProgress no_progress;
  world.store.now = world.clock.now();
  REQUIRE(copy_off_and_record(request, world.store, world.env(), no_progress, {}));
  CHECK(world.store.files.contains(kFirst));
  world.clock.advance(kUnmarkedAge);
  world.change();
  world.take_as_scheduled();
  REQUIRE(world.copy());
  CHECK_FALSE(world.store.files.contains(kFirst));
}

TEST_CASE("A name that another database has there is a conflict, and stays") {
  OffsiteWorld world;
  REQUIRE(world.copy());
  auto& text = world.store.files[kFirst + ".manifest.json"].bytes;
  auto manifest = *decode_manifest(text);
  manifest.source = "/another/global.db";
  text = encode_manifest(manifest);
  const std::string theirs = world.data("2026-11-23");
  world.change();
  world.take_as_scheduled();
  const auto copy = world.copy();
  REQUIRE_FALSE(copy);
  CHECK(copy.error().code == ErrorCode::conflict);
  CHECK(world.data("2026-11-23") == theirs);
}

TEST_CASE("A network that is away is owed, and no alarm until two days have passed") {
  OffsiteWorld world;
  REQUIRE(world.copy());
  const auto last_good =
      (*offsite_members("global", {"backup", "claude"}, world.env()))[0].last_good;
  REQUIRE(last_good);
  world.next_day();
  world.store.fault = gone_network;
  const auto failed = world.copy();
  REQUIRE_FALSE(failed);
  CHECK(world.owed());
  const auto member = (*offsite_members("global", {"backup", "claude"}, world.env()))[0];
  CHECK(member.last_good == last_good);
  REQUIRE(member.last_error);
  CHECK(member.last_error->code == ErrorCode::io);
  CHECK_FALSE(is_alarm(failed.error(), last_good, world.clock.now()));
  CHECK(is_alarm(failed.error(), last_good, *last_good + kOffsitePatience));
  CHECK(is_alarm(failed.error(), std::nullopt, world.clock.now()));
  CHECK_FALSE(is_alarm(failed.error(), *last_good + hours(100), world.clock.now()));  // put back
  CHECK(is_alarm({ErrorCode::damaged, "", ""}, last_good, *last_good));
  world.store.fault = nullptr;
  REQUIRE(world.copy());
  CHECK_FALSE(world.owed());
}

TEST_CASE("A dry run sends, removes and records nothing") {
  OffsiteWorld world;
  world.keep.keep_last = 1;
  REQUIRE(world.copy());
  world.next_day();
  auto request = world.leg();
  request.dry_run = true;
  const auto files = world.store.files;
  NoProgress no_progress;
  const auto copy = copy_off_and_record(request, world.store, world.env(), no_progress, {});
  REQUIRE(copy);
  CHECK(copy->what == What::sent);
  REQUIRE(copy->removed.size() == 1);  // the first, once this one is there
  CHECK(text_of(copy->removed[0].snapshot.path) == "backup:claude/" + kFirst);
  CHECK(world.store.files.size() == files.size());
  CHECK(list_runs({.kind = kOffsiteRun}, world.env())->size() == 1);
}
