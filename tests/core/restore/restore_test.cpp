#include "core/restore/restore.h"

#include "core/base/shell_word.h"
#include "core/catalog/history.h"
#include "core/catalog/names.h"
#include "core/platform/open_files.h"
#include "core/restore/restore_leftovers.h"
#include "support/restore_scene.h"
#include "support/shell.h"
#include "support/snapshots.h"
#include "support/writer_process.h"

namespace fs = std::filesystem;
using core::ErrorCode;
using core::RestoreRequest;
using core::RestoreResult;
using test::FakeEnv;
using test::notes_in;
using test::SnapshotWorld;
using test::WriterOptions;
using test::WriterProcess;
namespace {
using Scene = test::RestoreScene;
}

TEST_CASE("A snapshot is restored to a new file with its rows and journal mode") {
  Scene scene;
  const fs::path target = scene.world / "home/restored.db";
  const RestoreResult result = scene.restore({.snapshot = scene.snapshot, .target = target});
  CHECK(result.target == target);
  CHECK(result.journal_mode == "wal");
  CHECK_FALSE(result.safety_copy);
  CHECK_FALSE(result.undo.has_value());
  CHECK(result.warnings.empty());
  CHECK(result.verification.verdict == core::VerifyReport::Verdict::verified);
  CHECK(result.rows.at("notes").then == 20);
  CHECK_FALSE(result.rows.at("notes").now);
  CHECK(scene.home() == "live.db restored.db");
  CHECK(core::system_files().info(target)->mode == 0600);
  CHECK(test::query_text(target, "PRAGMA journal_mode") == "wal");
  CHECK(notes_in(target) == 20);
  CHECK(test::query_text(target, "PRAGMA integrity_check") == "ok");
  CHECK(test::query_integer(
            target, "SELECT count(*) FROM notes_fts WHERE notes_fts MATCH 'weather'") == 20);
  CHECK(notes_in(scene.live) == 30);
}

TEST_CASE("A snapshot of a rollback-mode database is restored byte for byte") {
  Scene scene("delete");
  const fs::path target = scene.world / "home/restored.db";
  CHECK(scene.restore({.snapshot = scene.snapshot, .target = target}).journal_mode == "delete");
  CHECK(test::read_file(target) == test::read_file(scene.snapshot));
}

TEST_CASE("A new file's name that is taken, or would replay something, is refused") {
  Scene scene;
  const fs::path target = scene.world / "home/restored.db";
  RestoreRequest request{.snapshot = scene.snapshot, .target = scene.live};
  CHECK(scene.error_of(request) == ErrorCode::conflict);
  request.target = target;
  for (const char* suffix : {"-wal", "-journal", "-shm"}) {
    test::write_file(target.string() + suffix, "stale");
    CHECK(scene.error_of(request) == ErrorCode::conflict);
    fs::remove(target.string() + suffix);
  }
  request.target = scene.world / "home/absent/restored.db";
  CHECK(scene.error_of(request) == ErrorCode::not_found);
  request.target.clear();
  CHECK(scene.error_of(request) == ErrorCode::invalid_argument);
  request.snapshot = scene.world / "absent.db";
  request.target = target;
  CHECK(scene.error_of(request) == ErrorCode::not_found);
  CHECK(scene.home() == "live.db");
}

TEST_CASE("In place needs a yes, a preview does not and changes nothing") {
  Scene scene;
  RestoreRequest request = scene.in_place();
  request.confirmed = false;
  const std::string before = test::read_file(scene.live);
  CHECK(scene.error_of(request) == ErrorCode::needs_confirmation);
  request.dry_run = true;
  const RestoreResult preview = scene.restore(request);
  CHECK(preview.target == scene.live);
  CHECK(preview.rows.at("notes").now == 30);
  CHECK(preview.rows.at("notes").then == 20);
  CHECK(preview.verification.manifest->taken_at == scene.world.clock.now());
  CHECK(scene.home() == "live.db");
  CHECK(test::read_file(scene.live) == before);
  CHECK(core::list_runs({.kind = "restore"}, scene.world.env())->empty());
}

TEST_CASE("In place, the snapshot takes the database's place and the database is kept") {
  for (const char* mode : {"wal", "delete"}) {
    Scene scene(mode);
#ifndef _WIN32  // where there are no modes
    fs::permissions(scene.live,
                    fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
#endif
    const RestoreResult result = scene.restore(scene.in_place());
    CAPTURE(mode);
    CHECK(notes_in(scene.live) == 20);
    CHECK(test::query_text(scene.live, "PRAGMA journal_mode") == mode);
#ifndef _WIN32
    CHECK(core::system_files().info(scene.live)->mode == 0640);
#endif
    REQUIRE(result.safety_copy);
    CHECK(result.safety_copy->filename() == "live.before-restore-20261123T120000Z.db");
    CHECK(core::is_safety_copy(result.safety_copy->filename().string()));
    CHECK(scene.home() ==
          "live.before-restore-20261123T120000Z.db "
          "live.before-restore-20261123T120000Z.db.manifest.json live.db");
    const auto manifest = core::read_manifest(*result.safety_copy, core::system_files());
    REQUIRE(manifest);
    CHECK(manifest->journal_mode == mode);
    CHECK(manifest->rows.at("notes") == 30);
    CHECK(manifest->verified == core::VerifyLevel::full);
    CHECK(notes_in(*result.safety_copy) == 30);
    const auto runs = core::list_runs({.kind = "restore"}, scene.world.env());
    REQUIRE(runs->size() == 1);
    CHECK(runs->front().ok);
    CHECK(runs->front().source == scene.live.string());
  }
}

TEST_CASE("What the restore prints undoes it") {
  Scene scene;
  const RestoreResult done = scene.restore(scene.in_place());
  REQUIRE(done.undo);
  CHECK(done.undo->action == to_string(core::Action::restore));
  const auto value = [&](std::size_t at, const std::string& name) {
    const auto& parameter = done.undo->parameters.at(at);
    CHECK(parameter.name == name);
    return parameter.value;
  };
  const auto snapshot = std::get<std::string>(value(0, "snapshot"));
  const auto target = std::get<std::string>(value(1, "target"));
  CHECK(snapshot == done.safety_copy->string());
  CHECK(target == scene.live.string());
  CHECK(std::get<bool>(value(2, "in_place")));
  CHECK(std::get<bool>(value(3, "confirmed")));
  const RestoreResult undone =
      scene.restore({.snapshot = snapshot, .target = target, .in_place = true, .confirmed = true});
  CHECK(undone.verification.verdict == core::VerifyReport::Verdict::verified);
  CHECK(notes_in(scene.live) == 30);
  CHECK(test::query_text(scene.live, "PRAGMA journal_mode") == "wal");
  CHECK(undone.safety_copy->filename() == "live.before-restore-20261123T120000Z-2.db");
  CHECK(notes_in(*undone.safety_copy) == 20);
}

TEST_CASE("Rows that live only in the WAL are in the safety copy, and the WAL does not replay") {
  Scene scene;
  {
    test::OpenDatabase writer(scene.live, /*checkpoint_on_close=*/false);
    writer.run("PRAGMA wal_autocheckpoint = 0");
    writer.run(test::commit_sql(30));
  }
  REQUIRE(fs::file_size(scene.live.string() + "-wal") > 0);
  const RestoreResult result = scene.restore(scene.in_place());
  CHECK(result.rows.at("notes").now == 31);
  CHECK(notes_in(scene.live) == 20);
  CHECK(notes_in(*result.safety_copy) == 31);
  CHECK(test::invariant_holds(*result.safety_copy));
}

TEST_CASE("Side files of a lost database do not replay: in place they are kept aside") {
  Scene scene;
  WriterProcess writer(scene.live, {.checkpoints = false});
  writer.kill();
  const std::string wal = test::read_file(scene.live.string() + "-wal");
  const std::string shm = test::read_file(scene.live.string() + "-shm");
  REQUIRE(!wal.empty());
  fs::remove(scene.live);  // the database is lost, its WAL is not
  const std::string before = scene.home();

  RestoreRequest request = scene.in_place();
  request.dry_run = true;
  const RestoreResult preview = scene.restore(request);
  REQUIRE(preview.warnings.size() == 1);
  CHECK_THAT(preview.warnings[0], Catch::Contains(scene.live.string() + "-wal"));
  CHECK(scene.home() == before);

  const RestoreResult result = scene.restore(scene.in_place());
  CHECK(notes_in(scene.live) == 20);
  CHECK_FALSE(result.safety_copy);
  CHECK_FALSE(result.undo.has_value());
  const std::string aside = (scene.world / "home/live.before-restore-20261123T120000Z.db").string();
  CHECK(test::read_file(aside + "-wal") == wal);
  CHECK(test::read_file(aside + "-shm") == shm);
  REQUIRE(result.warnings.size() == 1);
  CHECK_THAT(result.warnings[0], Catch::Contains(aside + "-wal") && Catch::Contains("-shm"));

  fs::remove(scene.live);  // and once more in the same second: nothing is kept over what is kept
  test::write_file(scene.live.string() + "-wal", "another wal");
  scene.restore(scene.in_place());
  CHECK(notes_in(scene.live) == 20);
  CHECK(test::read_file(aside + "-wal") == wal);
}

TEST_CASE("A lost database that a program still has open is not replaced, and it is named") {
  Scene scene;
  WriterProcess other(scene.live, {.mode = WriterOptions::Mode::hold_read});
  REQUIRE(fs::exists(scene.live.string() + "-wal"));
  fs::remove(scene.live);
  const std::string before = scene.home();
  const auto restored = scene.try_restore(scene.in_place());
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::busy);
  CHECK_THAT(restored.error().message, Catch::Contains(std::to_string(other.pid())));
  CHECK(scene.home() == before);
}

TEST_CASE("Side files beside a new file's name are all named at once, with the command to move") {
  Scene scene;
  const fs::path target = scene.world / "home/it's new.db";
  test::write_file(target.string() + "-wal", "old wal");
  test::write_file(target.string() + "-shm", "old shm");
  const RestoreRequest request{.snapshot = scene.snapshot, .target = target};
  const auto refused = scene.try_restore(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK_THAT(refused.error().message, Catch::Contains("new.db-wal") && Catch::Contains("-shm"));
  const std::string& hint = refused.error().hint;
  const auto move = core::move_command(target.string() + "-", "");
  const auto at = hint.find(move.substr(0, move.find(' ')) + " ");
  REQUIRE(at != std::string::npos);
  const auto moved = core::system_commands().run(
      {.argv = test::in_shell(hint.substr(at)), .input = "", .extra_environment = {}}, {});
  REQUIRE(moved);
  REQUIRE(moved->exit_code == 0);
  scene.restore(request);
  CHECK(notes_in(target) == 20);
  CHECK(test::read_file(target.string() + ".aside-wal") == "old wal");
}

TEST_CASE("A folder that is gone is named, with the command that makes it again") {
  Scene scene;
  const fs::path folder = scene.world / "home/lost project/.orchestrator";
  RestoreRequest request = scene.in_place();
  request.target = folder / "project.db";
  const auto refused = scene.try_restore(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::not_found);
  CHECK_THAT(refused.error().message, Catch::Contains("no folder " + folder.string()));
  CHECK_THAT(refused.error().hint,
             Catch::Contains("mkdir ") && Catch::Contains(core::shell_word(folder.string())));
  fs::create_directories(folder);
  scene.restore(request);
  CHECK(notes_in(request.target) == 20);
}

TEST_CASE("A database that another process has open is not replaced, and the process is named") {
  for (const char* mode : {"wal", "delete"}) {
    Scene scene(mode);
    for (const auto kind : {WriterOptions::Mode::idle, WriterOptions::Mode::commit,
                            WriterOptions::Mode::hold_read, WriterOptions::Mode::hold_write}) {
      WriterProcess other(scene.live, {.mode = kind});
      RestoreRequest request = scene.in_place();
      request.busy_timeout = std::chrono::milliseconds{100};
      const auto restored = scene.try_restore(request);
      CAPTURE(mode, static_cast<int>(kind));
      REQUIRE_FALSE(restored);
      CHECK(restored.error().code == ErrorCode::busy);
      CHECK_THAT(restored.error().message, Catch::Contains(other.as_told()));
      request.dry_run = true;
      CHECK(scene.restore(request).warnings.size() == 1);
      CHECK(other.stop().failures == 0);
    }
    CHECK(notes_in(scene.live) >= 30);
    CHECK(scene.home() == "live.db");
    CHECK(scene.restore(scene.in_place()).safety_copy);
    CHECK(notes_in(scene.live) == 20);
  }
}

TEST_CASE("A snapshot that is damaged is not restored, and nothing is touched") {
  Scene scene;
  const std::string bytes = test::read_file(scene.snapshot);
  test::patch_file(scene.snapshot, bytes.find("lighthouse keeper"), "L");
  const std::string before = test::read_file(scene.live);
  CHECK(scene.error_of(scene.in_place()) == ErrorCode::damaged);
  CHECK(scene.error_of({.snapshot = scene.snapshot, .target = scene.world / "home/new.db"}) ==
        ErrorCode::damaged);
  CHECK(scene.home() == "live.db");
  CHECK(test::read_file(scene.live) == before);
  const auto runs = core::list_runs({.kind = "restore"}, scene.world.env());
  REQUIRE(runs->size() == 2);
  CHECK(runs->front().error_code == "damaged");
}

TEST_CASE("A snapshot without a manifest is restored where it is told, with a warning") {
  Scene scene;
  fs::remove(core::manifest_path_of(scene.snapshot));
  CHECK(scene.error_of(scene.in_place()) == ErrorCode::invalid_argument);
  CHECK(scene.error_of({.snapshot = scene.world / "absent.db", .in_place = true}) ==
        ErrorCode::not_found);
  RestoreRequest request = scene.in_place();
  request.target = scene.live;
  const RestoreResult result = scene.restore(request);
  CHECK(result.warnings.size() == 1);
  CHECK(result.journal_mode == "delete");
  CHECK(notes_in(scene.live) == 20);
}

TEST_CASE("An earlier tool's snapshot that says WAL is restored, and reported, in WAL mode") {
  Scene scene;
  fs::remove(core::manifest_path_of(scene.snapshot));
  test::patch_file(scene.snapshot, 18, "\x02\x02");
  const fs::path target = scene.world / "home/restored.db";
  RestoreRequest request{.snapshot = scene.snapshot, .target = target};
  CHECK(scene.restore(request).journal_mode == "wal");
  CHECK(test::query_text(target, "PRAGMA journal_mode") == "wal");
  CHECK(notes_in(target) == 20);
}

TEST_CASE("A database that SQLite cannot open is replaced, and kept with its side files") {
  Scene scene;
  test::write_file(scene.live, std::string(10'000, 'x'));
  test::write_file(scene.live.string() + "-wal", "old wal");
  test::write_file(scene.live.string() + "-shm", "old shm");
  const RestoreResult result = scene.restore(scene.in_place());
  CHECK(notes_in(scene.live) == 20);
  REQUIRE(result.safety_copy);
  CHECK(test::read_file(*result.safety_copy) == std::string(10'000, 'x'));
  CHECK(test::read_file(result.safety_copy->string() + "-wal") == "old wal");
  REQUIRE(result.warnings.size() == 2);
  CHECK_THAT(result.warnings[1],
             Catch::Contains("kept as it was, as " + result.safety_copy->string()));
  CHECK_THAT(result.warnings[1], Catch::Contains(".recover"));
  CHECK_FALSE(result.undo.has_value());
}

TEST_CASE("What could not be restored is given no undo, what could be is") {
  Scene scene;
  const std::string whole = test::read_file(scene.live);
  const auto check_undo = [&](const std::string& present, const std::string& says) {
    test::write_file(scene.live, present);
    const RestoreResult result = scene.restore(scene.in_place());
    REQUIRE(result.safety_copy);
    const auto undone = scene.try_restore({.snapshot = *result.safety_copy,
                                           .target = scene.live,
                                           .in_place = true,
                                           .confirmed = true});
    CAPTURE(says, undone ? "undone" : undone.error().message, result.warnings);
    CHECK(undone.has_value() == result.undo.has_value());
    CHECK(result.undo.has_value() == says.empty());
    if (says.empty()) return;
    REQUIRE_FALSE(result.warnings.empty());
    CHECK_THAT(result.warnings.back(), Catch::Contains(says));
    CHECK_THAT(result.warnings.back(), Catch::Contains(result.safety_copy->string()));
    // No manifest tells of content where there is none.
    CHECK((present.empty() && fs::exists(core::manifest_path_of(*result.safety_copy))) == false);
  };
  check_undo("", "was empty (0 bytes)");
  std::string damaged = whole;
  damaged.replace(4096, 2048, std::string(2048, '\x55'));
  check_undo(damaged, ".recover");
  std::string headerless = whole;
  headerless.replace(0, 100, std::string(100, '\0'));
  check_undo(headerless, ".recover");
  check_undo(whole, "");
}

TEST_CASE("An index that lacks rows, which only a full check finds, hinders no undo") {
  Scene scene;
  test::run_sql(scene.live, "CREATE INDEX some ON ledger_in(amount) WHERE number > 5");
  test::run_sql(scene.live,
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
                "replace(sql, '> 5', '> 2') WHERE name = 'some'");
  const RestoreResult result = scene.restore(scene.in_place());
  const auto undone = scene.try_restore(
      {.snapshot = *result.safety_copy, .target = scene.live, .in_place = true, .confirmed = true});
  CHECK(undone);
  CHECK(result.undo.has_value());
}

TEST_CASE("An empty or malformed database is replaced like any other") {
  Scene scene;
  test::write_file(scene.live, "");
  CHECK(scene.restore(scene.in_place()).safety_copy);
  CHECK(notes_in(scene.live) == 20);
  test::patch_file(scene.live, 4096, std::string(20'000, '\x55'));
  scene.world.clock.advance(std::chrono::seconds{5});
  CHECK(scene.restore(scene.in_place()).safety_copy);
  CHECK(notes_in(scene.live) == 20);
}

TEST_CASE("A restore through a link replaces the database that the link leads to") {
  Scene scene;
  fs::create_symlink(scene.live, scene.world / "link.db");
  RestoreRequest request = scene.in_place();
  request.target = scene.world / "link.db";
  CHECK(scene.restore(request).target == scene.live);
  CHECK(fs::is_symlink(scene.world / "link.db"));
  CHECK(notes_in(scene.live) == 20);
  request.snapshot = scene.live;
  CHECK(scene.error_of(request) == ErrorCode::invalid_argument);
  fs::create_symlink(scene.world / "home/absent.db", scene.world / "lost.db");
  request = scene.in_place();
  request.target = scene.world / "lost.db";
  CHECK(scene.error_of(request) == ErrorCode::not_found);
}

TEST_CASE("A stop before the swap leaves the database as it was") {
  Scene scene;
  std::stop_source stop;
  stop.request_stop();
  const auto restored = scene.try_restore(scene.in_place(), stop.get_token());
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::cancelled);
  CHECK(notes_in(scene.live) == 30);
  CHECK(scene.home() == "live.db");
}

TEST_CASE("A database whose name is no UTF-8 is restored in place only where it is named") {
  SnapshotWorld world;
  world.source = world.live / "bad\xff.db";
  test::make_notes_database(world.source);
  const auto taken = world.take();
  REQUIRE(taken);
  test::run_sql(world.source, "DELETE FROM links; DELETE FROM notes");
  RestoreRequest request{.snapshot = taken->snapshot, .in_place = true};
  request.confirmed = true;
  core::NoProgress progress;
  const auto refused = core::restore_snapshot(request, world.env(), progress, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::invalid_argument);
  CHECK(refused.error().hint == "Name the database to replace as target.");
  request.target = world.source;
  CHECK(core::restore_snapshot(request, world.env(), progress, {}));
  CHECK(notes_in(world.source) == 20);
}

TEST_CASE("Who has a file open is found through any name of it") {
  FakeEnv world;
  test::make_notes_database(world / "live.db");
  fs::create_hard_link(world / "live.db", world / "other name.db");
  CHECK(core::openers_of(world / "live.db", core::system_files()).empty());
  CHECK(core::openers_of(world / "absent.db", core::system_files()).empty());
  WriterProcess other(world / "live.db", {.mode = WriterOptions::Mode::idle});
  const auto openers = core::openers_of(world / "other name.db", core::system_files());
  REQUIRE(openers.size() == 1);
  CHECK(openers[0].process_id == other.pid());
  CHECK(openers[0].program == "test_writer");
  CHECK(core::describe_openers(openers) ==
        "test_writer (process " + std::to_string(other.pid()) + ")");
  CHECK(core::describe_openers({{1, "a"}, {2, ""}, {3, "c"}}) ==
        "a (process 1), a program (process 2) and c (process 3)");
  CHECK(core::describe_openers({{1, "a", "bob"}}) == "a (process 1 of bob)");
}
