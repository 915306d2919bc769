// Flags made from schemas, and exit codes.
#include "server/cli/tool_command.h"

#include <set>

#include "core/base/env.h"
#include "core/base/json.h"
#include "server/base/printable.h"
#include "server/cli/command_line.h"
#include "server/cli/help.h"
#include "server/cli/shell_speech.h"
#include "support/catch.h"
#include "support/temp_folder.h"

using server::Json;
using server::parse_tool_words;

namespace {

constexpr std::string_view kSchema = R"({
  "name": "snapshot_db",
  "description": "Takes a snapshot.",
  "inputSchema": {
    "type": "object",
    "properties": {
      "source": {"x-path": true, "type": "string", "description": "The database"},
      "destination": {"type": "string", "x-path": true, "x-alias": "cloud-root"},
      "label": {"type": "string"},
      "verify": {"type": "string", "enum": ["quick", "full"]},
      "retain_days": {"type": "integer"},
      "share": {"type": "number"},
      "flat": {"type": "boolean"},
      "dry_run": {"type": "boolean", "default": true, "description": "Only show it"},
      "paths": {"x-path": true, "type": "array", "items": {"type": "string"}},
      "policy": {"type": "object"}
    }
  }
})";

server::Tool tool() {
  return server::make_tool(kSchema, [](const Json&, server::CallContext&) { return Json(); });
}

Json arguments(const std::vector<std::string>& words) {
  const auto parsed = parse_tool_words(tool(), words);
  REQUIRE(parsed);
  return parsed->arguments;
}

std::string help_of(const server::Tool& of, const server::ShellKnowledge& knowledge = {},
                    std::size_t width = 80) {
  server::CommandPages pages;
  pages.program = "program";
  return server::verb_help(pages, server::page_of(of, "snapshot", knowledge), width);
}

std::string refusal(const std::vector<std::string>& words) {
  const auto parsed = parse_tool_words(tool(), words);
  REQUIRE_FALSE(parsed);
  return parsed.error().message;
}

}  // namespace

TEST_CASE("Each property of a schema is a flag of its type") {
  CHECK(arguments({"--source", "/a b.db", "--retain-days", "7", "--share=0.5", "--flat", "--paths",
                   "x", "--paths", "y", "--policy", R"({"keep":1})"}) ==
        core::json_of(R"({"source":"/a b.db","retain_days":7,"share":0.5,"flat":true,
                        "paths":["x","y"],"policy":{"keep":1}})"));
}

TEST_CASE("Flags that are not given are not in the arguments, and a switch can be turned off") {
  CHECK(arguments({}) == Json::object());
  CHECK(arguments({"--no-flat"}) == core::json_of(R"({"flat":false})"));
}

TEST_CASE("A value of the wrong type is left for the schema to refuse") {
  CHECK(arguments({"--retain-days", "soon"}) == core::json_of(R"({"retain_days":"soon"})"));
  CHECK(arguments({"--retain-days", "7x"}) == core::json_of(R"({"retain_days":"7x"})"));
}

TEST_CASE("The earlier script's flag for the destination still works") {
  CHECK(arguments({"--cloud-root", "/c"}) == core::json_of(R"({"destination":"/c"})"));
}

TEST_CASE("An unknown flag is refused with the nearest known one") {
  CHECK(refusal({"--retain-day", "3"}) == "Unknown flag --retain-day; did you mean --retain-days?");
  CHECK(refusal({"--sorce=/x"}) == "Unknown flag --sorce; did you mean --source?");
  CHECK(refusal({"--frobnicate"}) == "Unknown flag --frobnicate.");
  CHECK(refusal({"/x.db"}) == "Unexpected word '/x.db'; did you mean --source /x.db?");
  CHECK(refusal({"--source", "/y", "/x"}) == "Unexpected word '/x'; values follow a --flag.");
}

TEST_CASE("Words without a flag go to the arguments that the schema numbers for them") {
  const auto numbered = server::make_tool(R"({
    "name": "copy",
    "inputSchema": {"type": "object", "properties": {
      "to": {"x-word": 2, "x-path": true, "type": "string"},
      "from": {"x-word": 1, "x-path": true, "type": "string"},
      "count": {"type": "integer"}}}
  })",
                                          [](const Json&, server::CallContext&) { return Json(); });
  const auto parsed = [&numbered](const std::vector<std::string>& words) {
    const auto result = parse_tool_words(numbered, words);
    return result ? result->arguments : Json(result.error().message);
  };
  CHECK(parsed({"/a", "/b"}) == Json{{"from", "/a"}, {"to", "/b"}});
  CHECK(parsed({"--from", "/a", "/b", "--count", "3"}) ==
        core::json_of(R"({"from":"/a","count":3,"to":"/b"})"));
  CHECK(parsed({"/a", "/b", "/c"}) == "Unexpected word '/c'; values follow a --flag.");
  CHECK(parsed({""}) == "A word is empty; --from would be it. Give a path, or leave it out.");
  CHECK(parsed({"-x"}) == "Unknown flag -x.");
}

TEST_CASE("Synonyms stand for flags that a tool has, and hide none of its own") {
  const server::Synonyms synonyms{
      {},
      {{"--db", "--source"}, {"-d", "--destination"}, {"--label", "--source"}, {"-n", "--none"}}};
  const auto parsed = [&synonyms](const std::vector<std::string>& words) {
    const auto result = parse_tool_words(tool(), words, synonyms);
    return result ? result->arguments : Json(result.error().message);
  };
  CHECK(parsed({"--db=/x", "-d", "/y", "--label", "l"}) ==
        Json{{"source", "/x"}, {"destination", "/y"}, {"label", "l"}});
  CHECK(parsed({"--label", "-d"}) == Json{{"label", "-d"}});
  CHECK(parsed({"-n"}) == "Unknown flag -n.");
  CHECK(parsed({"-d"}) == "--destination needs a value.");
}

TEST_CASE("A flag without its value is refused, and takes no flag for it") {
  CHECK(refusal({"--source"}) == "--source needs a value.");
  CHECK(refusal({"--label", "--flat", "--source", "/x"}) ==
        "--label needs a value; write --label=--flat if you mean that.");
  for (const char* flag : {"--no-flat", "--json", "--help", "-h", "--flat=true", "--cloud-root"}) {
    CHECK(refusal({"--label", flag}) ==
          std::string("--label needs a value; write --label=") + flag + " if you mean that.");
  }
  // One of ours with a slip would be taken just as silently.
  CHECK(refusal({"--label", "--flatt"}).starts_with("--label needs a value;"));
  CHECK(refusal({"--label=", "--paths", "--flat"}).starts_with("--paths needs a value;"));
  CHECK(refusal({"--cloud-root", "--flat"}).starts_with("--cloud-root needs a value;"));
}

TEST_CASE("A value may begin with hyphens where it is meant so, and be empty where it is no path") {
  CHECK(arguments({"--label=--flat"}) == core::json_of(R"({"label":"--flat"})"));
  CHECK(arguments({"--retain-days", "-5"}) == core::json_of(R"({"retain_days":-5})"));
  CHECK(arguments({"--label", "-"}) == core::json_of(R"({"label":"-"})"));
  CHECK(arguments({"--label="}) == core::json_of(R"({"label":""})"));
  CHECK(arguments({"--label", "", "--flat"}) == core::json_of(R"({"label":"","flat":true})"));
  CHECK(arguments({"--label=", "--flat"}) == core::json_of(R"({"label":"","flat":true})"));
}

TEST_CASE("An empty path is refused: it is an unset variable, and never the default") {
  CHECK(refusal({"--source", ""}) ==
        "--source is empty; give a path, or leave the flag out for its default.");
  CHECK(refusal({"--source=", "--flat"}).starts_with("--source is empty;"));
  CHECK(refusal({"--cloud-root", ""}).starts_with("--cloud-root is empty;"));
  CHECK(refusal({"--paths", "/x", "--paths", ""}).starts_with("--paths is empty;"));
}

TEST_CASE("Help lists every flag, says what it is for, and asks for nothing else") {
  CHECK(parse_tool_words(tool(), {"--label", "x", "--help"})->help);
  CHECK(parse_tool_words(tool(), {"-h"})->help);
  const std::string help = help_of(tool());
  for (const char* flag : {"--source PATH", "--retain-days N", "--flat", "--json"}) {
    CHECK(help.find(flag) != std::string::npos);
  }
  CHECK(help.starts_with("Usage: program snapshot [--flags…]\n\nTakes a snapshot.\n"));
}

TEST_CASE(
    "A tool's texts name its flags at a shell, and leave words, paths and other names alone") {
  const auto text = [](const std::string& given) { return server::with_flags(given, tool()); };
  CHECK(text("Give retain_days, or flat: true.") == "Give --retain-days, or --flat.");
  CHECK(text("unless called with flat: false.") == "unless called with --no-flat.");
  CHECK(text("Give 'source' of it") == "Give --source of it");
  CHECK(text("the source, flat or not") == "the source, flat or not");
  CHECK(text("mv /x/retain_days/a /retain_days_2") == "mv /x/retain_days/a /retain_days_2");
  CHECK(text("x.retain_days y-retain_days") == "x.retain_days y-retain_days");
}

TEST_CASE("What a schema says for the command line alone is not in what clients get") {
  const auto entry = tool().entry;
  CHECK(entry.json().dump().find("x-") == std::string::npos);
  CHECK(*entry.hint("destination", "x-alias") == "cloud-root");
  CHECK(entry.hint("destination", "x-none") == nullptr);
  CHECK(entry.hint("label", "x-path") == nullptr);
  for (const auto& option : server::page_of(tool(), "snapshot").options) {
    const bool path = option.flag == "--source" || option.flag == "--destination" ||
                      option.flag == "--cloud-root" || option.flag == "--paths";
    INFO(option.flag);
    CHECK((option.value == "PATH") == path);
  }
}

TEST_CASE("Only a switch that is on by default has its opposite in help and pages") {
  CHECK(help_of(tool()).find("--no-flat") == std::string::npos);
  CHECK(help_of(tool()).find("  --no-dry-run\n") != std::string::npos);
  std::vector<std::string> flags;
  for (const auto& option : server::page_of(tool(), "snapshot").options) {
    flags.push_back(option.flag);
    CHECK((option.flag == "--no-dry-run" || option.flag != "--dry-run" ||
           option.help == "Only show it. Default: on; --no-dry-run turns it off"));
  }
  CHECK(flags == std::vector<std::string>{"--source", "--destination", "--cloud-root", "--label",
                                          "--verify", "--retain-days", "--share", "--flat",
                                          "--dry-run", "--no-dry-run", "--paths", "--policy",
                                          "--json"});
}

TEST_CASE("Help and pages speak of flags where the schema speaks of its properties") {
  const auto spoken = server::make_tool(R"({
    "name": "prune_snapshots",
    "description": "Only shows it unless dry_run is false; not_this, dry_runs. See prune_snapshots.",
    "inputSchema": {
      "type": "object",
      "properties": {
        "dry_run": {"type": "boolean"},
        "keep_last": {"type": "integer", "description": "With dry_run: (keep_last) of source"},
        "source": {"type": "string"}
      }
    }
  })",
                                        [](const Json&, server::CallContext&) { return Json(); });
  const std::string description =
      "Only shows it unless --no-dry-run is given; not_this, dry_runs. See prune_snapshots.";
  const std::string keep = "With --dry-run: (--keep-last) of source";
  const auto page = server::page_of(spoken, "prune");
  CHECK(page.help == description);
  CHECK(page.options.at(1).help == keep);
  const std::string help = help_of(spoken, {}, 200);
  CHECK(help.find(description) != std::string::npos);
  CHECK(help.find(keep) != std::string::npos);
}

TEST_CASE("Help has words of its own for people, examples and short flags, and fits the width") {
  server::ShellKnowledge knowledge;
  knowledge.synonyms.flags = {{"-s", "--source"}, {"--db", "--source"}};
  knowledge.words = [](const std::string& of) {
    return server::ToolWords{
        .help = "Makes one of " + of + ", and takes its time over it while others write to it.",
        .examples = {"program snapshot --source x.db"},
        .arguments = {
            {"source", "The file, wherever it may lie on this machine or on another one"}}};
  };
  const std::string help = help_of(tool(), knowledge, 60);
  CHECK(
      help.find(
          "\nMakes one of snapshot_db, and takes its time over it while\nothers write to it.\n") !=
      std::string::npos);
  CHECK(help.find("\nFor example:\n  program snapshot --source x.db\n") != std::string::npos);
  CHECK(
      help.find("\n  -s, --source PATH\n      The file, wherever it may lie on this machine or on\n"
                "      another one.\n") != std::string::npos);
  for (std::size_t at = 0; at < help.size();) {
    const std::size_t end = std::min(help.find('\n', at), help.size());
    CHECK(server::width_of(help.substr(at, end - at)) <= 60);
    at = end + 1;
  }
}

TEST_CASE("Folding leaves commands and long words whole") {
  CHECK(server::folded("Call `a b c d` at once", 10) == "Call\n`a b c d`\nat once");
  CHECK(server::folded("one two", 3, 2) == "one\n  two");
  CHECK(server::folded("averylongword x", 5) == "averylongword\nx");
  CHECK(server::folded("it's ` open", 8) == "it's `\nopen");
  CHECK(server::folded("", 8).empty());
}

TEST_CASE("The name of a tool is known without parsing its schema") {
  const auto entry = server::ToolEntry::from_text(R"({"name":"early","broken": )");
  CHECK(entry.name() == "early");
  CHECK(tool().name() == "snapshot_db");
}

TEST_CASE("Every kind of failure has an exit code of its own, none of them 0 or 1") {
  std::set<int> seen;
  for (const auto& [code, exit] : server::kExitCodes) {
    CHECK(exit > 1);
    CHECK(seen.insert(exit).second);
    CHECK(server::exit_code(code) == exit);
  }
  CHECK(server::exit_code(core::ErrorCode::invalid_argument) == server::kExitUsage);
}

TEST_CASE("A verb is a tool's name with hyphens unless the tool says otherwise") {
  server::Tool told = tool();
  told.verb = "snapshot";
  CHECK(server::verb_of(told) == "snapshot");
  CHECK(server::verb_of(tool()) == "snapshot-db");
}

#ifdef BPD_BINARY
namespace {

core::CommandResult program(const std::vector<std::string>& words) {
  core::Command command;
  command.argv = {BPD_BINARY};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  const auto result = core::system_commands().run(command, {});
  REQUIRE(result);
  return *result;
}

}  // namespace

TEST_CASE("A flag of serve takes neither the next flag nor nothing for its value") {
  const auto refused = [](const std::vector<std::string>& words) {
    const auto result = program(words);
    CHECK(result.exit_code == server::kExitUsage);
    return result.error_output;
  };
  CHECK(refused({"serve", "--allow", "--check-output"}) ==
        "--allow needs a value; write --allow=--check-output if you mean that.\n");
  CHECK(refused({"serve", "--allow", ""}) == "--allow is empty; give it a value.\n");
  CHECK(refused({"serve", "--token-file="}) == "--token-file is empty; give it a value.\n");
  CHECK(refused({"serve", "--no-token", "--token-file=x"}) ==
        "Give --token-file or --no-token, not both.\n");
}

TEST_CASE("Output that cannot be written is a failure, and told") {
  if (!core::fs::exists("/dev/full")) return;
  const test::TempFolder home;
  const auto shell = [&home](const std::string& script) {
    core::Command command;
    command.argv = {"sh", "-c", script, BPD_BINARY};
    command.extra_environment["HOME"] = home.path().string();
    const auto result = core::system_commands().run(command, {});
    REQUIRE(result);
    return *result;
  };
  constexpr int kIo = 14;
  for (const std::string words : {"--version", "--help", "serve --help", "run --help",
                                  "generate man", "list --help", "call --help", "discover"}) {
    INFO(words);
    const auto full = shell("\"$0\" " + words + " >/dev/full");
    CHECK(full.exit_code == kIo);
    CHECK(full.error_output.starts_with("io: The output could not be written: "));
  }
  CHECK(shell("\"$0\" --version >&-").exit_code == kIo);
  // A reader that has seen enough is no failure.
  CHECK(shell("{ sleep 0.2; \"$0\" discover; echo $? >&2; } | true").error_output == "0\n");
  // The command's own failure counts for more.
  CHECK(shell("\"$0\" verify --snapshot /nowhere.db >/dev/full").exit_code ==
        server::exit_code(core::ErrorCode::not_found));
}

TEST_CASE("Call --help prints how to call a tool, and the tools' names") {
  const std::vector<std::vector<std::string>> questions = {
      {"call", "--help"}, {"call", "-h"}, {"call", "list_snapshots", "--help"}};
  for (const auto& words : questions) {
    const auto result = program(words);
    CHECK(result.exit_code == server::kExitDone);
    CHECK(result.error_output.empty());
    CHECK(result.output.starts_with("Usage: backup-plugin-db call TOOL [JSON|-]\n"));
    CHECK(result.output.find(" list_snapshots ") != std::string::npos);
  }
}

TEST_CASE("Every verb answers --help and -h on standard output") {
  for (const char* verb :
       {"list", "install-schedule", "run", "self-test", "serve", "call", "generate"}) {
    for (const char* flag : {"--help", "-h"}) {
      INFO(verb << " " << flag);
      const auto result = program({verb, flag});
      CHECK(result.exit_code == server::kExitDone);
      CHECK(result.error_output.empty());
      CHECK_FALSE(result.output.empty());
    }
  }
  CHECK(program({"run", "nightly", "--help"})
            .output.starts_with("Usage: backup-plugin-db run NAME [--if-due]\n"));
  CHECK(program({"generate", "--help"})
            .output.starts_with("Usage: backup-plugin-db generate man|bash|zsh|fish\n"));
}

TEST_CASE("A self-test says of each step how it went, and ends with 0 when none failed") {
  const test::TempFolder folder;
  const auto result = program({"self-test", folder.path().string()});
  INFO(result.output << result.error_output);
  CHECK(result.exit_code == server::kExitDone);
  CHECK(result.output.starts_with("backup-plugin-db "));
  CHECK(result.output.find("\nok       restore in place ") != std::string::npos);
  CHECK(result.output.find("\nskipped  schedule ") != std::string::npos);
  CHECK(result.output.ends_with("\nEverything that was tried works.\n"));
  CHECK(test::names_in(folder.path()).empty());
  CHECK(program({"self-test", (folder / "none").string()}).exit_code ==
        server::exit_code(core::ErrorCode::not_found));
  CHECK(program({"self-test", "a", "b"}).exit_code == server::kExitUsage);
}

TEST_CASE("The program hears how its commands end, whatever who started it ignored") {
  const test::TempFolder home;
  core::Command started;
  started.argv = {"python3",
                  "-c",
                  "import os, signal, sys\n"
                  "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
                  "os.execv(sys.argv[1], sys.argv[1:])",
                  BPD_BINARY,
                  "call",
                  "remove_schedule",
                  R"({"name": "global", "confirm": true})"};
  started.extra_environment = {{"HOME", home.path().string()},
                               {"XDG_CONFIG_HOME", (home / "config").string()},
                               {"XDG_STATE_HOME", (home / "state").string()},
                               {"XDG_DATA_HOME", (home / "data").string()},
                               {"BPD_SYSTEM", "linux"},
                               {"BPD_CRONTAB", "false"}};
  const auto result = core::system_commands().run(started, {});
  REQUIRE(result);
  // A crontab that fails is not taken for an empty one.
  CHECK((result->output + result->error_output).find("crontab cannot be used") !=
        std::string::npos);
}
#endif
