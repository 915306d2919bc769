// The JSON value of the server: keeps the order of keys, so that what a schema file says is what a
// client reads.
#pragma once

#include <nlohmann/json.hpp>

namespace server {

using Json = nlohmann::ordered_json;

}  // namespace server
