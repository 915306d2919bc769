#include "server/mcp/lenient_arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include "server/jsonrpc/jsonrpc.h"

namespace server {
namespace {

constexpr std::size_t kMaxWarnings = 5;
constexpr std::size_t kMaxShown = 80;         // bytes
constexpr double kExact = 1ULL << 53U;        // up to here a double holds each integer
constexpr std::size_t kMaxNumberDigits = 15;  // of a text; each such integer is exact

bool has(const Json& array, const Json& wanted) {
  return std::any_of(array.begin(), array.end(),
                     [&](const Json& element) { return element == wanted; });
}

// Whether nothing in the schema could take a null.
bool excludes_null(const Json& schema) {
  const Json* values = member(schema, "enum");
  if (values != nullptr && values->is_array()) return !has(*values, nullptr);
  const std::string& type = string_member(schema, "type");
  return !type.empty() && type != "null";
}

bool is_required(const Json& schema, const std::string& name) {
  const Json* required = member(schema, "required");
  return required != nullptr && required->is_array() && has(*required, name);
}

std::optional<Json> as_integer(const std::string& text) {
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const bool good = error == std::errc() && at == end && text.size() > sign &&
                    text.size() - sign <= kMaxNumberDigits;
  return good ? std::optional<Json>(number) : std::nullopt;
}

std::optional<Json> as_json(const std::string& text, bool (*fits)(const Json&)) {
  auto value = parse_json(text);
  return value && fits(*value) ? std::optional(std::move(*value)) : std::nullopt;
}

// What a text means where another type is wanted; nothing: more than one thing, or none.
std::optional<Json> meant(const std::string& text, const std::string& type) {
  if (type == "integer") return as_integer(text);
  if (type == "number") {
    return as_json(text, [](const Json& value) { return value.is_number(); });
  }
  if (type == "boolean" && (text == "true" || text == "false")) return Json(text == "true");
  if (type == "array") return as_json(text, [](const Json& value) { return value.is_array(); });
  if (type == "object") return as_json(text, [](const Json& value) { return value.is_object(); });
  return std::nullopt;
}

std::string shown(const Json& value) {
  const std::string text = core::lenient_json_text(value);
  return text.size() <= kMaxShown ? text : "what it holds";
}

class Reader {
 public:
  explicit Reader(std::vector<std::string>& warnings) : warnings_(warnings) {}

  void read(const Json& schema, Json& value, const std::string& path) {
    const std::string& type = string_member(schema, "type");
    if (value.is_string() && type != "string") {
      if (auto other = meant(value.get_ref<const std::string&>(), type)) {
        value = std::move(*other);
        warn("The argument '" + path + "' was given as a text; it was taken as " + shown(value) +
             ".");
      }
    } else if (value.is_number_float() && type == "integer") {
      const auto number = value.get<double>();
      if (std::abs(number) <= kExact && number == std::trunc(number)) {
        value = static_cast<std::int64_t>(number);
      }
    }
    if (value.is_object()) return read_members(schema, value, path);
    const Json* items = member(schema, "items");
    if (!value.is_array() || items == nullptr) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
      read(*items, value[i], path + "[" + std::to_string(i) + "]");
    }
  }

  void read_members(const Json& schema, Json& object, const std::string& path) {
    const Json* properties = member(schema, "properties");
    if (properties == nullptr) return;
    for (auto entry = object.begin(); entry != object.end();) {
      const std::string name = path.empty() ? entry.key() : path + "." + entry.key();
      const Json* own = member(*properties, entry.key());
      if (own != nullptr && entry->is_null() && excludes_null(*own) &&
          !is_required(schema, entry.key())) {
        warn("The argument '" + name + "' is null, which was taken as not given.");
        entry = object.erase(entry);
        continue;
      }
      if (own != nullptr) read(*own, *entry, name);
      ++entry;
    }
  }

 private:
  void warn(std::string sentence) {
    if (warnings_.size() < kMaxWarnings) warnings_.push_back(std::move(sentence));
  }

  std::vector<std::string>& warnings_;
};

}  // namespace

LenientArguments take_leniently(const Json& schema, Json arguments) {
  LenientArguments taken;
  Reader(taken.warnings).read_members(schema, arguments, "");
  taken.arguments = std::move(arguments);
  return taken;
}

std::optional<LenientArguments> take_whole(const Json& given) {
  LenientArguments taken{given, {}};
  if (given.is_string()) {
    const auto& text = given.get_ref<const std::string&>();
    auto object = text.empty() ? std::optional(Json::object()) : meant(text, "object");
    if (!object) return std::nullopt;
    taken.arguments = std::move(*object);
    taken.warnings.push_back("The arguments were given as one text; they were taken as " +
                             shown(taken.arguments) + ".");
  } else if (given.is_array() && given.empty()) {
    taken.arguments = Json::object();
  }
  return taken.arguments.is_object() ? std::optional(std::move(taken)) : std::nullopt;
}

}  // namespace server
