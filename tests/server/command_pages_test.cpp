#include "server/command_pages.h"

#include "core/env.h"
#include "support/catch.h"
#include "support/temp_folder.h"

namespace {

server::CommandPages sample() {
  return {.program = "keep-db",
          .version = "1.2.3",
          .summary = "keeps it's databases",
          .verbs = {{"snapshot",
                     "Take one; [really] it's: safe",
                     "",
                     {{"--source", "PATH", "Database file.", {}, false},
                      {"--verify", "LEVEL", "", {"quick", "full"}, false},
                      {"--pattern", "TEXT", ".hidden names \\too", {}, true},
                      {"--flat", "", "Leave out the host folder.", {}, false}}},
                    {"run", "Run one schedule.", "NAME", {}}},
          .options = {{"--json", "", "Print JSON.", {}, false}},
          .exit_codes = {{0, "Done."}, {2, "Bad usage."}}};
}

// What bash offers after these words, one per line.
std::string completed(const std::vector<std::string>& words) {
  test::TempFolder folder;
  test::write_file(folder / "keep-db.bash", server::bash_completion(sample()));
  std::string script = "source \"$1\"; shift; COMP_WORDS=(keep-db \"$@\"); COMP_CWORD=$#; ";
  script += "_keep_db; printf '%s\\n' \"${COMPREPLY[@]}\"";
  core::Command command;
  command.argv = {"bash", "-c", script, "bash", (folder / "keep-db.bash").string()};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  const auto result = core::system_commands().run(command, {});
  REQUIRE(result);
  INFO(result->error_output);
  CHECK(result->exit_code == 0);
  CHECK(result->error_output.empty());
  return result->output;
}

}  // namespace

TEST_CASE("bash completes verbs, then a verb's flags and their choices") {
  CHECK(completed({"sn"}) == "snapshot\n");
  CHECK(completed({"--"}) == "--json\n");
  CHECK(completed({"snapshot", "--f"}) == "--flat\n");
  CHECK(completed({"snapshot", "--j"}) == "--json\n");
  CHECK(completed({"snapshot", "--verify", ""}) == "quick\nfull\n");
  CHECK(completed({"snapshot", "--pattern", "x"}) == "\n");
  CHECK(completed({"run", "--s"}) == "\n");
}

TEST_CASE("bash completes files after a flag that takes a path") {
  CHECK(completed({"snapshot", "--source", "/etc/host"}).find("/etc/hosts") != std::string::npos);
}

TEST_CASE("the man page escapes what roff would take for commands") {
  const auto page = server::man_page(sample());
  CHECK(page.find(".B \\-\\-pattern \\fITEXT\\fR\n\\&.hidden names \\etoo May be repeated.") !=
        std::string::npos);
  CHECK(page.find("One of: quick, full.") != std::string::npos);
  CHECK(page.find(".SS run \\fINAME\\fR\n") != std::string::npos);
  CHECK(page.find(".B 2\nBad usage.") != std::string::npos);
}

TEST_CASE("zsh and fish scripts quote what their syntax would take apart") {
  const auto zsh = server::zsh_completion(sample());
  CHECK(zsh.find("'snapshot:Take one; (really) it'\\''s\\: safe'") != std::string::npos);
  CHECK(zsh.find("'*--pattern[.hidden names \\too]:value:'") != std::string::npos);
  const auto fish = server::fish_completion(sample());
  CHECK(fish.find("-a snapshot -d 'Take one; [really] it\\'s: safe'") != std::string::npos);
  CHECK(fish.find("-l verify -x -a 'quick full'") != std::string::npos);
}
