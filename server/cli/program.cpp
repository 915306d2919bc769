// The body of both programs.

#include "server/cli/program.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/platform/secrets.h"
#include "core/platform/standard_files.h"
#include "server/base/log.h"
#include "server/base/printable.h"
#include "server/cli/command_line.h"
#include "server/cli/help.h"
#include "server/cli/page_command.h"
#include "server/cli/shell_speech.h"
#include "server/cli/terminal.h"
#include "server/jsonrpc/schema_check.h"
#include "server/platform/console.h"
#include "server/platform/hand_over.h"
#include "server/platform/signals.h"
#include "server/platform/streams.h"
#include "server/stdio/stdio_transport.h"

namespace server {
namespace {

constexpr std::size_t kKeyBytes = 32;

struct ServeWords {
  std::optional<std::string> http;
  HttpSettings settings;
  ServerLimits limits;
  bool no_token = false;
  bool check_output = false;
};

// A flag without a value, or null.
bool* switch_of(const std::string& word, ServeWords& parsed) {
  if (word == "--check-output") return &parsed.check_output;
  if (word == "--no-token") return &parsed.no_token;
  if (word == "--allow-calls") return &parsed.limits.calls;
  return nullptr;
}

// "--flag VALUE" or "--flag=VALUE".
tl::expected<ServeWords, std::string> parse_serve(const std::vector<std::string>& words) {
  ServeWords parsed;
  static const std::vector<std::string> kFlags = {"--http",        "--token-file",   "--no-token",
                                                  "--allow",       "--allow-origin", "--allow-host",
                                                  "--allow-calls", "--check-output", "--help"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string flag = words[i].substr(0, equals);
    if (bool* turned_on = switch_of(words[i], parsed)) {
      *turned_on = true;
      continue;
    }
    if (flag != "--http" && flag != "--token-file" && flag != "--allow" &&
        flag != "--allow-origin" && flag != "--allow-host") {
      const std::string close = nearest(flag, kFlags);
      return tl::unexpected("Unknown flag " + flag + " of serve" +
                            (close.empty() ? "." : "; did you mean " + close + "?"));
    }
    const bool joined = equals != std::string::npos;
    if (!joined && ++i == words.size()) return tl::unexpected(flag + " needs a value.");
    const std::string value = joined ? words[i].substr(equals + 1) : words[i];
    if (value.empty()) return tl::unexpected(flag + " is empty; give it a value.");
    // Hardly meant: a flag that was to follow.
    if (!joined && value.starts_with("--")) {
      std::string text = flag;
      text += " needs a value; write " + flag + "=" + value + " if you mean that.";
      return tl::unexpected(text);
    }
    if (flag == "--http") parsed.http = value;
    if (flag == "--token-file") parsed.settings.token_file = value;
    if (flag == "--allow") parsed.limits.allowed.emplace_back(value);
    if (flag == "--allow-host") parsed.settings.allowed_hosts.push_back(value);
    if (flag == "--allow-origin") parsed.settings.allowed_origins.push_back(value);
  }
  if (parsed.http) parsed.settings.address = *parsed.http;
  if (parsed.no_token && !parsed.settings.token_file.empty()) {
    return tl::unexpected(std::string("Give --token-file or --no-token, not both."));
  }
  parsed.settings.no_token = parsed.no_token;
  parsed.settings.keep_token = !parsed.no_token;
  return parsed;
}

// A secret of this user, so that any process of ours can serve another's retry.
std::string request_state_key(const core::Env& env) {
  const core::fs::path path = env.places.state / "request-state.key";
  if (const auto kept = env.files.read(path, kKeyBytes); kept && kept->size() == kKeyBytes) {
    return *kept;
  }
  std::string key = core::random_bytes(kKeyBytes);
  bool stored = env.files.make_folders(path.parent_path(), 0700).has_value() &&
                env.files.write_atomically(path, key, 0600).has_value();
  // Where the file system keeps no permissions it would be no secret.
  if (const auto info = env.files.info(path); stored && (!info || (info->mode & 0077U) != 0)) {
    (void)env.files.remove(path);
    stored = false;
  }
  if (!stored) log_warning("The key of requestState could not be kept: " + core::text_of(path));
  // Another process may have written at the same time: what lies there counts.
  if (const auto kept = env.files.read(path, kKeyBytes); kept && kept->size() == kKeyBytes) {
    return *kept;
  }
  return key;
}

// Replaces this process by the sibling that can serve HTTP; returns only on failure.
int hand_over_to_http(char** argv, const ProgramParts& parts, const core::Env& env) {
  const std::string sibling = parts.name + "-http";
  for (const core::fs::path& folder :
       {env.places.program.parent_path(), env.places.program.parent_path() / "../libexec",
        env.places.data}) {
    hand_over_to(folder / sibling, argv);
  }
  return report(
      {core::ErrorCode::not_found,
       "The program " + sibling + " is not beside " + core::text_of(env.places.program) + ".",
       "Install it there. Only what a browser or the network reaches needs it."});
}

// For whoever types `serve` and waits.
std::string serve_note(const ProgramParts& parts, const core::Env& env) {
  return "This is an MCP server: a client starts it and speaks JSON to it, one message a line.\n"
         "To tell Claude Code of it, in a shell:\n"
         "  claude mcp add " +
         parts.name + " -- " + core::shell_command({core::text_of(env.places.program), "serve"}) +
         "\nFor yourself: " + parts.name + " --help. Ctrl-D ends this.\n";
}

int serve(const std::vector<std::string>& words, char** argv, const ProgramParts& parts,
          const core::Env& env) {
  auto parsed = parse_serve(words);
  if (!parsed) return usage_error(parsed.error());
  if (parsed->http && !parts.http) return hand_over_to_http(argv, parts, env);
  // Over the network a client is not the user: without being told, no further than the home.
  auto& allowed = parsed->limits.allowed;
  if (parsed->http && allowed.empty()) allowed.push_back(env.places.home);
  const ServerDefinition definition = parts.define(env, parsed->limits);
  DispatcherOptions options;
  options.check_output = parsed->check_output;
  options.request_state_key = [&env] { return request_state_key(env); };
  if (parsed->http) {
    parsed->settings.name = parts.name;
    Dispatcher dispatcher(definition, env.clock, std::move(options));
    return parts.http(parsed->settings, dispatcher, env);
  }
  const Event* signals = termination_signals().value_or(nullptr);
  if (core::typed_in_terminal()) std::fputs(serve_note(parts, env).c_str(), stderr);
  Dispatcher dispatcher(definition, env.clock, std::move(options));
  const StdioEnd end = serve_stdio(dispatcher, Input::standard(), Output::standard(), signals,
                                   [starter = core::Starter()] { return starter.gone(); });
  // A handler that ignores its stop signal must not keep the process: its files are safe by rule
  // (write beside, rename last), and the next run sweeps what it leaves.
  if (end == StdioEnd::handler_stuck) std::_Exit(kExitDone);
  return kExitDone;
}

int generate(const std::vector<std::string>& words, const CommandPages& pages) {
  const std::string what = words.size() == 1 ? words[0] : "";
  std::string text;
  if (what == "man") text = man_page(pages);
  if (what == "bash") text = bash_completion(pages);
  if (what == "zsh") text = zsh_completion(pages);
  if (what == "fish") text = fish_completion(pages);
  if (text.empty()) return usage_error("Usage: generate man|bash|zsh|fish");
  return print_output(text);
}

// `help VERB` as `VERB --help`.
void turn_help_round(std::string& verb, std::vector<std::string>& words) {
  if (verb != "help" || words.empty() || words.front().starts_with('-')) return;
  verb = words.front();
  words = {"--help"};
}

// For the shells' completions: what may stand in a place, a line each.
int offer(const std::vector<std::string>& words, const ShellKnowledge& knowledge) {
  if (words.size() != 1 || !knowledge.offers) return usage_error("Usage: offer KIND");
  std::string text;
  for (const std::string& value : knowledge.offers(words[0])) text += printable_line(value) + "\n";
  return print_output(text);
}

int run_verb(const std::string& verb, const std::vector<std::string>& words,
             const ServerDefinition& definition, const ShellKnowledge& knowledge,
             const ProgramParts& parts, const core::Env& env) {
  const Tool* tool = tool_with_verb(verb, definition);
  // A tool's own reading knows what is the value of a flag.
  if (tool != nullptr) {
    return run_tool_verb(*tool, verb, words, definition, parts, knowledge, view_of_output(env));
  }
  const auto pages = [&] { return command_pages(definition, parts, knowledge); };
  for (const ExtraCommand& command : parts.commands) {
    if (command.name != verb) continue;
    if (asks_for_help(words)) return print_verb_help(verb, pages());
    const StopOnSignal stop(termination_signals().value_or(nullptr));
    return command.run(words, env, speech_for_shell(definition, parts.name), stop.token());
  }
  const bool is_built_in = verb == "call" || verb == "generate" || verb == "serve" ||
                           (definition.app && verb == definition.app->name);
  if (is_built_in && asks_for_help(words)) return print_verb_help(verb, pages());
  if (verb == "call") return run_call(words, definition);
  if (verb == "generate") return generate(words, pages());
  if (verb == "offer") return offer(words, knowledge);
  const std::string close = nearest_verb(verb, definition, parts, knowledge.synonyms);
  return usage_error("Unknown command " + verb +
                     (close.empty() ? "; " + parts.name + " --help lists them."
                                    : "; did you mean " + close + "?"));
}

int print_own_help(bool asked, const CommandPages& pages) {
  const std::string help = program_help(pages, help_width());
  if (asked) return print_output(help);
  std::fputs(help.c_str(), stderr);
  return kExitUsage;
}

int print_version(const ProgramParts& parts) {
  return print_output(parts.name + " " + parts.version +
                      (parts.commit.empty() ? "" : " (" + parts.commit + ")"));
}

int run_words(int argc, char** argv, const ProgramParts& parts) {
  std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
  std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "--version") return print_version(parts);
  const auto places = core::system_places();
  if (!places) return report(places.error());
  const core::Env env{core::system_clock(), core::system_files(), core::system_commands(), *places};
  turn_help_round(verb, words);
  if (verb == "serve" && !asks_for_help(words)) return serve(words, argv, parts, env);
  const ServerDefinition definition = parts.define(env, {});
  if (definition.app && verb == definition.app->name && !asks_for_help(words)) {
    if (!parts.http) return hand_over_to_http(argv, parts, env);
    return run_page_command(words, definition, parts, env);
  }
  const ShellKnowledge knowledge = parts.shell ? parts.shell(env) : ShellKnowledge();
  verb = meant_verb(verb, definition, knowledge.synonyms);
  if (verb == "--version") return print_version(parts);
  if (verb.empty() || verb == "--help" || verb == "-h" || verb == "help") {
    return print_own_help(!verb.empty(), command_pages(definition, parts, knowledge));
  }
  return run_verb(verb, words, definition, knowledge, parts, env);
}

}  // namespace

int run_program(int argc, char** argv, const ProgramParts& parts) {
  core::hold_standard_files();
  prepare_streams();
  hear_of_children();
  try {
    return run_words(argc, argv, parts);
  } catch (const std::exception& error) {  // no memory, above all
    return report(core::error_from_exception(
        error, parts.name + " had to give up, and put nothing half done in place"));
  }
}

}  // namespace server
