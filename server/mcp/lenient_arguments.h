// Arguments as models and clients write them, made what their schema means: pure, and before any
// validation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/jsonrpc/json.h"

namespace server {

struct LenientArguments {
  Json arguments = Json::object();
  std::vector<std::string> warnings;  // one sentence for each that was read leniently
};

// Where a schema names one type, and a value of another type can mean only one value of that one,
// it becomes that value: "7" an integer or a number, "true" a boolean, the text of a JSON array or
// object that array or object, 5.0 an integer (without a warning: to JSON Schema it is one). A null
// for an optional property that may not be null is left out. Everything else stays, for the
// validation to refuse; nothing is ever added. Looks into properties and items, not behind
// references or alternatives.
LenientArguments take_leniently(const Json& schema, Json arguments);

// All the arguments as an object: an object as it is; the text of a JSON object that object, with a
// warning, and an empty text none at all, likewise; an empty array none at all (PHP writes an empty
// object so). Nothing: they are something else.
std::optional<LenientArguments> take_whole(const Json& given);

}  // namespace server
