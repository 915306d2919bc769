// Questions to the client, whichever way they travel: what may be asked, and what fits as answer.
#pragma once

#include <string>
#include <vector>

#include "server/jsonrpc/json.h"
#include "server/mcp/tool.h"

namespace server {

// How often one call may come back with questions before it is given up.
inline constexpr int kMaxQuestionRounds = 8;

// From a ClientCapabilities object.
ClientAbilities abilities_from(const Json& capabilities);

// Those that the client declared it can answer.
std::vector<InputRequest> askable(const std::vector<InputRequest>& requests,
                                  const ClientAbilities& abilities);
// The ClientCapabilities object that answering all of them needs.
Json needed_capabilities(const std::vector<InputRequest>& requests);
// The map of an input_required result or task.
Json to_json(const std::vector<InputRequest>& requests);

// Whether an answer can be used: accepted form content must conform to the schema that was sent
// (null: not known).
bool fits(const Json& requested_schema, const Json& answer);
// The schema of a form question; null for any other question.
Json requested_schema(const InputRequest& request);

}  // namespace server
