#include "core/base/json.h"

namespace core {

Json read_json(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

SortedJson read_sorted_json(std::string_view text) {
  return SortedJson::parse(text, nullptr, /*allow_exceptions=*/false);
}

Json json_of(std::string_view text) {
  return Json::parse(text);
}

std::string json_text(const Json& value) {
  return value.dump();
}

std::string json_file_text(const Json& value) {
  return value.dump(2) + "\n";
}

std::string lenient_json_text(const Json& value, int indent) {
  return value.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string lenient_json_text(const SortedJson& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/false, SortedJson::error_handler_t::replace);
}

bool read_events(std::string_view text, JsonListener& listener) {
  return Json::sax_parse(text, &listener);
}

}  // namespace core
