// A tool as a command, by CLI11.
#include "server/tool_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <deque>
#include <memory>

#include "server/jsonrpc.h"
#include "server/schema_check.h"

namespace server {
namespace {

// The plugin's earlier script called it so.
constexpr std::string_view kDestination = "destination";
constexpr std::string_view kDestinationAlias = "--cloud-root";
// What stands after a flag; completions offer files for it.
constexpr std::string_view kPathValue = "PATH";

struct Flag {
  std::string property;
  std::string type;  // of the property, or of an array's items
  bool repeats = false;
  bool is_path = false;
  bool on = false;
  std::string value;
  std::vector<std::string> values;  // of one that repeats
  CLI::Option* option = nullptr;
};

// CLI11 shows what a switch that turns off stands for: "--flat,--no-flat{false}".
class Formatter : public CLI::Formatter {
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    static constexpr std::string_view kOff = "{false}";
    std::string name = CLI::Formatter::make_option_name(option, is_positional);
    if (const auto at = name.find(kOff); at != std::string::npos) name.erase(at, kOff.size());
    return name;
  }
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

std::string help_of(const Json& schema, const Tool& tool) {
  std::string help = with_flags(string_member(schema, "description"), tool);
  if (const Json* values = member(schema, "enum")) {
    std::string list;
    for (const Json& value : *values) {
      list += (list.empty() ? "" : ", ") +
              (value.is_string() ? value.get<std::string>() : dump_json(value));
    }
    help += (help.empty() ? "" : ". ") + std::string("One of: ") + list;
  }
  return help;
}

std::string value_name(const std::string& property, const std::string& type) {
  if (type == "boolean") return "";
  if (type == "integer" || type == "number") return "N";
  const bool path = property == kDestination || property == "source" || property == "snapshot" ||
                    property == "target" || property.find("path") != std::string::npos ||
                    property.find("folder") != std::string::npos;
  return path ? std::string(kPathValue) : "TEXT";
}

std::vector<std::string> flag_names(const std::deque<Flag>& flags) {
  std::vector<std::string> names = {"--json", "--help"};
  for (const Flag& flag : flags) names.push_back(flag_of(flag.property));
  return names;
}

void add_flags(CLI::App& app, const Json& schema, const Tool& tool, std::deque<Flag>& flags) {
  const Json* properties = member(schema, "properties");
  if (properties == nullptr) return;
  for (const auto& [property, described] : properties->items()) {
    Flag& flag = flags.emplace_back();
    flag.property = property;
    flag.type = type_of(described);
    std::string names = flag_of(property);
    if (flag.type == "boolean") {
      flag.option =
          app.add_flag(names + ",!--no-" + names.substr(2), flag.on, help_of(described, tool));
      continue;
    }
    if (const Json* items = member(described, "items"); flag.type == "array" && items != nullptr) {
      flag.repeats = true;
      flag.type = type_of(*items);
    }
    if (property == kDestination) names += "," + std::string(kDestinationAlias);
    flag.option = flag.repeats ? app.add_option(names, flag.values, help_of(described, tool))
                               : app.add_option(names, flag.value, help_of(described, tool));
    // The last one counts; a repeating one takes one value each time.
    if (flag.repeats) flag.option->allow_extra_args(false);
    if (!flag.repeats) flag.option->take_last();
    const std::string value = value_name(property, flag.type);
    flag.is_path = value == kPathValue;
    flag.option->type_name(value);
  }
}

// The flag of that name that takes a value; null: none does.
const Flag* flag_with_value(const std::string& name, const std::deque<Flag>& flags) {
  const std::string known = name == kDestinationAlias ? "--" + std::string(kDestination) : name;
  const auto found = std::find_if(flags.begin(), flags.end(), [&known](const Flag& flag) {
    return (flag.type != "boolean" || flag.repeats) && flag_of(flag.property) == known;
  });
  return found == flags.end() ? nullptr : &*found;
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

std::string unknown_word(const std::string& word, const std::deque<Flag>& flags) {
  if (!word.starts_with("-")) {
    const std::string unexpected = "Unexpected word '" + word + "'; ";
    // What a tool is about comes first in its schema.
    if (flags.empty() || flags.front().type != "string" || flags.front().option->count() > 0) {
      return unexpected + "values follow a --flag.";
    }
    return unexpected + "did you mean " + flag_of(flags.front().property) + " " + word + "?";
  }
  const std::string name = word.substr(0, word.find('='));
  const std::string close = nearest(name, flag_names(flags));
  return "Unknown flag " + name + (close.empty() ? "." : "; did you mean " + close + "?");
}

}  // namespace

std::string flag_of(const std::string& property) {
  std::string flag = "--" + property;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

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
  const Json* schema = member(tool.entry.json(), "inputSchema");
  const Json* properties = schema != nullptr ? member(*schema, "properties") : nullptr;
  if (properties == nullptr) return text;
  for (const auto& [property, described] : properties->items()) {
    const std::string flag = flag_of(property);
    text = replace_word(text, property + ": true", flag);
    text = replace_word(text, property + ": false", "--no-" + flag.substr(2));
    text = replace_word(text, "'" + property + "'", flag);
    // A name of one word may be just a word.
    if (property.find('_') != std::string::npos) text = replace_word(text, property, flag);
  }
  return text;
}

tl::expected<ToolArguments, UsageError> parse_tool_words(const Tool& tool, const std::string& verb,
                                                         const std::vector<std::string>& words) {
  const Json& entry = tool.entry.json();
  CLI::App app(with_flags(string_member(entry, "description"), tool), "backup-plugin-db " + verb);
  app.formatter(std::make_shared<Formatter>());
  app.allow_extras();
  std::deque<Flag> flags;  // CLI11 keeps pointers into it
  ToolArguments parsed;
  if (const Json* schema = member(entry, "inputSchema")) add_flags(app, *schema, tool, flags);
  app.add_flag("--json", parsed.json, "Print the structured result as JSON");
  const auto checked = with_values(words, flags);
  if (!checked) return tl::unexpected(checked.error());
  try {
    // CLI11 takes the words from the back.
    app.parse(std::vector<std::string>(checked->rbegin(), checked->rend()));
  } catch (const CLI::CallForHelp&) {
    parsed.help = app.help();
    return parsed;
  } catch (const CLI::Error& error) {
    return tl::unexpected(UsageError{error.what()});
  }
  if (const auto rest = app.remaining(); !rest.empty()) {
    return tl::unexpected(UsageError{unknown_word(rest.front(), flags)});
  }
  for (const Flag& flag : flags) {
    if (flag.option->count() > 0) parsed.arguments[flag.property] = argument_of(flag);
  }
  return parsed;
}

VerbPage page_of(const Tool& tool, const std::string& verb) {
  VerbPage page;
  page.name = verb;
  const Json& entry = tool.entry.json();
  page.help = with_flags(string_member(entry, "description"), tool);
  const Json* schema = member(entry, "inputSchema");
  const Json* properties = schema != nullptr ? member(*schema, "properties") : nullptr;
  if (properties == nullptr) return page;
  for (const auto& [property, described] : properties->items()) {
    OptionPage option;
    option.flag = flag_of(property);
    option.help = with_flags(string_member(described, "description"), tool);
    const std::string type = type_of(described);
    option.repeats = type == "array";
    option.value = value_name(property, type);
    if (const Json* values = member(described, "enum")) {
      for (const Json& value : *values) {
        if (value.is_string()) option.choices.push_back(value.get<std::string>());
      }
    }
    page.options.push_back(std::move(option));
  }
  return page;
}

}  // namespace server
