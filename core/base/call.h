// A call in a text: what its reader may do next, as a value. Core says which of its own works is
// meant; the reader's side spells it: a tool with arguments for a model, a command for a shell.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace core {

// What core can be asked for.
enum class Action {
  snapshot,
  list_snapshots,
  verify,
  restore,
  discover,
  status,
  prune,
  install_schedule,
  list_schedules,
  run_schedule,
  remove_schedule,
  find_rows,
  put_back_rows,
  ignore,
  bring_home,
  copy_offsite,
};
// "restore", "install-schedule", …: stands in texts that are stored (history.db), so it is stable.
std::string_view to_string(Action action);

// A parameter of the action's request, by the name it has there: "in_place", "snapshot".
struct Parameter {
  std::string name;
  // None: only its name is told.
  std::variant<std::monostate, bool, std::string, std::vector<std::string>> value{};
};

struct Call {
  // to_string(Action), or what the rooms above call their own; empty: the parameters are told
  // alone, for a call that the text speaks of anyway ("after a preview with dry_run").
  std::string action;
  std::vector<Parameter> parameters{};
};

// The call as a part of a text: "Run " + say(Action::prune) + " again." Such a text is for
// spell_calls; until then it may be joined, stored and split at line breaks, but not cut. The part
// is a control character, the action, the parameters as a JSON object, and another control
// character; what it holds of these two and of line breaks is escaped. Bytes that are no UTF-8 are
// replaced.
std::string say(const Call& call);
std::string say(Action action, std::vector<Parameter> parameters = {});
std::string say_parameter(std::string name);
std::string say_parameter(std::string name, bool value);

// The text with each call in it as `spell` gives it. What only looks like one stays as it is.
std::string spell_calls(std::string_view text,
                        const std::function<std::string(const Call&)>& spell);
// The same in plain words, for logs, whose readers nobody knows: "restore in_place".
std::string plain_text(std::string_view text);

}  // namespace core
