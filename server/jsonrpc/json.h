// Members of JSON values that a peer wrote.
#pragma once

#include <string>
#include <string_view>

#include "core/base/json.h"

namespace server {

using core::Json;

// The member if `object` is an object that has it, else null. Never throws.
inline const Json* member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(key));
  return found == object.end() ? nullptr : &*found;
}

// As member(), but null counts as absent: many encoders write what is not set as null.
inline const Json* given_member(const Json& object, std::string_view key) {
  const Json* value = member(object, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

// The member if it is a string, else the empty string. Never throws.
inline const std::string& string_member(const Json& object, std::string_view key) {
  static const std::string kEmpty;
  const Json* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get_ref<const std::string&>() : kEmpty;
}

}  // namespace server
