// The skill says nothing that the tools and the command line do not keep.
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "cmake/embedded.h"
#include "core/base/json.h"
#include "core/base/paths.h"
#include "tests/tools/schedule_house.h"

namespace fs = core::fs;
using server::Json;

namespace {

constexpr std::string_view kSkillFile = "backup-plugin-db/SKILL.md";
// https://agentskills.io/specification
constexpr std::size_t kMaxDescription = 1024;

struct Line {
  std::string file;
  std::string fence;  // the language of the block it stands in; empty outside of any
  bool in_block = false;
  std::string text;  // without the indentation
};

std::vector<Line> skill_lines() {
  std::vector<Line> lines;
  for (const auto& file : embedded::embedded_skill()) {
    std::istringstream text{std::string(file.text)};
    bool in_block = false;
    std::string fence;
    for (std::string line; std::getline(text, line);) {
      line.erase(0, line.find_first_not_of(' '));
      if (line.starts_with("```")) {
        in_block = !in_block;
        fence = in_block ? line.substr(3) : "";
      } else {
        lines.push_back({std::string(file.name), fence, in_block, line});
      }
    }
    INFO(file.name);
    CHECK_FALSE(in_block);
  }
  return lines;
}

std::string skill_text() {
  for (const auto& file : embedded::embedded_skill()) {
    if (file.name == kSkillFile) return std::string(file.text);
  }
  return "";
}

std::string frontmatter(const std::string& key) {
  for (const auto& file : embedded::embedded_skill()) {
    if (file.name == kSkillFile) return core::json_of(file.frontmatter).value(key, "");
  }
  return "";
}

// Every word that a tool's entry defines: tools, arguments, results, values.
void collect_words(const Json& value, std::set<std::string>& words) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      words.insert(key);
      collect_words(inner, words);
    }
  } else if (value.is_array()) {
    for (const auto& inner : value) collect_words(inner, words);
  } else if (value.is_string()) {
    words.insert(value.get<std::string>());
  }
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end;
       ++match) {
    found.push_back((*match)[1]);
  }
  return found;
}

// The part of the skill's first page below a heading that begins so.
std::string section(const std::string& heading) {
  const std::string text = skill_text();
  const auto begin = text.find("\n## " + heading);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

// Calls the tools that it prints, literally; returns how many.
std::size_t follow(test::ToolHouse& house, const std::string& text) {
  std::istringstream lines(text);
  bool in_tools = false;
  std::size_t calls = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      in_tools = line == "```tool";
    } else if (in_tools) {
      INFO(line);
      const auto space = line.find(' ');
      house.good(line.substr(0, space), core::json_of(line.substr(space + 1)));
      ++calls;
    }
  }
  return calls;
}

// The world that the skill's examples speak of.
struct Example : test::ScheduleHouse {
  Example() {
    make_database(project, 30);
    install({{"name", "global"}});
    install({{"name", "my-app"}, {"source", core::text_of(project)}, {"label", "my-app"}});
  }
  fs::path project = *this / "home/code/my-app/.orchestrator/project.db";
};

Json read_json(const std::string& name) {
  return core::json_of(test::read_file(std::string(BPD_SOURCE_DIR) + "/" + name));
}

}  // namespace

TEST_CASE("The skill's frontmatter keeps the rules of skills") {
  CHECK(frontmatter("name") == "backup-plugin-db");
  CHECK(frontmatter("description").size() > 100);
  CHECK(frontmatter("description").size() <= kMaxDescription);
  CHECK(frontmatter("description").find(": ") == std::string::npos);
}

TEST_CASE("The frontmatter that is served is the one that the file holds") {
  for (const auto& file : embedded::embedded_skill()) {
    CAPTURE(std::string(file.name));
    CHECK(file.frontmatter.empty() == !file.text.starts_with("---\n"));
  }
  CHECK(skill_text().find("\ndescription: " + frontmatter("description") + "\n") !=
        std::string::npos);
}

// https://agentskills.io/specification: other fields fail its validator, tools stand apart by
// blanks.
TEST_CASE("The frontmatter has the fields of the Agent Skills specification alone") {
  const std::set<std::string> known{"name",          "description", "license",
                                    "compatibility", "metadata",    "allowed-tools"};
  for (const auto& file : embedded::embedded_skill()) {
    if (file.frontmatter.empty()) continue;
    const auto json = core::json_of(file.frontmatter);
    for (const auto& [field, value] : json.items()) {
      INFO(field);
      CHECK(known.contains(field));
    }
  }
  CHECK(frontmatter("license") == "MIT");
  CHECK(frontmatter("compatibility").size() <= 500);
  CHECK(frontmatter("allowed-tools").find(',') == std::string::npos);
}

TEST_CASE(
    "The tools that the skill may call unasked only read, under the names Claude Code gives") {
  test::ToolHouse house;
  const auto manifest = read_json(".claude-plugin/plugin.json");
  const std::string plugin = manifest.at("name");
  const auto servers = manifest.at("mcpServers");
  const std::string prefix = "mcp__plugin_" + plugin + "_" + servers.begin().key() + "__";
  const auto allowed = matches(frontmatter("allowed-tools"), "([a-z_-]+)");
  CHECK(allowed.size() == 6);
  for (const auto& name : allowed) {
    INFO(name);
    REQUIRE(name.starts_with(prefix));
    const auto& tool = house.tool(name.substr(prefix.size()));
    CHECK(tool.entry.json().at("annotations").at("readOnlyHint") == true);
  }
}

TEST_CASE("The skill names every tool") {
  test::ToolHouse house;
  const auto text = skill_text();
  for (const auto& tool : house.tools) {
    INFO(tool.name());
    CHECK(text.find("| `" + tool.name() + "` |") != std::string::npos);
  }
}

TEST_CASE("Every call printed in the skill fits the tool's schema") {
  test::ToolHouse house;
  std::size_t calls = 0;
  for (const auto& line : skill_lines()) {
    if (line.fence != "tool") continue;
    INFO(line.file << ": " << line.text);
    const auto space = line.text.find(' ');
    REQUIRE(space != std::string::npos);
    const auto& tool = house.tool(line.text.substr(0, space));
    const Json arguments = core::json_of(line.text.substr(space + 1));
    const server::SchemaCheck input(tool.entry.json().at("inputSchema"));
    CHECK(input.problem(arguments, "argument").value_or("") == "");
    ++calls;
  }
  CHECK(calls >= 20);
}

TEST_CASE("Every lone word that the skill quotes is one of the tools' own") {
  test::ToolHouse house;
  std::set<std::string> words{"cp", "mv", "rm", "restore"};  // commands
  for (const auto& tool : house.tools) collect_words(tool.entry.json(), words);
  for (int code = 0; code <= static_cast<int>(core::ErrorCode::internal); ++code) {
    words.insert(std::string(core::to_string(static_cast<core::ErrorCode>(code))));
  }
  for (const auto& line : skill_lines()) {
    if (line.in_block) continue;
    for (const auto& word : matches(line.text, "`([a-z]+(?:_[a-z]+)*)`")) {
      INFO(line.file << ": " << line.text);
      CHECK(words.count(word) == 1);
    }
  }
}

TEST_CASE("Every link of the skill leads to a file of the skill") {
  std::set<std::string> files;
  for (const auto& file : embedded::embedded_skill()) files.insert(std::string(file.name));
  std::set<std::string> linked{std::string(kSkillFile)};
  for (const auto& target : matches(skill_text(), "\\]\\(([^)]+)\\)")) {
    linked.insert("backup-plugin-db/" + target);
  }
  CHECK(linked == files);
}

TEST_CASE(
    "What the skill prints for lost notes, a new laptop and drills needs no SQL and no mkdir") {
  for (const char* heading : {"\"I deleted some notes", "A new laptop", "Drills"}) {
    const auto text = section(heading);
    INFO(text);
    CHECK(text.find("```sh") == std::string::npos);
    for (const char* word : {"mkdir", "sqlite3", "SELECT", "INSERT", "ATTACH"}) {
      CHECK(text.find(word) == std::string::npos);
    }
  }
}

TEST_CASE("What the skill prints for notes deleted by mistake brings them back") {
  Example house;
  test::run_sql(house.project, "DELETE FROM notes WHERE rowid <= 5");
  REQUIRE(test::notes_in(house.project) == 25);
  CHECK(follow(house, section("\"I deleted some notes")) >= 3);
  CHECK(test::notes_in(house.project) == 30);
}

TEST_CASE("What the skill prints for a new laptop brings everything home") {
  const Example old;
  test::ToolHouse house;
  fs::copy(old.backups, house.backups, fs::copy_options::recursive);
  CHECK(follow(house, section("A new laptop")) == 3);
  CHECK(test::notes_in(house.global) == 20);
  CHECK(test::notes_in(house / "home/code/my-app/.orchestrator/project.db") == 30);
}

TEST_CASE("What the skill prints for drills leaves nothing but the memory of them") {
  Example house;
  CHECK(follow(house, section("Drills")) == 2);
  CHECK_FALSE(fs::exists(house.places.state / "drill"));
  CHECK(house.good("backup_status", Json::object()).dump().find("\"drill_days_ago\":0") !=
        std::string::npos);
}

#ifdef BPD_BINARY
TEST_CASE("Every verb and flag of our command line that the skill prints exists") {
  const auto help_of = [](std::vector<std::string> words) {
    core::Command asked;
    asked.argv = {BPD_BINARY};
    asked.argv.insert(asked.argv.end(), words.begin(), words.end());
    asked.argv.emplace_back("--help");
    const auto result = core::system_commands().run(asked, {});
    REQUIRE(result);
    CHECK(result->exit_code == 0);
    return result->output;
  };
  const std::string verbs = help_of({});
  std::size_t commands = 0;
  for (const auto& line : skill_lines()) {
    std::vector<std::string> printed;
    if (line.fence == "sh" && line.text.starts_with("backup-plugin-db ")) {
      printed = {line.text};
    } else if (!line.in_block) {
      printed = matches(line.text, "`(backup-plugin-db [^`]+)`");
    }
    for (const auto& command : printed) {
      INFO(line.file << ": " << command);
      ++commands;
      std::istringstream words(command);
      std::string program, verb;
      words >> program >> verb;
      if (verb.starts_with("--")) continue;
      CHECK(verbs.find("\n  " + verb + " ") != std::string::npos);
      for (std::string word; words >> word;) {
        if (!word.starts_with("--")) continue;
        CHECK(help_of({verb}).find(word.substr(0, word.find('='))) != std::string::npos);
      }
    }
  }
  CHECK(commands >= 3);
}
#endif
