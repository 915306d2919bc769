// Checks JSON values by valijson; explains misfits by looking at the schema.
#include "server/jsonrpc/schema_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "server/jsonrpc/jsonrpc.h"

namespace server {
namespace {

constexpr std::size_t kMaxSentences = 5;
constexpr std::size_t kMaxShownValue = 80;  // characters
// std::regex recurses over its input: a long text could overflow the stack.
constexpr std::size_t kMaxMatchedText = 1024;  // bytes

bool has_pattern(const Json& schema) {
  if (!schema.is_structured()) return false;
  if (const Json* pattern = member(schema, "pattern"); pattern && pattern->is_string()) return true;
  return member(schema, "patternProperties") != nullptr ||
         std::any_of(schema.begin(), schema.end(), has_pattern);
}

// Texts and names of members alike.
bool has_text_beyond(const Json& value, std::size_t bytes) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() > bytes;
  if (!value.is_structured()) return false;
  for (const auto& [key, element] : value.items()) {
    if (key.size() > bytes || has_text_beyond(element, bytes)) return true;
  }
  return false;
}

std::string shown(const Json& value) {
  std::string text = core::lenient_json_text(value);
  if (text.size() > kMaxShownValue) text = text.substr(0, kMaxShownValue) + "…";
  return text;
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") {
    return value.is_number_integer() ||
           (value.is_number_float() && value.get<double>() == std::trunc(value.get<double>()));
  }
  if (type == "number") return value.is_number();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return type == "null" && value.is_null();
}

std::string joined(const Json& values) {
  std::string text;
  for (const Json& value : values) text += (text.empty() ? "" : ", ") + shown(value);
  return text;
}

std::string with_article(const std::string& type) {
  const bool vowel = std::string("aeiou").find(type.front()) != std::string::npos;
  return (vowel ? "an " : "a ") + type;
}

// "one of …" or "a string", as far as the property's schema tells.
std::string wanted(const Json& schema) {
  if (const Json* values = member(schema, "enum"); values != nullptr && values->is_array()) {
    return "one of " + joined(*values);
  }
  if (const Json* value = member(schema, "const")) return shown(*value);
  std::string text;
  if (const Json* type = member(schema, "type")) {
    text = type->is_string() ? with_article(type->get<std::string>())
                             : "one of the types " + joined(*type);
  }
  const auto limit = [&](const char* key, const char* words) {
    if (const Json* value = member(schema, key)) text += std::string(words) + shown(*value);
  };
  limit("minimum", ", at least ");
  limit("maximum", ", at most ");
  limit("minLength", ", of length at least ");
  limit("maxLength", ", of length at most ");
  limit("minItems", ", items at least ");
  limit("maxItems", ", items at most ");
  limit("pattern", ", matching ");
  if (string_member(schema, "format") == "date") text += ", a day that exists, as YYYY-MM-DD";
  return text.empty() ? "something else" : text;
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

}  // namespace

struct SchemaCheck::Compiled {
  valijson::Schema schema;
};

SchemaCheck::SchemaCheck(const Json& schema)
    : schema_(schema), matches_text_(has_pattern(schema)), compiled_(std::make_unique<Compiled>()) {
  try {
    const nlohmann::json plain = schema;
    const valijson::adapters::NlohmannJsonAdapter adapter(plain);
    valijson::SchemaParser parser;
    parser.populateSchema(adapter, compiled_->schema);
  } catch (const std::exception& error) {
    defect_ = error.what();
  }
}

SchemaCheck::~SchemaCheck() = default;

namespace {

// To JSON Schema 5.0 is an integer, to valijson it is not.
void make_integers_of_whole_numbers(nlohmann::json& value) {
  constexpr double kExact = 1ULL << 53U;  // up to here a double holds each integer
  if (value.is_structured()) {
    std::for_each(value.begin(), value.end(), make_integers_of_whole_numbers);
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::abs(number) <= kExact && number == std::trunc(number)) {
      value = static_cast<std::int64_t>(number);
    }
  }
}

bool conforms(const valijson::Schema& schema, const Json& value,
              valijson::ValidationResults* results) {
  nlohmann::json plain = value;
  make_integers_of_whole_numbers(plain);
  const valijson::adapters::NlohmannJsonAdapter adapter(plain);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  return validator.validate(schema, adapter, results);
}

// A part that cannot stand alone (it refers to the rest of the schema) is given the benefit of the
// doubt: the whole schema has the last word.
bool conforms_alone(const Json& schema, const Json& value) {
  const SchemaCheck check(schema);
  return !check.defect().empty() || !check.problem(value, "value");
}

// "'time' is "noon"; it must be …"
std::string misfit(const std::string& subject, const std::string& expected, const Json& schema,
                   const Json& given) {
  const Json* type = member(schema, "type");
  const bool wrong_type =
      type != nullptr && type->is_string() && !has_type(given, type->get<std::string>());
  return subject + " is " + shown(given) + (wrong_type ? ", which is of the wrong type" : "") +
         "; it must be " + (expected.empty() ? wanted(schema) : expected) + ".";
}

// The misfits that a flat schema shows by itself.
std::vector<std::string> explain(const Json& schema, const Json& value, const std::string& what,
                                 const MemberWords& words) {
  const auto subject = [&](const std::string& name) {
    return words.subject ? words.subject(name) : "The " + what + " '" + name + "'";
  };
  const auto expected = [&](const std::string& name) {
    return words.expected ? words.expected(name) : std::string();
  };
  std::vector<std::string> sentences;
  if (!value.is_object()) return sentences;
  const Json* properties = member(schema, "properties");
  const Json none = Json::object();
  if (properties == nullptr) properties = &none;
  if (const Json* required = member(schema, "required"); required != nullptr) {
    for (const Json& name : *required) {
      if (value.contains(name.get<std::string>())) continue;
      const Json* schema_of = member(*properties, name.get<std::string>());
      sentences.push_back(subject(name.get<std::string>()) + " is missing" +
                          (schema_of != nullptr ? ": give " + wanted(*schema_of) : "") + ".");
    }
  }
  const Json* others = member(schema, "additionalProperties");
  const bool closed = others != nullptr && others->is_boolean() && !others->get<bool>();
  for (const auto& [name, given] : value.items()) {
    const Json* schema_of = member(*properties, name);
    if (schema_of == nullptr) {
      if (!closed) continue;
      const std::string close = nearest(name, keys_of(*properties));
      std::string valid;
      for (const std::string& key : keys_of(*properties))
        valid += (valid.empty() ? "" : ", ") + key;
      sentences.push_back("There is no " + what + " '" + name + "'" +
                          (close.empty() ? "." : "; did you mean '" + close + "'?") +
                          " Valid: " + (valid.empty() ? "none at all" : valid) + ".");
    } else if (!conforms_alone(*schema_of, given)) {
      sentences.push_back(misfit(subject(name), expected(name), *schema_of, given));
    }
  }
  return sentences;
}

}  // namespace

std::optional<std::string> SchemaCheck::problem(const Json& value, const std::string& what,
                                                const MemberWords& words) const {
  if (!defect_.empty()) return "The schema cannot be used: " + defect_;
  if (matches_text_ && has_text_beyond(value, kMaxMatchedText)) {
    return "A text is longer than " + std::to_string(kMaxMatchedText) + " bytes.";
  }
  try {
    valijson::ValidationResults results;
    if (conforms(compiled_->schema, value, &results)) return std::nullopt;
    std::vector<std::string> sentences = explain(schema_, value, what, words);
    valijson::ValidationResults::Error error;
    // What the flat look did not find is told in the validator's own words.
    while (sentences.empty() && results.popError(error)) {
      std::string path;
      for (const std::string& step : error.context) path += step;
      sentences.push_back("At " + path + ": " + error.description);
    }
    std::string text;
    for (std::size_t i = 0; i < std::min(sentences.size(), kMaxSentences); ++i) {
      text += (text.empty() ? "" : " ") + sentences[i];
    }
    return text.empty() ? "The value does not conform to the schema." : text;
  } catch (const std::exception& error) {
    return std::string("The value cannot be checked: ") + error.what();
  }
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  // Two slips, or a third of a longer word, still read as that word.
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t above = row[j];
        const std::size_t replaced = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace server
