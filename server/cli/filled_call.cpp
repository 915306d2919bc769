#include "server/cli/filled_call.h"

#include <utility>

#include "core/base/shell_word.h"
#include "server/base/exit_codes.h"
#include "server/base/printable.h"
#include "server/cli/shell_speech.h"
#include "server/cli/terminal.h"

namespace server {
namespace {

// Choices in one call: database, destination, snapshot and what they lead to.
constexpr int kMaxChoices = 8;

int fail_with(const core::Error& error, const Speech& speech, const View& view) {
  tell(speech(error_text(error)), view);
  return exit_code(error.code);
}

// "--source /a.db", as it is to be added to the command.
std::string flags_of(const Option& option) {
  return core::shell_command(shell_words({"", option.arguments}, "", ""));
}

int refuse_choice(const Choice& choice, const Speech& speech, const View& view) {
  std::string ways;
  for (const Option& option : choice.options) {
    ways += "\n  " + flags_of(option) + "   (" + printable_line(speech(option.shown)) + ")";
  }
  return fail_with({core::ErrorCode::invalid_argument,
                    choice.question + " That has to be said, for nobody can be asked here.",
                    "The same command with one of these:" + ways},
                   speech, view);
}

// The arguments of the option that the person takes.
tl::expected<Json, int> taken(const Choice& choice, const Speech& speech, const View& view) {
  if (!can_ask()) return tl::unexpected(refuse_choice(choice, speech, view));
  std::vector<std::string> shown;
  for (const Option& option : choice.options) shown.push_back(as_seen(speech(option.shown), view));
  const auto number = choose(speech(choice.question), shown);
  if (!number) {
    return tl::unexpected(
        fail_with({core::ErrorCode::cancelled, "Nothing was chosen, so nothing was done.", ""},
                  speech, view));
  }
  return choice.options[*number].arguments;
}

}  // namespace

tl::expected<Json, int> filled_arguments(const Tool& tool, Json arguments,
                                         const ShellKnowledge& knowledge, const Speech& speech,
                                         const View& view) {
  if (!knowledge.fill_in) return arguments;
  for (int i = 0; i < kMaxChoices; ++i) {
    Filling filling = knowledge.fill_in(tool.name(), arguments);
    if (const auto* error = std::get_if<core::Error>(&filling)) {
      return tl::unexpected(fail_with(*error, speech, view));
    }
    if (const auto* choice = std::get_if<Choice>(&filling)) {
      auto more = taken(*choice, speech, view);
      if (!more) return more;
      arguments.update(*more);
      continue;
    }
    auto& filled = std::get<Filled>(filling);
    for (const std::string& told : filled.told) tell(speech(told) + ".", view);
    return std::move(filled.arguments);
  }
  return tl::unexpected(
      fail_with({core::ErrorCode::internal, "The choices found no end.", ""}, speech, view));
}

}  // namespace server
