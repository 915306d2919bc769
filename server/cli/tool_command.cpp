// A tool as a command, by CLI11.
#include "server/cli/tool_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <deque>
#include <map>

#include "server/cli/shell_speech.h"
#include "server/jsonrpc/jsonrpc.h"
#include "server/jsonrpc/schema_check.h"

namespace server {
namespace {

// What stands after a flag; completions offer files for it.
constexpr std::string_view kPathValue = "PATH";
constexpr const char* kJsonHelp = "Print the structured result as JSON";

struct Flag {
  std::string property;
  std::string alias;  // another flag for it; may be empty
  std::string type;   // of the property, or of an array's items
  bool repeats = false;
  bool is_path = false;
  bool default_on = false;
  bool on = false;
  int place = 0;  // among the words without a flag, from 1; 0: none
  std::string value;
  std::vector<std::string> values;  // of one that repeats
  CLI::Option* option = nullptr;
};

std::string type_of(const Json& schema) {
  const Json* type = member(schema, "type");
  if (type == nullptr) return "string";
  if (type->is_string()) return type->get<std::string>();
  // ["string", "null"]: what a flag can give.
  for (const Json& one : *type) {
    if (one != "null") return one.get<std::string>();
  }
  return "string";
}

template <class Number>
Json number_or_text(const std::string& text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc() && read.ptr == end) return value;
  return text;
}

Json value_of(const std::string& text, const std::string& type) {
  if (type == "integer") return number_or_text<std::int64_t>(text);
  if (type == "number") return number_or_text<double>(text);
  if (type == "object" || type == "array") {
    if (auto parsed = parse_json(text)) return *parsed;
  }
  return text;
}

bool is_default_on(const Json& schema) {
  const Json* otherwise = member(schema, "default");
  return otherwise != nullptr && otherwise->is_boolean() && otherwise->get<bool>();
}

// Null: the tool takes none.
const Json* properties_of(const Tool& tool) {
  const Json* schema = member(tool.entry.json(), "inputSchema");
  return schema != nullptr ? member(*schema, "properties") : nullptr;
}

std::string value_name(const Tool& tool, const std::string& property, const std::string& type) {
  if (type == "boolean") return "";
  if (type == "integer" || type == "number") return "N";
  const Json* path = tool.entry.hint(property, "x-path");
  return path != nullptr && *path == true ? std::string(kPathValue) : "TEXT";
}

// "--cloud-root"; empty for none.
std::string alias_of(const Tool& tool, const std::string& property) {
  const Json* alias = tool.entry.hint(property, "x-alias");
  return alias == nullptr ? "" : flag_of(alias->get<std::string>());
}

std::vector<std::string> flag_names(const std::deque<Flag>& flags) {
  std::vector<std::string> names = {"--json", "--help"};
  for (const Flag& flag : flags) names.push_back(flag_of(flag.property));
  return names;
}

// The place of the argument among the words without a flag; 0: it has none.
int place_of(const Tool& tool, const std::string& property) {
  const Json* place = tool.entry.hint(property, "x-word");
  return place != nullptr && place->is_number_integer() ? place->get<int>() : 0;
}

void add_flags(CLI::App& app, const Json& properties, const Tool& tool, std::deque<Flag>& flags) {
  for (const auto& [property, described] : properties.items()) {
    Flag& flag = flags.emplace_back();
    flag.property = property;
    flag.type = type_of(described);
    flag.place = place_of(tool, property);
    std::string names = flag_of(property);
    if (flag.type == "boolean") {
      flag.default_on = is_default_on(described);
      flag.option = app.add_flag(names + ",!" + off_flag_of(property), flag.on);
      continue;
    }
    if (const Json* items = member(described, "items"); flag.type == "array" && items != nullptr) {
      flag.repeats = true;
      flag.type = type_of(*items);
    }
    flag.alias = alias_of(tool, property);
    if (!flag.alias.empty()) names += "," + flag.alias;
    flag.option =
        flag.repeats ? app.add_option(names, flag.values) : app.add_option(names, flag.value);
    // The last one counts; a repeating one takes one value each time.
    if (flag.repeats) flag.option->allow_extra_args(false);
    if (!flag.repeats) flag.option->take_last();
    flag.is_path = value_name(tool, property, flag.type) == kPathValue;
  }
}

// The flag of that name that takes a value; null: none does.
const Flag* flag_with_value(const std::string& name, const std::deque<Flag>& flags) {
  const auto found = std::find_if(flags.begin(), flags.end(), [&name](const Flag& flag) {
    return (flag.type != "boolean" || flag.repeats) &&
           (flag_of(flag.property) == name || (!flag.alias.empty() && flag.alias == name));
  });
  return found == flags.end() ? nullptr : &*found;
}

bool is_flag_of_tool(const std::string& name, const std::deque<Flag>& flags) {
  return std::any_of(flags.begin(), flags.end(), [&name](const Flag& flag) {
    return flag_of(flag.property) == name || flag.alias == name;
  });
}

// Each flag that the tool does not have by the name of the one that it does: "--dest=x" as
// "--destination=x". The value of a flag is nobody's flag.
std::vector<std::string> with_own_flags(std::vector<std::string> words, const Synonyms& synonyms,
                                        const std::deque<Flag>& flags) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    std::string name = words[i].substr(0, equals);
    const auto meant = synonyms.flags.find(name);
    if (meant != synonyms.flags.end() && !is_flag_of_tool(name, flags) &&
        is_flag_of_tool(meant->second, flags)) {
      name = meant->second;
      words[i] = name + (equals == std::string::npos ? "" : words[i].substr(equals));
    }
    if (equals == std::string::npos && flag_with_value(name, flags) != nullptr) ++i;
  }
  return words;
}

// CLI11 would give a flag the next flag for its value, and takes "--flag=" for "--flag". Here such
// a value must be joined by '=', and the result spells an empty one as a word of its own.
tl::expected<std::vector<std::string>, UsageError> with_values(
    const std::vector<std::string>& words, const std::deque<Flag>& flags) {
  std::vector<std::string> checked;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    const Flag* flag = flag_with_value(name, flags);
    checked.push_back(words[i]);
    if (flag == nullptr) continue;
    if (equals == std::string::npos) {
      const std::string lacks = name + " needs a value";
      if (++i == words.size()) return tl::unexpected(UsageError{lacks + "."});
      if (words[i].starts_with("--") || words[i] == "-h") {
        return tl::unexpected(
            UsageError{lacks + "; write " + name + "=" + words[i] + " if you mean that."});
      }
      checked.push_back(words[i]);
    } else if (equals + 1 == words[i].size()) {
      checked.back() = name;
      checked.emplace_back();
    }
    if (flag->is_path && checked.back().empty()) {
      return tl::unexpected(
          UsageError{name + " is empty; give a path, or leave the flag out for its default."});
    }
  }
  return checked;
}

Json argument_of(const Flag& flag) {
  if (flag.type == "boolean" && !flag.repeats) return flag.on;
  if (!flag.repeats) return value_of(flag.value, flag.type);
  Json values = Json::array();
  for (const std::string& text : flag.values) values.push_back(value_of(text, flag.type));
  return values;
}

// The argument that the next word without a flag stands for; null: none is left.
Flag* next_place(std::deque<Flag>& flags, const Json& arguments) {
  Flag* next = nullptr;
  for (Flag& flag : flags) {
    const bool open = flag.place > 0 && (flag.repeats || !arguments.contains(flag.property));
    if (open && (next == nullptr || flag.place < next->place)) next = &flag;
  }
  return next;
}

std::string unknown_word(const std::string& word, const std::deque<Flag>& flags,
                         const Json& arguments, const Synonyms& synonyms) {
  if (!word.starts_with("-")) {
    const std::string unexpected = "Unexpected word '" + word + "'; ";
    // What a tool is about comes first in its schema.
    if (flags.empty() || flags.front().type != "string" ||
        arguments.contains(flags.front().property)) {
      return unexpected + "values follow a --flag.";
    }
    return unexpected + "did you mean " + flag_of(flags.front().property) + " " + word + "?";
  }
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known = flag_names(flags);
  for (const auto& [said, meant] : synonyms.flags) {
    if (said.starts_with("--") && is_flag_of_tool(meant, flags)) known.push_back(said);
  }
  const std::string close = nearest(name, known);
  return "Unknown flag " + name + (close.empty() ? "." : "; did you mean " + close + "?");
}

}  // namespace

std::string replace_word(const std::string& text, const std::string& word,
                         const std::string& replacement) {
  const auto joins = [&](std::size_t at) {
    constexpr std::string_view kJoining = "_-/~=";
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                                kJoining.find(text[at]) != std::string_view::npos);
  };
  std::string replaced;
  std::size_t done = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || (!joins(at - 1) && text[at - 1] != '.');
    if (at < done || !begins || joins(at + word.size())) continue;
    replaced += text.substr(done, at - done) + replacement;
    done = at + word.size();
  }
  return replaced + text.substr(done);
}

std::string with_flags(std::string text, const Tool& tool) {
  const Json* properties = properties_of(tool);
  if (properties == nullptr) return text;
  for (const auto& [property, described] : properties->items()) {
    const std::string flag = flag_of(property);
    text = replace_word(text, property + ": true", flag);
    text = replace_word(text, property + ": false", off_flag_of(property));
    text = replace_word(text, property + " is false", off_flag_of(property) + " is given");
    text = replace_word(text, "'" + property + "'", flag);
    // A name of one word may be just a word.
    if (property.find('_') != std::string::npos) text = replace_word(text, property, flag);
  }
  return text;
}

namespace {

// Gives the words without a flag to the arguments that have a place for them.
tl::expected<Json, UsageError> arguments_of(std::deque<Flag>& flags,
                                            const std::vector<std::string>& rest,
                                            const Synonyms& synonyms) {
  Json arguments = Json::object();
  for (const Flag& flag : flags) {
    if (flag.option->count() > 0) arguments[flag.property] = argument_of(flag);
  }
  for (const std::string& word : rest) {
    Flag* flag = word.starts_with("-") && word != "-" ? nullptr : next_place(flags, arguments);
    if (flag == nullptr)
      return tl::unexpected(UsageError{unknown_word(word, flags, arguments, synonyms)});
    if (flag->is_path && word.empty()) {
      return tl::unexpected(UsageError{"A word is empty; " + flag_of(flag->property) +
                                       " would be it. Give a path, or leave it out."});
    }
    if (flag->repeats) {
      arguments[flag->property].push_back(value_of(word, flag->type));
    } else {
      arguments[flag->property] = value_of(word, flag->type);
    }
  }
  return arguments;
}

}  // namespace

tl::expected<ToolArguments, UsageError> parse_tool_words(const Tool& tool,
                                                         const std::vector<std::string>& words,
                                                         const Synonyms& synonyms) {
  std::deque<Flag> flags;  // CLI11 keeps pointers into it
  CLI::App app;
  app.allow_extras();
  ToolArguments parsed;
  if (const Json* properties = properties_of(tool)) add_flags(app, *properties, tool, flags);
  app.add_flag("--json", parsed.json);
  const auto checked = with_values(with_own_flags(words, synonyms, flags), flags);
  if (!checked) return tl::unexpected(checked.error());
  try {
    // CLI11 takes the words from the back.
    app.parse(std::vector<std::string>(checked->rbegin(), checked->rend()));
  } catch (const CLI::CallForHelp&) {
    parsed.help = true;
    return parsed;
  } catch (const CLI::Error& error) {
    return tl::unexpected(UsageError{error.what()});
  }
  auto arguments = arguments_of(flags, app.remaining(), synonyms);
  if (!arguments) return tl::unexpected(arguments.error());
  parsed.arguments = std::move(*arguments);
  return parsed;
}

namespace {

// What people read of an argument.
std::string words_for(const std::string& property, const Json& described, const Tool& tool,
                      const ToolWords& words) {
  const auto told = words.arguments.find(property);
  std::string help = with_flags(
      told != words.arguments.end() ? told->second : string_member(described, "description"), tool);
  if (!is_default_on(described)) return help;
  return help + (help.empty() ? "" : ". ") + "Default: on; " + off_flag_of(property) +
         " turns it off";
}

std::string shorter_of(const std::string& flag, const Synonyms& synonyms) {
  for (const auto& [said, meant] : synonyms.flags) {
    if (meant == flag && !said.starts_with("--")) return said;
  }
  return "";
}

OptionPage option_of(const std::string& property, const Json& described, const Tool& tool,
                     const ToolWords& words, const Synonyms& synonyms) {
  OptionPage option;
  option.flag = flag_of(property);
  option.help = words_for(property, described, tool, words);
  const std::string type = type_of(described);
  option.repeats = type == "array";
  option.value = value_name(tool, property, type);
  option.shorter = shorter_of(option.flag, synonyms);
  if (const Json* offers = tool.entry.hint(property, "x-offers")) {
    option.offers = offers->get<std::string>();
  }
  if (const Json* values = member(described, "enum")) {
    for (const Json& value : *values) {
      if (value.is_string()) option.choices.push_back(value.get<std::string>());
    }
  }
  return option;
}

// "[SNAPSHOT [TARGET]]"
std::string words_line(const std::vector<OptionPage>& words) {
  std::string line;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    std::string name = word->flag.substr(2) + (word->repeats ? "…" : "");
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    line = "[" + name + (line.empty() ? "" : " ") + line + "]";
  }
  return line;
}

}  // namespace

VerbPage page_of(const Tool& tool, const std::string& verb, const ShellKnowledge& knowledge) {
  const ToolWords words = knowledge.words ? knowledge.words(tool.name()) : ToolWords();
  VerbPage page;
  page.name = verb;
  page.help = with_flags(
      words.help.empty() ? string_member(tool.entry.json(), "description") : words.help, tool);
  page.examples = words.examples;
  const Json none = Json::object();
  const Json* found = properties_of(tool);
  const Json& properties = found != nullptr ? *found : none;
  std::map<int, OptionPage> places;
  for (const auto& [property, described] : properties.items()) {
    const OptionPage option = option_of(property, described, tool, words, knowledge.synonyms);
    page.options.push_back(option);
    if (const int place = place_of(tool, property); place > 0) places[place] = option;
    if (option.value.empty() && is_default_on(described)) {
      page.options.push_back(
          {off_flag_of(property), "", "Turn " + option.flag + " off", {}, false});
    }
    if (const std::string alias = alias_of(tool, property); !alias.empty()) {
      page.options.push_back({alias, option.value, "The same as " + option.flag, {}, false});
    }
  }
  page.options.push_back({"--json", "", kJsonHelp, {}, false});
  for (const auto& [place, option] : places) page.words.push_back(option);
  page.arguments = words_line(page.words);
  return page;
}

}  // namespace server
