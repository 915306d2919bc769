#include "core/base/paths.h"
#include "core/catalog/manifest.h"
#include "core/restore/restore.h"
#include "support/paths.h"
#include "support/writer_process.h"
#include "tests/tools/tool_house.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

namespace {

constexpr const char* kCountNotes = "SELECT count(*) FROM notes";

// A snapshot with 20 notes, and the database emptied after it.
fs::path take_and_lose(ToolHouse& house) {
  house.furnish();
  const Json taken = house.good("snapshot_db", {{"destination", "~/Backups"}});
  test::run_sql(house.global, "DELETE FROM notes");
  return taken.at("snapshot").get<std::string>();
}

// Runs what a result printed for the user, with our own program in the place of its path.
void follow_undo(ToolHouse& house, const Json& restored) {
  house.good("restore_snapshot", {{"snapshot", restored.at("safety_copy")},
                                  {"target", restored.at("target")},
                                  {"in_place", true},
                                  {"confirm", true}});
}

}  // namespace

TEST_CASE("restore_snapshot writes a new file and leaves the live database alone") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  const Json result = house.good(
      "restore_snapshot", {{"snapshot", core::text_of(snapshot)}, {"target", "~/restored.db"}});
  CHECK(result.at("verdict") == "verified");
  CHECK(result.at("in_place") == false);
  CHECK(test::query_integer(house / "home/restored.db", kCountNotes) == 20);
  CHECK(test::query_integer(house.global, kCountNotes) == 0);
  CHECK_FALSE(result.contains("undo"));
  CHECK_THAT(house.last_text, Catch::Contains("Restored " + core::text_of(snapshot)));
  CHECK_THAT(house.refused("restore_snapshot",
                           {{"snapshot", core::text_of(snapshot)}, {"target", "~/restored.db"}}),
             Catch::StartsWith("conflict: "));
}

TEST_CASE("restore_snapshot previews rows now and then without touching anything") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  const auto before = test::names_in(house.global.parent_path());
  const Json result =
      house.good("restore_snapshot",
                 {{"snapshot", core::text_of(snapshot)}, {"in_place", true}, {"dry_run", true}});
  CHECK(result.at("target") == core::text_of(house.global));
  CHECK(result.at("rows").at("notes") == Json{{"now", 0},
                                              {"then", 20},
                                              {"only_then", 20},
                                              {"only_now", 0},
                                              {"changed", 0},
                                              {"same", 0}});
  CHECK(test::names_in(house.global.parent_path()) == before);
  CHECK(test::query_integer(house.global, kCountNotes) == 0);
  CHECK(house.last_text.starts_with("Would restore "));
}

TEST_CASE("restore_snapshot in place shows what changes and waits for a yes") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  const Json arguments{{"snapshot", core::text_of(snapshot)}, {"in_place", true}};
  const auto text = house.refused("restore_snapshot", arguments);
  CHECK_THAT(text, Catch::StartsWith("needs_confirmation: "));
  CHECK_THAT(text, Catch::Contains("notes: 20 only in the snapshot"));
  CHECK_THAT(text, Catch::Contains(R"("confirm": true)"));

  const auto question = house.asked("restore_snapshot", arguments);
  CHECK(question.key == "confirm");
  CHECK_THAT(question.params.dump(), Catch::Contains("notes: 20 only in the snapshot"));
  house.answer("confirm", {{"confirm", "yes"}});
  CHECK(house.asked("restore_snapshot", arguments).key == "confirm");
  house.answer("confirm", {{"confirm", false}});
  CHECK_THAT(house.refused("restore_snapshot", arguments), Catch::StartsWith("cancelled: "));
  CHECK(test::query_integer(house.global, kCountNotes) == 0);
  house.answer("confirm", {{"confirm", true}});
  house.good("restore_snapshot", arguments);
  CHECK(test::query_integer(house.global, kCountNotes) == 20);
}

TEST_CASE("restore_snapshot puts another machine's latest in place only when it is named") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  auto manifest = *core::read_manifest(snapshot, core::system_files());
  manifest.host = "laptop";
  manifest.machine = std::string(32, 'a');
  REQUIRE(core::write_manifest(snapshot, manifest, core::system_files()));
  Json arguments{{"source", core::text_of(house.global)},
                 {"destination", core::text_of(snapshot.parent_path().parent_path())},
                 {"in_place", true},
                 {"confirm", true}};
  const auto text = house.refused("restore_snapshot", arguments);
  CHECK_THAT(text, Catch::StartsWith("needs_confirmation: "));
  CHECK_THAT(text, Catch::Contains("Warning: Look whose snapshot this is"));
  CHECK_THAT(text, Catch::Contains("on the host laptop"));
  CHECK_THAT(text, Catch::Contains(R"("confirm": true, "snapshot": )" +
                                   Json(core::text_of(snapshot)).dump() + "}"));
  CHECK(test::query_integer(house.global, kCountNotes) == 0);

  Json to_new_file = arguments;
  to_new_file["in_place"] = false;
  to_new_file["target"] = "~/new.db";
  CHECK_THAT(house.good("restore_snapshot", to_new_file).at("warnings").dump(),
             Catch::Contains("on the host laptop"));
  CHECK_THAT(house
                 .good("verify_snapshot", {{"source", core::text_of(house.global)},
                                           {"destination", arguments.at("destination")}})
                 .at("warnings")
                 .dump(),
             Catch::Contains("on the host laptop"));
  arguments["snapshot"] = core::text_of(snapshot);
  house.good("restore_snapshot", arguments);
  CHECK(test::query_integer(house.global, kCountNotes) == 20);
}

TEST_CASE("restore_snapshot asks with the warnings: what cannot be read, what must be closed") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  const Json arguments{{"snapshot", core::text_of(snapshot)}, {"in_place", true}};
  {
    test::WriterProcess writer(house.global, {.mode = test::WriterOptions::Mode::idle});
    const std::string must_be_closed = writer.as_told() + ". It must be closed there first.";
    CHECK_THAT(house.refused("restore_snapshot", arguments), Catch::Contains(must_be_closed));
    CHECK_THAT(house.asked("restore_snapshot", arguments).params.at("message").get<std::string>(),
               Catch::Contains(must_be_closed));
    house.context.client.form_elicitation = false;
    writer.stop();
  }
  fs::remove(core::text_of(house.global) + "-wal");
  test::write_file(house.global, std::string(10'000, 'x'));
  const auto text = house.refused("restore_snapshot", arguments);
  CHECK_THAT(text, Catch::Contains("notes: cannot be counted now, 20 then"));
  CHECK_THAT(text, Catch::Contains("Warning: The present database cannot be read"));
  fs::remove(house.global);
  CHECK_THAT(house.refused("restore_snapshot", arguments),
             Catch::Contains(core::text_of(house.global) + " is gone and would come back from"));
  CHECK_THAT(house.asked("restore_snapshot", arguments).params.dump(),
             !Catch::Contains("safety copy"));
}

TEST_CASE("restore_snapshot in place keeps a safety copy, and its undo puts that back") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  const Json result =
      house.good("restore_snapshot",
                 {{"snapshot", core::text_of(snapshot)}, {"in_place", true}, {"confirm", true}});
  CHECK(result.at("journal_mode") == "wal");
  CHECK(test::query_text(house.global, "PRAGMA journal_mode") == "wal");
  CHECK(test::query_integer(house.global, kCountNotes) == 20);
  CHECK(test::query_integer(result.at("safety_copy").get<std::string>(), kCountNotes) == 0);
  CHECK_THAT(result.at("undo").get<std::string>(),
             Catch::Contains(result.at("safety_copy").get<std::string>()));
  follow_undo(house, result);
  CHECK(test::query_integer(house.global, kCountNotes) == 0);
}

TEST_CASE("restore_snapshot is refused while a writer holds the database, and succeeds after") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  const Json arguments{
      {"snapshot", core::text_of(snapshot)}, {"in_place", true}, {"confirm", true}};
  {
    test::WriterProcess writer(house.global);
    const auto text = house.refused("restore_snapshot", arguments);
    CHECK_THAT(text, Catch::StartsWith("busy: "));
    CHECK_THAT(text, Catch::Contains(writer.as_told()));
    writer.stop();
  }
  house.good("restore_snapshot", arguments);
  CHECK(test::query_integer(house.global, kCountNotes) == 20);
}

TEST_CASE("A stale -wal beside the restored database does not replay") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  {
    test::WriterOptions options;
    options.checkpoints = false;
    test::WriterProcess writer(house.global, options);
    writer.kill();
  }
  REQUIRE(fs::file_size(core::text_of(house.global) + "-wal") > 0);
  house.good("restore_snapshot",
             {{"snapshot", core::text_of(snapshot)}, {"in_place", true}, {"confirm", true}});
  CHECK(test::query_integer(house.global, kCountNotes) == 20);
  CHECK(test::query_text(house.global, "PRAGMA integrity_check") == "ok");
}

TEST_CASE("restore_snapshot refuses a damaged snapshot and leaves the database") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  test::patch_file(snapshot, 8192, std::string(512, '\xA5'));
  CHECK_THAT(
      house.refused("restore_snapshot",
                    {{"snapshot", core::text_of(snapshot)}, {"in_place", true}, {"confirm", true}}),
      Catch::StartsWith("damaged: "));
  CHECK(test::query_integer(house.global, kCountNotes) == 0);
}

TEST_CASE("restore_snapshot restores a damaged snapshot only after the yes to what was found") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  test::patch_file(snapshot, 2 * 4096, std::string(64, '\x07'));
  Json arguments{{"snapshot", core::text_of(snapshot)}, {"target", "~/restored.db"}};
  CHECK_THAT(house.refused("restore_snapshot", arguments),
             Catch::StartsWith("damaged: ") && Catch::Contains("accept_damage"));
  arguments["accept_damage"] = true;
  CHECK_THAT(house.refused("restore_snapshot", arguments),
             Catch::StartsWith("needs_confirmation: ") &&
                 Catch::Contains("would be written from") && Catch::Contains("failed its check"));
  CHECK_FALSE(fs::exists(house / "home/restored.db"));
  arguments["confirm"] = true;
  const Json result = house.good("restore_snapshot", arguments);
  CHECK(result.at("verdict") == "damaged");
  CHECK_THAT(result.at("warnings").dump(), Catch::Contains("failed its check"));
  CHECK(test::read_file(house / "home/restored.db") == test::read_file(snapshot));
}

TEST_CASE("restore_snapshot tells of indexes that do not fit, and builds them anew") {
  ToolHouse house;
  house.furnish();
  test::run_sql(house.global,
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX "
                "idx_notes_type ON notes(confidence)' WHERE name = 'idx_notes_type'");
  const Json taken = house.good("snapshot_db", {{"destination", "~/Backups"}});
  CHECK(taken.at("verdict") == "verified");
  CHECK_THAT(taken.at("warnings").dump(), Catch::Contains("REINDEX"));
  Json arguments{{"snapshot", taken.at("snapshot")}, {"target", "~/restored.db"}};
  CHECK_THAT(house.good("restore_snapshot", arguments).at("warnings").dump(),
             Catch::Contains("reindex"));
  arguments["target"] = "~/mended.db";
  arguments["reindex"] = true;
  CHECK(house.good("restore_snapshot", arguments).at("warnings").empty());
  CHECK(test::query_text(house / "home/mended.db", "PRAGMA integrity_check") == "ok");
}

TEST_CASE("restore_snapshot takes the newest of a source, and says when a target is missing") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  CHECK_THAT(house.refused("restore_snapshot", {{"destination", "~/Backups"}}),
             Catch::Contains("target"));
  const Json result = house.good("restore_snapshot", {{"source", core::text_of(house.global)},
                                                      {"destination", "~/Backups"},
                                                      {"target", "~/drill.db"}});
  CHECK(result.at("snapshot") == core::text_of(snapshot));
}

TEST_CASE("A restore that would give back the loss names the older snapshot that has more") {
  ToolHouse house;
  house.furnish();
  const auto take = [&] {
    house.clock.advance(std::chrono::hours{1});
    const Json taken = house.good("snapshot_db", {{"destination", "~/Backups"}});
    return fs::path(taken.at("snapshot").get<std::string>());
  };
  const auto first = take();
  const Json arguments{{"destination", "~/Backups"}, {"in_place", true}, {"dry_run", true}};
  CHECK(house.good("restore_snapshot", arguments).at("warnings").empty());
  for (const char* table : {"notes", "links", "ledger_in", "ledger_out", "counter"}) {
    test::run_sql(house.global, std::string("DELETE FROM ") + table);
  }
  CHECK(house.good("restore_snapshot", arguments).at("warnings").empty());  // brings the rows back
  REQUIRE(take() == first);  // of the same day: the fuller one was kept under another name
  const fs::path fuller = first.parent_path() / "global-before-loss-2026-11-23.db";
  REQUIRE(fs::exists(fuller));
  const Json result = house.good("restore_snapshot", arguments);
  CHECK(result.at("snapshot") == core::text_of(first));
  REQUIRE(result.at("warnings").size() == 1);
  const auto warning = result.at("warnings").at(0).get<std::string>();
  CHECK_THAT(warning,
             Catch::Contains(core::text_of(fuller)) && Catch::Contains("2026-11-23T13:00:00Z"));
  CHECK_THAT(warning, Catch::Contains(" 0 rows") && Catch::Contains(" 81"));
  CHECK_THAT(
      house.refused("restore_snapshot", {{"destination", "~/Backups"}, {"in_place", true}}),
      Catch::Contains("tables are the same.\nWarning: ") && Catch::Contains(core::text_of(fuller)));
  // Nor is one worth naming that is damaged, or the one that was chosen itself.
  house.good("restore_snapshot",
             {{"snapshot", core::text_of(fuller)}, {"in_place", true}, {"dry_run", true}});
  CHECK(house.last_text.starts_with("Would restore"));
  test::patch_file(fuller, 8192, std::string(512, '\xA5'));
  house.good("verify_snapshot", {{"snapshot", core::text_of(fuller)}});
  CHECK(house.good("restore_snapshot", arguments).at("warnings").empty());
}

TEST_CASE("The newest snapshot is passed over, and listed as damaged, once a check found it so") {
  ToolHouse house;
  house.furnish();
  const auto take = [&](const char* date, const char* label) {
    house.clock.advance(std::chrono::hours{1});
    const Json taken =
        house.good("snapshot_db", {{"destination", "~/Backups"}, {"date", date}, {"label", label}});
    return fs::path(taken.at("snapshot").get<std::string>());
  };
  const auto older = take("2026-11-22", "a");
  const auto newest = take("2026-11-22", "b");  // of the same name, in another folder
  const std::string good = test::read_file(newest);
  const Json latest{{"destination", "~/Backups"}, {"in_place", true}, {"dry_run", true}};
  const auto verdicts = [&] {
    std::string text;
    const Json listed = house.good("list_snapshots", {{"destination", "~/Backups"}});
    for (const auto& entry : listed.at("snapshots")) {
      text += entry.at("label").get<std::string>() + " " + entry.at("verified").get<std::string>() +
              " ";
    }
    return text;
  };
  test::patch_file(newest, 8192, std::string(512, '\xA5'));
  house.good("verify_snapshot", {{"destination", "~/Backups"}});
  CHECK(verdicts() == "a full b damaged ");
  const Json result = house.good("restore_snapshot", latest);
  CHECK(result.at("snapshot") == core::text_of(older));
  REQUIRE(result.at("warnings").size() == 1);
  CHECK_THAT(result.at("warnings").at(0).get<std::string>(),
             Catch::Contains(core::text_of(newest)));
  CHECK_THAT(house.refused("restore_snapshot", {{"destination", "~/Backups"}, {"in_place", true}}),
             Catch::Contains("Warning: The newest snapshot, " + core::text_of(newest)));

  house.good("verify_snapshot", {{"destination", "~/Backups"}});  // still the newest
  test::patch_file(older, 8192, std::string(512, '\xA5'));
  house.good("verify_snapshot", {{"snapshot", core::text_of(older)}});
  CHECK_THAT(house.refused("restore_snapshot", latest),
             Catch::StartsWith("damaged: ") && Catch::Contains(core::text_of(newest)));
  test::write_file(newest, good);
  const Json mended = house.good("verify_snapshot", {{"destination", "~/Backups"}});
  CHECK(mended.at("snapshot") == core::text_of(newest));
  CHECK(verdicts() == "a damaged b full ");
  CHECK(house.good("restore_snapshot", latest).at("snapshot") == core::text_of(newest));
}

TEST_CASE("A server limited to folders restores to a new file in them") {
  ToolHouse house({"home"});
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  const auto file = house.backups / "testhost/global-2026-11-23.db";
  house.good("restore_snapshot", {{"snapshot", core::text_of(file)}, {"target", "~/new.db"}});
  CHECK(fs::is_regular_file(house / "home/new.db"));
}

TEST_CASE("restore_snapshot replaces no database outside the allowed folders") {
  ToolHouse house({"home/Backups"});
  house.furnish();
  ToolHouse* const limited = &house;
  const auto file = house.backups / "testhost/global-2026-11-23.db";
  {
    const server::Tool open = tools::all_tools(house.world).front();
    test::FakeCall call;
    open.handler({{"destination", core::text_of(house.backups)}}, call);
  }
  REQUIRE(fs::exists(file));
  for (const Json& extra : {Json{{"in_place", true}}, Json{{"target", "~/x.db"}}}) {
    Json arguments = extra;
    arguments["snapshot"] = core::text_of(file);
    arguments["confirm"] = true;
    CHECK_THAT(limited->refused("restore_snapshot", arguments),
               Catch::StartsWith("permission_denied: "));
  }
}

TEST_CASE("A busy restore offers the rows first, then a command that waits, and says who it is") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  test::WriterProcess writer(house.global, {.mode = test::WriterOptions::Mode::idle});
  const auto text =
      house.refused("restore_snapshot",
                    {{"snapshot", core::text_of(snapshot)}, {"in_place", true}, {"confirm", true}});
  CHECK(text.starts_with("busy: "));
  const auto rows = text.find("find_lost_rows {\"source\": \"" + test::in_json(house.global));
  const auto command = text.find(core::text_of(house.places.program) + " restore --snapshot ");
  REQUIRE(rows != std::string::npos);
  REQUIRE(command != std::string::npos);
  CHECK(rows < command);
  CHECK(text.find(" --in-place --wait --confirm", command) != std::string::npos);
#ifdef __linux__
  const std::string process = "Process " + std::to_string(writer.pid()) + " is ";
  CHECK_THAT(text, Catch::Contains(process));
  CHECK_THAT(text, Catch::Contains("started as \""));
  CHECK_THAT(text, Catch::Contains("test_writer"));
#endif
}

TEST_CASE("A restore that waits goes on when the last program has closed the database") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  test::WriterProcess writer(house.global, {.mode = test::WriterOptions::Mode::idle});
  // The writer ends when the restore has told that it waits.
  struct StopsWriter final : core::ProgressSink {
    explicit StopsWriter(test::WriterProcess& process) : writer(process) {}
    void report(std::uint64_t, std::uint64_t, const std::string& phase) override {
      if (!phase.starts_with("waiting until global.db is closed in ") || told) return;
      told = true;
      writer.stop();
    }
    test::WriterProcess& writer;
    bool told = false;
  } sink(writer);
  core::RestoreRequest request;
  request.snapshot = snapshot;
  request.target = house.global;
  request.in_place = true;
  request.confirmed = true;
  request.holder_timeout = std::chrono::minutes(1);
  const auto restored = core::restore_snapshot(request, house.world, sink, {});
  REQUIRE(restored);
  CHECK(sink.told);
  CHECK(test::query_integer(house.global, kCountNotes) == 20);
}

TEST_CASE("A restore that waits ends when its time is up, and when it is stopped") {
  ToolHouse house;
  const auto snapshot = take_and_lose(house);
  test::WriterProcess writer(house.global, {.mode = test::WriterOptions::Mode::idle});
  core::RestoreRequest request;
  request.snapshot = snapshot;
  request.target = house.global;
  request.in_place = true;
  request.confirmed = true;
  request.holder_timeout = std::chrono::milliseconds(50);
  core::NoProgress no_progress;
  const auto late = core::restore_snapshot(request, house.world, no_progress, {});
  REQUIRE_FALSE(late);
  CHECK(late.error().code == core::ErrorCode::busy);
  request.holder_timeout = std::chrono::minutes(1);
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = core::restore_snapshot(request, house.world, no_progress, stop.get_token());
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == core::ErrorCode::cancelled);
  CHECK(test::query_integer(house.global, kCountNotes) == 0);
}
