// Questions to the client.
#include "server/mcp/questions.h"

#include "server/jsonrpc/schema_check.h"
#include "server/mcp/methods.h"

namespace server {
namespace {

constexpr std::string_view kElicit = "elicitation/create";
constexpr std::string_view kSample = "sampling/createMessage";
constexpr std::string_view kRoots = "roots/list";

bool by_url(const InputRequest& request) {
  return string_member(request.params, "mode") == "url";
}

}  // namespace

ClientAbilities abilities_from(const Json& capabilities) {
  ClientAbilities abilities;
  if (const Json* elicitation = given_member(capabilities, "elicitation")) {
    abilities.url_elicitation = given_member(*elicitation, "url") != nullptr;
    // {} is what clients said before there was more than the form.
    abilities.form_elicitation =
        given_member(*elicitation, "form") != nullptr || !abilities.url_elicitation;
  }
  abilities.sampling = given_member(capabilities, "sampling") != nullptr;
  abilities.roots = given_member(capabilities, "roots") != nullptr;
  if (const Json* extensions = member(capabilities, "extensions")) {
    abilities.tasks = given_member(*extensions, kTasksExtension) != nullptr;
  }
  return abilities;
}

std::vector<InputRequest> askable(const std::vector<InputRequest>& requests,
                                  const ClientAbilities& abilities) {
  std::vector<InputRequest> kept;
  for (const InputRequest& request : requests) {
    const bool can = request.method == kElicit   ? (by_url(request) ? abilities.url_elicitation
                                                                    : abilities.form_elicitation)
                     : request.method == kSample ? abilities.sampling
                                                 : request.method == kRoots && abilities.roots;
    if (can) kept.push_back(request);
  }
  return kept;
}

Json needed_capabilities(const std::vector<InputRequest>& requests) {
  Json needed = Json::object();
  for (const InputRequest& request : requests) {
    if (request.method == kElicit) {
      if (!needed.contains("elicitation")) needed["elicitation"] = Json::object();
      if (by_url(request)) needed["elicitation"]["url"] = Json::object();
    } else if (request.method == kSample) {
      needed["sampling"] = Json::object();
    } else if (request.method == kRoots) {
      needed["roots"] = Json::object();
    }
  }
  return needed;
}

Json to_json(const std::vector<InputRequest>& requests) {
  Json map = Json::object();
  for (const InputRequest& request : requests) {
    map[request.key] = {{"method", request.method}, {"params", request.params}};
  }
  return map;
}

bool fits(const Json& requested_schema, const Json& answer) {
  if (requested_schema.is_null() || string_member(answer, "action") != "accept") return true;
  const Json* content = member(answer, "content");
  return content != nullptr && !SchemaCheck(requested_schema).problem(*content, "field");
}

Json requested_schema(const InputRequest& request) {
  const Json* schema = member(request.params, "requestedSchema");
  return schema == nullptr || request.method != kElicit ? Json(nullptr) : *schema;
}

}  // namespace server
