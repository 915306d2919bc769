// Texts that name calls (core/base/call.h), in the words of whoever reads them.
#pragma once

#include <functional>
#include <string>

#include "core/base/call.h"
#include "server/jsonrpc/json.h"
#include "server/mcp/tool.h"

namespace server {

// A call as a tool and its arguments.
struct NextStep {
  std::string tool;                 // empty: arguments of a call that the text speaks of anyway
  Json arguments = Json::object();  // null: only the argument's name is told
};

// What core's actions and parameters are among a server's tools. Empty: they bear the same names.
using StepOf = std::function<NextStep(const core::Call&)>;
// A text with its calls in a reader's words.
using Speech = std::function<std::string(const std::string& text)>;

// The call with the names that it has: for a tool's own name in the place of an action's.
NextStep same_names(const core::Call& call);

// `restore_snapshot {"snapshot": "/x", "in_place": true}`; of arguments alone "confirm: true",
// "in_place" or, as a single word could be taken for one of the sentence, "'target'".
std::string for_model(const NextStep& step);
Speech speech_for_model(StepOf step_of);

// Puts every text in it into the reader's words.
void speak(Json& value, const Speech& speech);
// Puts every text of a call's ending into the reader's words: of structured content, content and
// questions. Then structured content without a content block gets one that says the same.
CallOutcome spoken(CallOutcome outcome, const Speech& speech);

}  // namespace server
