// Snapshots as resources: what is listed, read and completed, and what is not.
#include "tools/snapshot_resources.h"

#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/snapshot/snapshot.h"
#include "tests/tools/tool_house.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

namespace {

struct Resources : ToolHouse {
  explicit Resources(const std::vector<std::string>& allowed = {})
      : ToolHouse(allowed), setting(world, folders()) {
    provider = tools::snapshot_resources(setting);
  }

  // Takes a snapshot of the global database; its path.
  std::string take(const Json& more = Json::object()) {
    Json arguments = {{"destination", core::text_of(backups)}};
    arguments.update(more);
    return good("snapshot_db", arguments).at("snapshot").get<std::string>();
  }

  // The JSON that a URI holds; null: there is no such resource.
  Json read(const std::string& uri) {
    const auto outcome = provider->read(uri, context);
    const auto* found = std::get_if<server::ResourceContents>(&outcome);
    if (found == nullptr) return nullptr;
    REQUIRE(found->contents.size() == 1);
    CHECK(found->contents.at(0).at("uri") == uri);
    CHECK(found->contents.at(0).at("mimeType") == "application/json");
    return core::json_of(found->contents.at(0).at("text").get<std::string>());
  }

  std::vector<std::string> complete(const std::string& argument, const std::string& value,
                                    const Json& context_of = Json::object()) {
    server::CompletionRequest request;
    request.of = server::CompletionRequest::Of::resource;
    request.argument = argument;
    request.value = value;
    request.context = context_of;
    return tools::snapshot_completer(setting)(request);
  }

  tools::Setting setting;
  std::shared_ptr<server::ResourceProvider> provider;
};

}  // namespace

TEST_CASE("A snapshot in a folder whose name is no UTF-8 can be read") {
  Resources house;
  house.furnish();
  house.take();
  fs::rename(house.backups / "testhost", house.backups / "test\xffhost");
  const auto page = house.provider->list(std::nullopt);
  REQUIRE(page);
  REQUIRE(page->resources.size() == 1);
  const Json read = house.read(page->resources.at(0).at("uri").get<std::string>());
  CHECK(read.at("stem") == "global");
}

TEST_CASE("A snapshot and its manifest are resources under their path and under their name") {
  Resources house;
  house.furnish();
  const std::string path = house.take();
  const auto page = house.provider->list(std::nullopt);
  REQUIRE(page);
  REQUIRE(page->resources.size() == 1);
  const std::string uri = page->resources.at(0).at("uri").get<std::string>();
  CHECK(uri == tools::snapshot_uri(path));
  CHECK(house.read(uri).at("path") == path);
  CHECK(house.read(uri + ".manifest.json").at("source") == core::text_of(house.global));
  const Json named = house.read("backup://snapshots/-/global/2026-11-23");
  CHECK(named.at("path") == path);
  CHECK(named.at("manifest").at("rows").at("notes") == 20);
}

TEST_CASE("A snapshot of an hour is a resource of its hour, and the last one that of its day") {
  Resources house;
  house.furnish();
  core::SnapshotRequest request;
  request.source = house.global;
  request.destination = house.backups;
  request.by_hour_from = std::chrono::minutes(7);
  core::NoProgress no_progress;
  const auto take = [&] {
    return core::text_of(core::take_snapshot(request, house.env(), no_progress, {})->snapshot);
  };
  const std::string first = take();
  house.clock.advance(std::chrono::hours(1));
  const std::string second = take();
  REQUIRE(first != second);
  CHECK(house.read("backup://snapshots/-/global/2026-11-23T1107").at("path") == first);
  CHECK(house.read("backup://snapshots/-/global/2026-11-23T1207").at("path") == second);
  CHECK(house.read("backup://snapshots/-/global/2026-11-23").at("path") == second);
  const auto uris = tools::uris_of_snapshot(second, house.setting);
  CHECK(uris.back() == "backup://snapshots/-/global/2026-11-23T1207");
}

TEST_CASE("A label with a space is found under its percent-encoded name") {
  Resources house;
  house.furnish();
  const std::string path = house.take({{"label", "my plugin"}});
  CHECK(tools::path_of_uri(tools::snapshot_uri(path)) == path);
  const auto uris = tools::uris_of_snapshot(path, house.setting);
  REQUIRE(uris.size() == 3);
  CHECK(uris.at(2) == "backup://snapshots/my%20plugin/global/2026-11-23");
  CHECK(house.read(uris.at(2)).at("path") == path);
}

TEST_CASE("No other file can be read as a resource") {
  Resources house;
  house.furnish();
  house.take();
  const auto secret = house.backups / "testhost/notes.txt";
  test::write_file(secret, "private");
  fs::create_symlink(house.global, house.backups / "testhost/link-2026-11-23.db");
  for (const std::string& uri : {
           tools::snapshot_uri(core::text_of(secret)),
           tools::snapshot_uri(core::text_of(house.global)),
           tools::snapshot_uri(core::text_of(house.backups / "testhost/link-2026-11-23.db")),
           "backup://" + core::text_of(house.backups) +
               "/testhost/../../.claude/orchestrator/global.db",
           std::string("backup:///etc/passwd"),
           std::string("backup:///%zz"),
           std::string("backup:///%00"),
           std::string("backup://snapshots/-/global/2026-11-22"),
           std::string("backup://snapshots/../global/2026-11-23"),
           std::string("backup://snapshots/-/global"),
           std::string("file:///etc/passwd"),
           std::string(),
       }) {
    INFO(uri);
    CHECK(house.read(uri).is_null());
  }
}

TEST_CASE("Snapshots outside the allowed folders are no resources and are not told of") {
  Resources house({"home/elsewhere"});
  house.furnish();
  const auto changes = house.provider->watch();
  core::RunRecord run;
  run.kind = "snapshot";
  run.ok = true;
  run.destination = core::text_of(house.backups);
  run.snapshot = core::text_of(house.backups / "testhost/global-2026-11-23.db");
  REQUIRE(core::record_run(run, house.world));
  CHECK(house.provider->list(std::nullopt)->resources.empty());
  CHECK(house.read(tools::snapshot_uri(run.snapshot)).is_null());
  CHECK(changes().empty());
}

TEST_CASE("A cursor that is none of ours is refused") {
  const Resources house;
  for (const char* cursor : {"", "x", "0", "7:", "0:nonsense", "-1:", "99999999999999999999:"}) {
    INFO(cursor);
    const auto page = house.provider->list(cursor);
    REQUIRE_FALSE(page);
    CHECK(page.error().code == server::rpc_code::kInvalidParams);
  }
}

TEST_CASE("A watch finds each snapshot that any process has recorded once, and no failed run") {
  Resources house;
  house.furnish();
  house.take();
  const auto changes = house.provider->watch();
  CHECK(changes().empty());  // what came before is known
  const std::string path = house.take({{"label", "later"}});
  core::RunRecord failed;
  failed.kind = "snapshot";
  failed.snapshot = path;
  REQUIRE(core::record_run(failed, house.world));
  CHECK(changes() == tools::uris_of_snapshot(path, house.setting));
  CHECK(changes().empty());
}

TEST_CASE("Labels, stems, dates and sources are completed from the snapshots there are") {
  Resources house;
  house.furnish();
  house.take();
  house.take({{"label", "app"}});
  CHECK(house.complete("stem", "gl") == std::vector<std::string>{"global"});
  CHECK(house.complete("stem", "x").empty());
  CHECK(house.complete("label", "a") == std::vector<std::string>{"app"});
  CHECK(house.complete("label", "").size() == 2);
  CHECK(house.complete("date", "2026-", {{"label", "app"}}) ==
        std::vector<std::string>{"2026-11-23"});
  CHECK(house.complete("date", "", {{"label", "none"}}).empty());
  const fs::path root = house.folder.path().root_path();
  CHECK(house.complete("source", core::text_of(root)).size() == 1);
  CHECK(house.complete("source", "x").empty());
  CHECK(house.complete("colour", "").empty());
}
