// Reads a tool's validated arguments, with the defaults that several tools share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/call.h"
#include "core/base/env.h"
#include "core/base/error.h"
#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/catalog/manifest.h"
#include "core/catalog/retention.h"
#include "core/platform/bounds.h"
#include "server/mcp/tool.h"

namespace tools {

// The argument that stands for the user's yes, where a client cannot ask them.
constexpr std::string_view kConfirmKey = "confirm";

// What every tool is made with: the world, and the folders it may touch (empty: no limit).
struct Setting {
  // `around` must outlive every copy.
  Setting(const core::Env& around, std::vector<core::fs::path> folders = {},
          bool may_set_calls = false);

  const core::Env& world;  // for what no argument names
  std::vector<core::fs::path> allowed;
  std::shared_ptr<core::Bounds> bounds;  // null where there is no limit
  // For what arguments name: a path that was judged leads nowhere else by the time of its use.
  const core::Env& env;
  bool calls = false;  // whether a server limited to folders lets its client set commands and URLs

  bool may_call() const { return allowed.empty() || calls; }

  // The path with its links resolved as far as it exists, if that lies in a folder we may touch;
  // where there is no limit, the path as it is.
  std::optional<core::fs::path> judge(const core::fs::path& path) const;
  bool allows(const core::fs::path& path) const { return judge(path).has_value(); }
};

// The arguments fit the tool's inputSchema already; what a schema cannot say (a day that exists, a
// folder that is allowed) is checked here and told as an Error.
class Arguments {
 public:
  Arguments(const server::Json& arguments, const Setting& setting)
      : arguments_(arguments), setting_(setting) {}

  bool has(std::string_view key) const;
  // The call of the tool with these arguments, and others over them; for a text, and so without
  // numbers.
  core::Call call_with(const std::string& tool, const server::Json& others) const;
  std::optional<std::string> text(std::string_view key) const;
  bool flag(std::string_view key, bool otherwise = false) const;
  std::optional<int> integer(std::string_view key) const;
  core::Expected<std::optional<core::Date>> date(std::string_view key) const;

  // `~` and relative paths made absolute (lexically), and judged (Setting::judge); nothing where
  // absent or empty.
  core::Expected<std::optional<core::fs::path>> path(std::string_view key) const;
  // An array of paths, each as path() reads it; empty where absent.
  core::Expected<std::vector<core::fs::path>> paths(std::string_view key) const;
  // An array of strings; empty where absent.
  std::vector<std::string> texts(std::string_view key) const;
  // The argument `source`, else the orchestrator's global database.
  core::Expected<core::fs::path> source() const;
  // The argument `destination`, else what the environment names, else nothing.
  core::Expected<std::optional<core::fs::path>> destination() const;

  // The path as it was judged; refuses (permission_denied) one outside the folders this server may
  // touch.
  core::Expected<core::fs::path> allowed_path(const std::string& text) const;
  // Whether a path that no argument named may be shown or touched.
  bool allows(const core::fs::path& path) const {
    return allowed_path(core::text_of(path)).has_value();
  }

  core::RetentionPolicy retention() const;
  core::VerifyLevel verify(std::string_view key, core::VerifyLevel otherwise) const;

 private:
  const server::Json& arguments_;
  const Setting& setting_;
};

// Whether the user has said yes, beforehand or to the question of ask_for_yes; nothing where they
// were not asked yet.
std::optional<bool> confirmation_of(const Arguments& arguments, const server::CallContext& context);
// For a call that needs the user's yes: the question `message`, whose yes is called `title`. Where
// the client cannot ask its user: needs_confirmation with `told`, whose next step is `again`, the
// whole call with the yes where a shell may have filled in what it replaces; else the same call.
server::ToolOutcome<server::Json> ask_for_yes(const server::CallContext& context, std::string told,
                                              std::string message, const char* title,
                                              const std::optional<core::Call>& again = {});
// The question for a destination, for a call that has none.
server::NeedsInput ask_for_destination();
// The destination of this call: argument, variable, or the answer to ask_for_destination. The
// question itself where none of these is there.
server::ToolOutcome<core::fs::path> find_destination(const Arguments& arguments,
                                                     const server::CallContext& context,
                                                     const Setting& setting);

}  // namespace tools
