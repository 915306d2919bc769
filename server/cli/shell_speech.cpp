// Texts that name calls, in the words of a shell.
#include "server/cli/shell_speech.h"

#include <algorithm>

#include "core/base/shell_word.h"
#include "server/jsonrpc/jsonrpc.h"

namespace server {
namespace {

void add_flag(std::vector<std::string>& words, const std::string& argument, const Json& value) {
  const std::string flag = flag_of(argument);
  if (value.is_array()) {
    for (const Json& one : value) add_flag(words, argument, one);
  } else if (value.is_boolean()) {
    words.push_back(value.get<bool>() ? flag : off_flag_of(argument));
  } else if (value.is_null()) {
    words.push_back(flag);
  } else {
    const std::string text =
        value.is_string() ? value.get<std::string>() : core::lenient_json_text(value);
    if (text.starts_with("-")) {  // else it would be taken for a flag of its own
      words.push_back(flag + "=" + text);
    } else {
      words.push_back(flag);
      words.push_back(text);
    }
  }
}

std::string verb_of(const std::string& tool, const ServerDefinition& definition) {
  const auto found = std::find_if(definition.tools.begin(), definition.tools.end(),
                                  [&](const Tool& known) { return known.name() == tool; });
  return found == definition.tools.end() ? tool : verb_of(*found);
}

}  // namespace

std::string flag_of(const std::string& argument) {
  std::string flag = "--" + argument;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string off_flag_of(const std::string& argument) {
  return "--no-" + flag_of(argument).substr(2);
}

std::string verb_of(const Tool& tool) {
  if (!tool.verb.empty()) return tool.verb;
  std::string verb = tool.name();
  std::replace(verb.begin(), verb.end(), '_', '-');
  return verb;
}

std::vector<std::string> shell_words(const NextStep& step, const std::string& program,
                                     const std::string& verb) {
  std::vector<std::string> words;
  if (!step.tool.empty()) words = {program, verb};
  for (const auto& [argument, value] : step.arguments.items()) add_flag(words, argument, value);
  return words;
}

Speech speech_for_shell(const ServerDefinition& definition, const std::string& program) {
  return [&definition, program](const std::string& text) {
    return core::spell_calls(text, [&](const core::Call& call) {
      const NextStep step = definition.step_of ? definition.step_of(call) : same_names(call);
      const auto words = shell_words(step, program, verb_of(step.tool, definition));
      const std::string command = core::shell_command(words);
      return step.tool.empty() ? command : "`" + command + "`";
    });
  };
}

}  // namespace server
