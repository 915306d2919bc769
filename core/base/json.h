// JSON values, their reader and their writer. Readers and writers are compiled in one place: each
// file that has its own costs the compiler seconds (docs/DESIGN.md, "How it is built"). How large,
// deep and full a text from elsewhere may be is the caller's to check first
// (core/base/json_limits.h).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace core {

// Keeps the order of its keys: what a schema or a program wrote is what the next one reads. It
// looks for a key among all others.
using Json = nlohmann::ordered_json;

// Finds its keys in a tree: for texts that may have very many, and where their order must not
// count.
using SortedJson = nlohmann::json;

// The value, or a discarded one (is_discarded(); of no kind that a value can have) where `text` is
// not one JSON value. Never throws.
Json read_json(std::string_view text);
SortedJson read_sorted_json(std::string_view text);

// As read_json(), but throws Json::parse_error, which tells what is wrong and where.
Json json_of(std::string_view text);

// On one line. Throws Json::type_error where a string is not UTF-8.
std::string json_text(const Json& value);

// As json_text(), for a file that people may look into: a line for each value, also after the last.
std::string json_file_text(const Json& value);

// As json_text(), with U+FFFD in place of what is not UTF-8, and with a line for each value where
// `indent`, the spaces for a level, is given. Never throws.
std::string lenient_json_text(const Json& value, int indent = -1);
std::string lenient_json_text(const SortedJson& value);

// Hears what a text consists of. Each answer says whether to read on.
class JsonListener : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
};

// Tells `listener` of each part of `text` and keeps none: for large texts of which little is
// wanted. True where it was one JSON value, heard to its end. Never throws.
bool read_events(std::string_view text, JsonListener& listener);

}  // namespace core
