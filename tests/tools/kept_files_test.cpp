#include "core/base/paths.h"
#include "core/rescue/undo_file.h"
#include "tests/tools/schedule_house.h"

namespace fs = core::fs;
using server::Json;
using test::ScheduleHouse;

namespace {

// A restore in place and its safety copy; a snapshot from before a loss; an undo file.
struct FullHouse : ScheduleHouse {
  FullHouse() {
    install();
    test::run_sql(global, "DELETE FROM links; DELETE FROM notes");
    good("snapshot_db", {{"destination", "~/Backups"}});
    const Json restored =
        good("restore_snapshot",
             {{"snapshot", core::text_of(before_loss())}, {"in_place", true}, {"confirm", true}});
    safety_copy = restored.at("safety_copy").get<std::string>();
    REQUIRE(core::keep_undo({core::text_of(global), clock.now(), "changes"}, world));
  }
  fs::path before_loss() const {
    for (const auto& entry : fs::recursive_directory_iterator(backups)) {
      const auto name = core::text_of(entry.path().filename());
      if (name.find("-before-loss-") != std::string::npos && name.ends_with(".db")) {
        return entry.path();
      }
    }
    return {};
  }
  Json kept() { return good("backup_status", Json::object()).at("kept"); }

  std::string safety_copy;
};

std::vector<std::string> kinds(const Json& entries, const char* key) {
  std::vector<std::string> all;
  for (const auto& entry : entries) all.push_back(entry.at(key));
  return all;
}

const std::vector<std::string> kAllKinds{"safety copy", "before loss", "undo"};

}  // namespace

TEST_CASE("backup_status lists what stays until it is removed, with its sizes") {
  FullHouse house;
  const Json kept = house.kept();
  CHECK(kinds(kept, "kind") == kAllKinds);
  CHECK(kept.at(0).at("path") == house.safety_copy);
  CHECK(kept.at(0).at("source") == core::text_of(house.global));
  CHECK(kept.at(1).at("source") == core::text_of(house.global));
  CHECK(kept.at(2).at("source") == core::text_of(house.global));
  for (const Json& file : kept) CHECK(file.at("made_at") == "2026-11-23T12:00:00Z");
  CHECK(kept.at(0).at("bytes").get<std::uint64_t>() > fs::file_size(house.safety_copy));
  CHECK(house.last_text.find("backup-plugin-db prune --kept --no-dry-run") != std::string::npos);
}

TEST_CASE("prune_snapshots shows what is kept, and removes it in one call") {
  FullHouse house;
  const Json shown = house.good("prune_snapshots", {{"kept", true}});
  CHECK(kinds(shown.at("expired"), "reason") == kAllKinds);
  CHECK(house.kept().size() == 3);
  const auto snapshots = house.good("list_snapshots", {{"destination", "~/Backups"}});
  const Json removed = house.good("prune_snapshots", {{"kept", true}, {"dry_run", false}});
  CHECK(removed.at("expired").size() == 3);
  CHECK(removed.at("freed_bytes") == shown.at("freed_bytes"));
  CHECK(house.kept().empty());
  CHECK_FALSE(fs::exists(house.safety_copy));
  CHECK_FALSE(fs::exists(house.safety_copy + ".manifest.json"));
  CHECK(house.good("list_snapshots", {{"destination", "~/Backups"}}).at("total") ==
        snapshots.at("total").get<int>() - 1);
  CHECK(test::query_integer(house.global, "SELECT count(*) FROM notes") == 20);
}

TEST_CASE("The last good snapshot of a database is not offered for removal") {
  FullHouse house;
  for (const auto& entry : fs::recursive_directory_iterator(house.backups)) {
    const auto name = core::text_of(entry.path().filename());
    if (entry.is_regular_file() && name.find("-before-loss-") == std::string::npos) {
      fs::remove(entry.path());
    }
  }
  CHECK(kinds(house.kept(), "kind") == std::vector<std::string>{"safety copy", "undo"});
}

TEST_CASE("A second name of the live database is no safety copy to remove") {
  FullHouse house;
  const auto second = house.global.parent_path() / "global.before-restore-20260101T000000Z.db";
  fs::create_hard_link(house.global, second);
  for (const auto& entry : house.kept()) CHECK(entry.at("path") != core::text_of(second));
}
