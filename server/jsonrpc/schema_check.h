// Checks JSON values against a JSON Schema, and words what is wrong so that a model can mend it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/jsonrpc/json.h"

namespace server {

// How sentences about a value's members are worded; empty functions, and empty answers of
// `expected`: as the schema says it.
struct MemberWords {
  std::function<std::string(const std::string& name)> subject;   // "The argument 'time'"
  std::function<std::string(const std::string& name)> expected;  // "HH:MM, for example 12:00"
};

// Compiled once; then thread-safe. Understands what our schemas and forms use: the assertions of
// draft 7, and of 2020-12 what is spelt the same ($defs, $ref within the schema, if/then/else).
// References to the network are never followed.
class SchemaCheck {
 public:
  explicit SchemaCheck(const Json& schema);
  ~SchemaCheck();

  // Why the schema cannot be used; empty when it can.
  const std::string& defect() const { return defect_; }
  // Nothing when `value` conforms. Otherwise one or more sentences, each naming a property (as
  // `what` 'name', or as `words` have it), the problem and the valid values.
  std::optional<std::string> problem(const Json& value, const std::string& what,
                                     const MemberWords& words = {}) const;

 private:
  struct Compiled;
  Json schema_;
  bool matches_text_ = false;  // has patterns
  std::string defect_;
  std::unique_ptr<Compiled> compiled_;
};

// Of `candidates`, the one a writer of `word` most likely meant; empty when none is close.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace server
