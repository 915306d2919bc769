#include "server/cli/command_pages.h"

#include "core/base/env.h"
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
          .options = {{"--help", "", "Print the flags.", {}, false}},
          .program_options = {{"--version", "", "Print the version.", {}, false}},
          .exit_codes = {{0, "Done."}, {2, "Bad usage."}}};
}

// What bash offers after these words, one per line.
std::string completed(const std::vector<std::string>& words,
                      const std::string& completions = server::bash_completion(sample()),
                      const std::string& function = "_keep_db") {
  test::TempFolder folder;
  test::write_file(folder / "keep-db.bash", completions);
  const std::string script = "source \"$1\"; shift; COMP_WORDS=(keep-db \"$@\"); COMP_CWORD=$#; " +
                             function + "; printf '%s\\n' \"${COMPREPLY[@]}\"";
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
  CHECK(completed({"--"}) == "--help\n--version\n");
  CHECK(completed({"snapshot", "--f"}) == "--flat\n");
  CHECK(completed({"snapshot", "--h"}) == "--help\n");
  CHECK(completed({"snapshot", "--v"}) == "--verify\n");
  CHECK(completed({"snapshot", "--verify", ""}) == "quick\nfull\n");
  CHECK(completed({"snapshot", "--pattern", "x"}) == "\n");
  CHECK(completed({"run", "--s"}) == "\n");
}

TEST_CASE("bash completes files after a flag that takes a path") {
  CHECK(completed({"snapshot", "--source", "/etc/host"}).find("/etc/hosts") != std::string::npos);
}

TEST_CASE("bash completes a path with a blank or a star as one word") {
  test::TempFolder folder;
  const std::string path = (folder / "a * file.db").string();
  test::write_file(folder / "a * file.db", "");
  test::write_file(folder / "another.db", "");
  CHECK(completed({"snapshot", "--source", (folder / "a ").string()}) == path + "\n");
}

TEST_CASE("bash completes what the program offers, after a flag and as a word") {
  auto pages = sample();
  const server::OptionPage name{"--name", "TEXT", "", {}, false, "-n", "names"};
  pages.verbs[1].options = {name};
  pages.verbs[1].words = {name};
  const auto with_offers =
      server::bash_completion(pages) +
      "keep-db() { if [ \"$1 $2\" = 'offer names' ]; then echo global; echo app; fi; }\n";
  const auto offered = [&with_offers](const std::vector<std::string>& words) {
    return completed(words, with_offers);
  };
  CHECK(offered({"run", ""}) == "global\napp\n");
  CHECK(offered({"run", "g"}) == "global\n");
  CHECK(offered({"run", "--name", "a"}) == "app\n");
  CHECK(offered({"run", "-n", "a"}) == "app\n");
  CHECK(offered({"run", "--n"}) == "--name\n");
}

TEST_CASE("The man page escapes what roff would take for commands") {
  const auto page = server::man_page(sample());
  CHECK(page.find(".B \\-\\-pattern \\fITEXT\\fR\n\\&.hidden names \\etoo May be repeated.") !=
        std::string::npos);
  CHECK(page.find("One of: quick, full.") != std::string::npos);
  CHECK(page.find(".SS run \\fINAME\\fR\n") != std::string::npos);
  CHECK(page.find(".B 2\nBad usage.") != std::string::npos);
  CHECK(page.find(".B \\-\\-help\nPrint the flags.") != std::string::npos);
  CHECK(page.find(".B \\-\\-version\nPrint the version.") != std::string::npos);
}

TEST_CASE("zsh and fish scripts quote what their syntax would take apart") {
  const auto zsh = server::zsh_completion(sample());
  CHECK(zsh.find("'snapshot:Take one; (really) it'\\''s\\: safe'") != std::string::npos);
  CHECK(zsh.find("'*--pattern[.hidden names \\too]:value:'") != std::string::npos);
  const auto fish = server::fish_completion(sample());
  CHECK(fish.find("-a snapshot -d 'Take one; [really] it\\'s: safe'") != std::string::npos);
  CHECK(fish.find("-l verify -x -a 'quick full'") != std::string::npos);
}

TEST_CASE("zsh and fish offer the program's own flags in place of a verb only") {
  const auto zsh = server::zsh_completion(sample());
  const std::string version = "'--version[Print the version.]'";
  CHECK(zsh.find("'--help[Print the flags.]' " + version + "\n") != std::string::npos);
  CHECK(zsh.find(version) == zsh.rfind(version));
  const auto fish = server::fish_completion(sample());
  CHECK(fish.find("complete -c keep-db -n __fish_use_subcommand -l version") != std::string::npos);
  CHECK(fish.find("complete -c keep-db -l help") != std::string::npos);
}

#ifdef BPD_BINARY
TEST_CASE("The program's completions offer what its verbs take, and nothing else") {
  core::Command generate;
  generate.argv = {BPD_BINARY, "generate", "bash"};
  const auto script = core::system_commands().run(generate, {});
  REQUIRE(script);
  const auto offered = [&script](const std::vector<std::string>& words) {
    return completed(words, script->output, "_backup_plugin_db");
  };
  CHECK(offered({"--v"}) == "--version\n");
  CHECK(offered({"prune", "--no"}) == "--no-dry-run\n");
  CHECK(offered({"install-schedule", "--no"}) == "--no-run-now\n");
  CHECK(offered({"snapshot", "--no"}) == "\n");
  CHECK(offered({"snapshot", "--cl"}) == "--cloud-root\n");
  CHECK(offered({"snapshot", "--cloud-root", "/etc/host"}).find("/etc/hosts") != std::string::npos);
  CHECK(offered({"snapshot", "--j"}) == "--json\n");
  CHECK(offered({"serve", "--c"}) == "--check-output\n");
  for (const char* verb : {"run", "serve", "call", "generate"}) {
    CHECK(offered({verb, "--j"}) == "\n");
    CHECK(offered({verb, "--hel"}) == "--help\n");
  }
}
#endif
