// The command line over the tools.
#include "server/cli/command_line.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <system_error>

#include "server/base/printable.h"
#include "server/cli/filled_call.h"
#include "server/cli/help.h"
#include "server/cli/page_command.h"
#include "server/cli/shell_speech.h"
#include "server/cli/terminal.h"
#include "server/cli/tool_command.h"
#include "server/jsonrpc/schema_check.h"
#include "server/mcp/methods.h"
#include "server/mcp/questions.h"
#include "server/mcp/tool_registry.h"
#include "server/platform/signals.h"

namespace server {
namespace {

struct BuiltIn {
  const char* name;
  const char* arguments;
  const char* help;
};
constexpr std::array<BuiltIn, 3> kBuiltIns = {{
    {"serve", "", "Serve MCP on standard input and output, or over HTTP"},
    {"call", "TOOL [JSON|-]", ""},  // call_help
    {"generate", "man|bash|zsh|fish", "Print the manual page or a shell's completions"},
}};

std::vector<OptionPage> serve_options() {
  return {
      {"--http", "HOST:PORT", "Serve Streamable HTTP there, for example 127.0.0.1:8765", {}, false},
      {"--token-file",
       "PATH",
       "File with the bearer token. Default: one that the first start makes; beyond this machine "
       "you must give one",
       {},
       false},
      {"--no-token", "", "No token: every user of this machine may call every tool", {}, false},
      {"--allow",
       "PATH",
       "Folder that tools may read and write. Default: everything on stdio, the home folder over "
       "HTTP",
       {},
       true},
      {"--allow-calls",
       "",
       "Such tools may also set up commands and web calls for a client",
       {},
       false},
      {"--allow-origin", "ORIGIN", "Web origin that may call over HTTP", {}, true},
      {"--allow-host",
       "NAME",
       "Name that clients call this server by over HTTP, where there is no token",
       {},
       true},
      {"--check-output", "", "Check each result against its schema", {}, false}};
}

std::string text_of(const ToolResult& result) {
  std::string text;
  for (const Json& block : result.content) {
    if (const std::string& part = string_member(block, "text"); !part.empty()) {
      text += (text.empty() ? "" : "\n") + part;
    }
  }
  return text;
}

std::string call_help(const ServerDefinition& definition) {
  std::string text =
      "Call a tool with its arguments as JSON (-: read from standard input) and print its result "
      "as JSON. Tools:";
  for (const Tool& tool : definition.tools) text += " " + tool.name();
  return text;
}

// How a call is printed.
struct Print {
  bool as_json = false;
  const Speech& speech;
  const ShellKnowledge& knowledge;
  const View& view;
};

std::string shown_text(const Tool& tool, const Json& structured, const Print& print) {
  return print.knowledge.show ? print.knowledge.show(tool, structured, print.view)
                              : tool.to_text(structured);
}

int finish(const Tool& tool, const ToolResult& result, const Print& print) {
  if (result.is_error) {
    if (print.as_json) {
      print_error(text_of(result));
    } else {
      tell(text_of(result), print.view);
    }
    return exit_code(result.code.value_or(core::ErrorCode::internal));
  }
  if (!result.structured) return print_output(printable(text_of(result)));
  const int printed =
      print.as_json || !tool.to_text
          ? print_output(result.structured->dump(2, ' ', false, Json::error_handler_t::replace))
          : print_output(
                laid_out(printable(print.speech(shown_text(tool, *result.structured, print))),
                         print.view, print.knowledge.paints));
  const auto bad = tool.bad_news ? tool.bad_news(*result.structured) : std::nullopt;
  return bad ? exit_code(*bad) : printed;
}

int run_tool(const Tool& tool, const Json& arguments, const ServerDefinition& definition,
             const Print& print) {
  const Event* signals = termination_signals().value_or(nullptr);
  const StopOnSignal stop(signals);
  ToolRegistry registry(definition, /*check_output=*/false, print.speech);
  std::optional<CallOutcome> outcome;
  {
    TerminalContext context(stop.token());
    for (int round = 0; round <= kMaxQuestionRounds; ++round) {
      outcome = registry.call(tool, {arguments, {}}, context);
      auto* required = std::get_if<InputRequired>(&*outcome);
      if (required == nullptr) break;
      for (InputRequest& request : required->requests) {
        speak(request.params,
              [&print](const std::string& text) { return as_seen(text, print.view); });
      }
      if (!context.ask(*required, signals)) {
        outcome = tool_error({core::ErrorCode::cancelled, "No answer was given.", ""});
        break;
      }
    }
  }
  if (const auto* result = std::get_if<ToolResult>(&*outcome)) {
    return finish(tool, *result, print);
  }
  const auto* error = std::get_if<RpcError>(&*outcome);
  print_error("internal: " +
              (error != nullptr ? error->message : std::string("The questions found no end.")));
  return exit_code(core::ErrorCode::internal);
}

}  // namespace

int print_output(const std::string& text) {
  errno = 0;
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.empty() && !text.ends_with('\n')) std::fputc('\n', stdout);
  std::fflush(stdout);
  const int cause = errno;
  // A reader that went away has seen what it wanted.
  if (std::ferror(stdout) == 0 || cause == EPIPE) return kExitDone;
  return report({core::ErrorCode::io,
                 "The output could not be written: " + std::generic_category().message(cause) + ".",
                 "Give it another place. What the command was to do is done."});
}

const Tool* tool_with_verb(const std::string& verb, const ServerDefinition& definition) {
  const auto found = std::find_if(definition.tools.begin(), definition.tools.end(),
                                  [&](const Tool& tool) { return verb_of(tool) == verb; });
  return found == definition.tools.end() ? nullptr : &*found;
}

std::string meant_verb(const std::string& word, const ServerDefinition& definition,
                       const Synonyms& synonyms) {
  if (tool_with_verb(word, definition) != nullptr) return word;
  for (const Tool& tool : definition.tools) {
    if (tool.name() == word || flag_of(tool.name()) == "--" + word) return verb_of(tool);
  }
  const auto found = synonyms.commands.find(word);
  return found == synonyms.commands.end() ? word : found->second;
}

std::string nearest_verb(const std::string& word, const ServerDefinition& definition,
                         const ProgramParts& parts, const Synonyms& synonyms) {
  std::vector<std::string> verbs;
  verbs.reserve(kBuiltIns.size() + parts.commands.size() + definition.tools.size());
  for (const BuiltIn& built_in : kBuiltIns) verbs.emplace_back(built_in.name);
  for (const ExtraCommand& command : parts.commands) verbs.push_back(command.name);
  for (const Tool& tool : definition.tools) verbs.push_back(verb_of(tool));
  if (definition.app) verbs.push_back(definition.app->name);
  for (const auto& [said, meant] : synonyms.commands) {
    if (!said.starts_with('-')) verbs.push_back(said);
  }
  return nearest(word, verbs);
}

int run_tool_verb(const Tool& tool, const std::string& verb, const std::vector<std::string>& words,
                  const ServerDefinition& definition, const ProgramParts& parts,
                  const ShellKnowledge& knowledge, const View& view) {
  const auto parsed = parse_tool_words(tool, words, knowledge.synonyms);
  if (!parsed) return usage_error(parsed.error().message);
  if (parsed->help) return print_verb_help(verb, command_pages(definition, parts, knowledge));
  const Speech speech = speech_for_shell(definition, parts.name);
  const auto arguments = filled_arguments(tool, parsed->arguments, knowledge, speech, view);
  if (!arguments) return arguments.error();
  return run_tool(tool, *arguments, definition, {parsed->json, speech, knowledge, view});
}

bool asks_for_help(const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return word == "--help" || word == "-h"; });
}

int print_verb_help(const std::string& verb, const CommandPages& pages) {
  const auto page = std::find_if(pages.verbs.begin(), pages.verbs.end(),
                                 [&verb](const VerbPage& known) { return known.name == verb; });
  return print_output(page == pages.verbs.end() ? program_help(pages, help_width())
                                                : verb_help(pages, *page, help_width()));
}

int run_call(const std::vector<std::string>& words, const ServerDefinition& definition) {
  if (words.empty() || words.size() > 2) return usage_error("Usage: call TOOL [JSON|-]");
  const auto tool =
      std::find_if(definition.tools.begin(), definition.tools.end(),
                   [&words](const Tool& candidate) { return candidate.name() == words[0]; });
  if (tool == definition.tools.end()) {
    std::vector<std::string> names;
    for (const Tool& known : definition.tools) names.push_back(known.name());
    const std::string close = nearest(words[0], names);
    return usage_error("Unknown tool " + words[0] +
                       (close.empty() ? "." : "; did you mean " + close + "?"));
  }
  std::string text = words.size() == 2 ? words[1] : "{}";
  if (text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  const auto arguments = parse_json(text);
  if (!arguments || !arguments->is_object()) {
    return usage_error("The arguments of " + words[0] + " must be one JSON object.");
  }
  const ShellKnowledge nothing;
  const Speech speech = speech_for_model(definition.step_of);
  return run_tool(*tool, *arguments, definition, {/*as_json=*/true, speech, nothing, View()});
}

CommandPages command_pages(const ServerDefinition& definition, const ProgramParts& parts,
                           const ShellKnowledge& knowledge) {
  CommandPages pages;
  pages.program = parts.name;
  pages.version = parts.version;
  pages.summary = "verified snapshots of live SQLite databases";
  if (knowledge.words) pages.examples = knowledge.words("").examples;
  for (const Tool& tool : definition.tools) {
    pages.verbs.push_back(page_of(tool, verb_of(tool), knowledge));
  }
  for (const ExtraCommand& command : parts.commands) {
    const std::size_t space = command.usage.find(' ');
    pages.verbs.push_back({command.name,
                           command.description,
                           space == std::string::npos ? "" : command.usage.substr(space + 1),
                           {}});
  }
  for (const BuiltIn& built_in : kBuiltIns) {
    pages.verbs.push_back({built_in.name, built_in.help, built_in.arguments, {}});
    if (pages.verbs.back().name == "call") pages.verbs.back().help = call_help(definition);
    if (pages.verbs.back().name == "serve") pages.verbs.back().options = serve_options();
  }
  if (definition.app) {
    const AppPage& app = *definition.app;
    pages.verbs.push_back(
        {app.name, "Open the " + app.title + " in a browser", "", page_options()});
  }
  pages.options = {{"--help", "", "Print the flags of a command", {}, false}};
  pages.program_options = {{"--version", "", "Print the version", {}, false}};
  pages.exit_codes = {{kExitDone, "done"}};
  for (const auto& [code, exit] : kExitCodes) {
    pages.exit_codes.emplace_back(
        exit, exit == kExitUsage ? "bad usage" : std::string(core::to_string(code)));
  }
  return pages;
}

}  // namespace server
