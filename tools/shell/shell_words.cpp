#include "tools/shell/shell_words.h"

#include <array>
#include <string_view>
#include <utility>

#include "server/jsonrpc/jsonrpc.h"
#include "tools/schema.h"
#include "tools/shell/fill_in.h"
#include "tools/shell/offers.h"
#include "tools/shell/show.h"

namespace tools {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// What people type, and the command that they mean. A tool's own name does, too.
constexpr auto kCommands = std::to_array<Pair>({
    {"backup", "snapshot"},
    {"save", "snapshot"},
    {"take", "snapshot"},
    {"ls", "list"},
    {"snapshots", "list"},
    {"check", "verify"},
    {"recover", "restore"},
    {"get", "restore"},
    {"find", "discover"},
    {"scan", "discover"},
    {"databases", "discover"},
    {"st", "status"},
    {"health", "status"},
    {"doctor", "status"},
    {"clean", "prune"},
    {"cleanup", "prune"},
    {"expire", "prune"},
    {"schedule", "install-schedule"},
    {"add-schedule", "install-schedule"},
    {"schedules", "list-schedules"},
    {"ls-schedules", "list-schedules"},
    {"jobs", "list-schedules"},
    {"run-now", "run-schedule"},
    {"unschedule", "remove-schedule"},
    {"rm-schedule", "remove-schedule"},
    {"delete-schedule", "remove-schedule"},
    {"log", "runs"},
    {"history", "runs"},
    {"lost-rows", "lost"},
    {"find-lost", "lost"},
    {"selftest", "self-test"},
    {"version", "--version"},
    {"-V", "--version"},
    {"-v", "--version"},
    {"-?", "--help"},
});

// What people type, and the flag that they mean, where a tool has it.
constexpr auto kFlags = std::to_array<Pair>({
    {"-d", "--destination"},
    {"--dest", "--destination"},
    {"--dst", "--destination"},
    {"--backups", "--destination"},
    {"--to-folder", "--destination"},
    {"-s", "--source"},
    {"--src", "--source"},
    {"--db", "--source"},
    {"--database", "--source"},
    {"--file", "--source"},
    {"-t", "--target"},
    {"-o", "--target"},
    {"--output", "--target"},
    {"--out", "--target"},
    {"-n", "--dry-run"},
    {"--dry", "--dry-run"},
    {"--preview", "--dry-run"},
    {"--simulate", "--dry-run"},
    {"-y", "--confirm"},
    {"--yes", "--confirm"},
    {"-i", "--in-place"},
    {"--inplace", "--in-place"},
    {"-l", "--label"},
    {"--host", "--hostname"},
    {"--at", "--time"},
    {"--keep-days", "--retain-days"},
    {"--keep", "--keep-last"},
    {"--tag", "--label"},
    {"--schedule", "--name"},
    {"--table", "--tables"},
    {"--key", "--keys"},
    {"--folders", "--folder"},
    {"--patterns", "--pattern"},
    {"--check", "--verify"},
});

// What a line begins with that is good or bad news.
const std::array<server::Paint, 11> kPaints = {{
    {"failing", server::Colour::bad},
    {"damaged", server::Colour::bad},
    {"failed", server::Colour::bad},
    {"Backups: failing", server::Colour::bad},
    {"Problem:", server::Colour::bad},
    {"attention", server::Colour::care},
    {"Backups: attention", server::Colour::care},
    {"Warning:", server::Colour::care},
    {"Not compared:", server::Colour::care},
    {"ok", server::Colour::good},
    {"Backups: ok", server::Colour::good},
}};

void read_arguments(const server::Json& from, server::ToolWords& words) {
  const auto* arguments = server::member(from, "arguments");
  if (arguments == nullptr) return;
  for (const auto& [name, text] : arguments->items()) {
    words.arguments[name] = text.get<std::string>();
  }
}

// Of schemas/people.json: what all tools share, and over it what is of this one.
server::ToolWords words_of(const std::string& tool) {
  const auto all = core::json_of(schema_of("people"));
  server::ToolWords words;
  read_arguments(all, words);
  const auto* own = server::member(all, tool.empty() ? "program" : tool.c_str());
  if (own == nullptr) return words;
  words.help = server::string_member(*own, "help");
  words.examples = own->value("examples", std::vector<std::string>());
  read_arguments(*own, words);
  return words;
}

}  // namespace

server::ShellKnowledge shell_knowledge(const core::Env& env) {
  server::ShellKnowledge knowledge;
  for (const auto& [said, meant] : kCommands) knowledge.synonyms.commands.emplace(said, meant);
  for (const auto& [said, meant] : kFlags) knowledge.synonyms.flags.emplace(said, meant);
  knowledge.fill_in = [setting = Setting(env)](const std::string& tool,
                                               const server::Json& arguments) {
    return fill_in(tool, arguments, setting);
  };
  knowledge.show = show;
  knowledge.paints = {kPaints.begin(), kPaints.end()};
  knowledge.words = words_of;
  knowledge.offers = [setting = Setting(env)](const std::string& kind) {
    return offers(kind, setting);
  };
  return knowledge;
}

}  // namespace tools
