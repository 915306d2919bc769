// The files of skills.
#include "server/mcp/skills.h"

#include "core/platform/sha256.h"
#include "support/catch.h"
#include "tests/server/support/demo_server.h"

using server::Json;

TEST_CASE("A skill's files are served byte by byte, with the digests of those bytes") {
  const server::ServerDefinition definition = test::demo_definition();
  server::SkillShelf shelf(definition);
  const Json* skill = shelf.find("skill://demo-skill/SKILL.md");
  REQUIRE(skill != nullptr);
  REQUIRE(skill->at("resources").size() == 2);
  for (const Json& resource : skill->at("resources")) {
    const auto contents = shelf.read(resource.at("uri").get<std::string>());
    REQUIRE(contents);
    const std::string text = contents->at("text").get<std::string>();
    CHECK(resource.at("digest") == "sha256:" + core::sha256_of(text));
    CHECK(resource.at("size") == text.size());
  }
  CHECK(skill->at("frontmatter").at("description") == "Shows how a skill is served.");
}

TEST_CASE("A folder shows its direct children only") {
  const server::ServerDefinition definition = test::demo_definition();
  server::SkillShelf shelf(definition);
  const auto children = shelf.children("skill://demo-skill");
  REQUIRE(children);
  REQUIRE(children->size() == 2);
  CHECK(children->at(0).at("uri") == "skill://demo-skill/SKILL.md");
  CHECK(children->at(1).at("uri") == "skill://demo-skill/references");
  CHECK(children->at(1).at("mimeType") == "inode/directory");
  CHECK_FALSE(shelf.children("skill://demo-skill/SKILL.md"));
  CHECK_FALSE(shelf.children("skill://demo"));
  CHECK_FALSE(shelf.children("file:///etc"));
}

TEST_CASE("A skill whose name is not its folder's is left out") {
  server::ServerDefinition definition;
  definition.skills = {{"folder/SKILL.md", "", R"({"name":"other","description":"x"})"}};
  server::SkillShelf shelf(definition);
  CHECK(shelf.entries().empty());
}

TEST_CASE("A skill without frontmatter is left out") {
  server::ServerDefinition definition;
  definition.skills = {{"s/SKILL.md", "# Title\n", ""}};
  server::SkillShelf shelf(definition);
  CHECK(shelf.entries().empty());
}

TEST_CASE("Bytes that are no text are served as base64") {
  server::ServerDefinition definition;
  definition.skills = {{"s/SKILL.md", "", R"({"name":"s","description":"x"})"},
                       {"s/logo.png", "\x89PNG", {}}};
  server::SkillShelf shelf(definition);
  const auto contents = shelf.read("skill://s/logo.png");
  REQUIRE(contents);
  CHECK(contents->at("blob") == "iVBORw==");
  CHECK(contents->at("mimeType") == "image/png");
}
