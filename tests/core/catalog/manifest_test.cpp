#include "core/catalog/manifest.h"

#include <nlohmann/json.hpp>

#include "core/catalog/names.h"
#include "support/catch.h"
#include "support/temp_folder.h"

using core::ErrorCode;
using core::Manifest;
using Json = nlohmann::json;

namespace {

Manifest full_manifest() {
  Manifest manifest;
  manifest.source = "/home/a b/.claude/\"global\".db";
  manifest.host = "host";
  manifest.label = "project é";
  manifest.taken_at = *core::parse_instant("2026-11-23T04:07:01Z");
  manifest.tool_version = "0.1.0";
  manifest.sha256 = std::string(64, 'a');
  manifest.bytes = 5'000'000'000;
  manifest.page_size = 65536;
  manifest.page_count = 4'294'967'295U;
  manifest.user_version = -3;
  manifest.journal_mode = "wal";
  manifest.rows = {{"notes", 12}, {"an \"odd\" name", 0}};
  manifest.virtual_rows = std::map<std::string, std::uint64_t>{{"notes_fts", 12}};
  manifest.machine = std::string(32, 'c');
  manifest.verified = core::VerifyLevel::full;
  manifest.rows_complete = false;
  manifest.full_check_at = core::parse_instant("2026-11-20T04:07:01Z");
  manifest.verified_at = manifest.taken_at + std::chrono::seconds{2};
  manifest.replaces = core::ReplacedSnapshot{std::string(64, 'b'), 7, manifest.taken_at};
  manifest.source_findings = {{"foreign_keys", 3}};
  manifest.keep_rules = {{"keep_daily", 14}};
  manifest.omitted = {2, 7};
  return manifest;
}

Json as_json(const Manifest& manifest) {
  return Json::parse(core::encode_manifest(manifest));
}

}  // namespace

TEST_CASE("A manifest that was written is read back whole") {
  const Manifest manifest = full_manifest();
  const auto read = core::decode_manifest(core::encode_manifest(manifest));
  REQUIRE(read);
  CHECK(core::encode_manifest(*read) == core::encode_manifest(manifest));
  CHECK(read->source == manifest.source);
  CHECK(read->bytes == manifest.bytes);
  CHECK(read->page_count == manifest.page_count);
  CHECK(read->user_version == -3);
  CHECK(read->rows == manifest.rows);
  CHECK(read->virtual_rows == manifest.virtual_rows);
  CHECK(read->machine == manifest.machine);
  CHECK(read->verified == core::VerifyLevel::full);
  CHECK(read->verified_at == manifest.verified_at);
  CHECK(read->full_check_at == manifest.full_check_at);
  CHECK_FALSE(read->rows_complete);
  CHECK(read->replaces->sha256 == manifest.replaces->sha256);
  CHECK(read->source_findings == manifest.source_findings);
  CHECK(read->keep_rules == manifest.keep_rules);
}

TEST_CASE("A manifest of too many tables is still read again, with the fewest rows left out") {
  for (const std::size_t name_bytes : {1, 200}) {
    Manifest manifest = full_manifest();
    manifest.omitted = {};
    std::uint64_t rows = 0;
    for (std::uint64_t i = 0; i < 60'000; ++i) {
      manifest.rows[std::to_string(i) + std::string(name_bytes, i % 2 == 0 ? 'n' : '\n')] = i;
      rows += i;
    }
    rows += 12;  // of "notes"
    const std::string text = core::encode_manifest(manifest);
    CHECK(text.size() <= core::kMaxManifestBytes);
    const auto read = core::decode_manifest(text);
    REQUIRE(read);
    CHECK(read->rows.size() <= core::kMaxManifestTables);
    CHECK(read->rows.size() + read->omitted.tables == manifest.rows.size());
    for (const auto& [table, count] : read->rows) rows -= count;
    CHECK(read->omitted.rows == rows);
    CHECK(read->rows.begin()->second >= read->omitted.tables - 2);
    CHECK(core::encode_manifest(*read) == text);
  }
}

TEST_CASE("A manifest that would cost much is refused at once") {
  const std::string good = core::encode_manifest(full_manifest());
  std::string keys;
  for (int i = 0; i < 380'000; ++i) keys += "\"" + std::to_string(i) + "\":1,";
  std::string many = good;
  many.insert(many.find("\"notes\""), keys);
  const std::string deep = std::string(2 << 20, '[');
  std::string zeros = "[0";
  for (int i = 0; i < 1'000'000; ++i) zeros += ",0";
  for (const std::string& text : {many, deep, zeros + "]", "{\"a\":" + deep}) {
    const auto begun = std::chrono::steady_clock::now();
    CHECK(core::decode_manifest(text).error().code == ErrorCode::damaged);
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{2});
  }
}

TEST_CASE("Tables that are no UTF-8 count under the names that a manifest has for them") {
  const auto rows = core::manifest_rows({{"\xff", 2}, {"\\xff", 3}, {"a", 1}});
  CHECK(rows == std::map<std::string, std::uint64_t>{{"\\xff", 5}, {"a", 1}});
}

TEST_CASE("What is not known stays out of the manifest") {
  Manifest manifest = full_manifest();
  manifest.omitted = {};
  manifest.sha256.clear();
  manifest.verified_at.reset();
  manifest.replaces.reset();
  manifest.source_findings.clear();
  manifest.full_check_at.reset();
  manifest.rows_complete = true;
  manifest.virtual_rows.reset();
  manifest.machine.clear();
  manifest.keep_rules.clear();
  const Json json = as_json(manifest);
  for (const char* key : {"sha256", "verified_at", "replaces", "source_findings", "full_check_at",
                          "rows_complete", "virtual_rows", "machine", "keep_rules"}) {
    CHECK_FALSE(json.contains(key));
  }
  const auto read = core::decode_manifest(json.dump());
  REQUIRE(read);
  CHECK(read->sha256.empty());
  CHECK_FALSE(read->replaces);
  CHECK_FALSE(read->virtual_rows);
}

TEST_CASE("The keys of a manifest are those of its schema, and it is no tool's") {
  const Json schema = Json::parse(test::read_file(BPD_SOURCE_DIR "/schemas/manifest.json"));
  const Json json = as_json(full_manifest());
  for (const auto& [key, value] : json.items()) {
    CAPTURE(key);
    CHECK(schema["properties"].contains(key));
  }
  CHECK(json.size() == schema["properties"].size());
  for (const Json& key : schema["required"]) CHECK(json.contains(key.get<std::string>()));
  CHECK_FALSE(schema.contains("inputSchema"));
}

TEST_CASE("Each key with a wrong value makes a manifest unreadable") {
  const Json good = as_json(full_manifest());
  const std::vector<std::pair<std::string, Json>> wrong = {{"format_version", "1"},
                                                           {"format_version", 0},
                                                           {"source", 5},
                                                           {"source", ""},
                                                           {"source", "../global.db"},
                                                           {"host", nullptr},
                                                           {"label", Json::array()},
                                                           {"taken_at", "yesterday"},
                                                           {"tool_version", 1},
                                                           {"sha256", "abc"},
                                                           {"sha256", std::string(64, 'A')},
                                                           {"bytes", -1},
                                                           {"bytes", 1.5},
                                                           {"page_size", 1000},
                                                           {"page_size", 131072},
                                                           {"page_count", 4294967296U},
                                                           {"user_version", "x"},
                                                           {"journal_mode", 1},
                                                           {"rows", Json::array()},
                                                           {"rows", {{"t", -1}}},
                                                           {"rows_complete", 0},
                                                           {"verified", 3},
                                                           {"full_check_at", "never"},
                                                           {"verified_at", 12},
                                                           {"replaces", {{"sha256", "x"}}},
                                                           {"keep_rules", 7},
                                                           {"source_findings", "no"}};
  for (const auto& [key, value] : wrong) {
    Json json = good;
    json[key] = value;
    CAPTURE(key, value.dump());
    const auto read = core::decode_manifest(json.dump());
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::damaged);
    CHECK(read.error().message.find(key) != std::string::npos);
  }
  for (const char* key : {"source", "taken_at", "bytes", "rows", "verified", "page_size"}) {
    Json json = good;
    json.erase(key);
    CHECK_FALSE(core::decode_manifest(json.dump()));
  }
}

TEST_CASE("A manifest of a later format is refused as such, an unknown key is not") {
  Json json = as_json(full_manifest());
  json["invented_later"] = {1, 2, 3};
  CHECK(core::decode_manifest(json.dump()));
  json["format_version"] = 2;
  const auto read = core::decode_manifest(json.dump());
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::unsupported);
}

TEST_CASE("A text that is no JSON object is not a manifest") {
  for (const char* text : {"", "{", "[]", "null", "\"x\"", "{}", "{\"format_version\":1}",
                           "\xff\xfe", "{\"a\":\"\xff\"}"}) {
    CAPTURE(text);
    const auto read = core::decode_manifest(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::damaged);
  }
}

TEST_CASE("Bytes that are not UTF-8 are spelled out, the same way each time") {
  CHECK(core::manifest_text("plain é €") == "plain é €");
  CHECK(core::manifest_text("a\xff/b") == "a\\xff/b");
  CHECK(core::manifest_text("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82") ==
        "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xe2\\x82");
  Manifest manifest = full_manifest();
  manifest.source = "/tmp/\xff.db";
  const auto read = core::decode_manifest(core::encode_manifest(manifest));
  REQUIRE(read);
  CHECK(read->source == core::manifest_text(manifest.source));
}

TEST_CASE("A manifest lies beside its snapshot, private to the user") {
  const test::TempFolder folder;
  const auto snapshot = folder / "x-2026-11-23.db";
  CHECK(core::read_manifest(snapshot, core::system_files()).error().code == ErrorCode::not_found);
  REQUIRE(core::write_manifest(snapshot, full_manifest(), core::system_files()));
  CHECK(test::names_in(folder.path()) == "x-2026-11-23.db.manifest.json");
  CHECK(core::system_files().info(core::manifest_path_of(snapshot))->mode == 0600);
  CHECK(core::read_manifest(snapshot, core::system_files())->rows.at("notes") == 12);
  test::write_file(core::manifest_path_of(snapshot), "nonsense");
  const auto broken = core::read_manifest(snapshot, core::system_files());
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message.find("x-2026-11-23.db.manifest.json") != std::string::npos);
  test::write_file(core::manifest_path_of(snapshot), std::string(5 << 20, ' '));
  CHECK_FALSE(core::read_manifest(snapshot, core::system_files()));
}

TEST_CASE("A manifest that is not there names the snapshot, not a file that nobody asked for") {
  const test::TempFolder folder;
  const auto snapshot = folder / "x-2026-11-23.db";
  const auto message = [&] {
    const auto read = core::read_manifest(snapshot, core::system_files());
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::not_found);
    CHECK_FALSE(read.error().hint.empty());
    return read.error().message;
  };
  CHECK_THAT(message(), Catch::Contains(snapshot.string() + ": "));
  test::write_file(snapshot, "");
  CHECK(message() == "There is no manifest beside " + snapshot.string() + ".");
}
