// The tasks extension: calls that run on after their reply, kept in memory until they expire.
// https://modelcontextprotocol.io/seps/2663-tasks-extension
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/env.h"
#include "server/base/executor.h"
#include "server/mcp/handler_context.h"
#include "server/mcp/methods.h"

namespace server {

// Thread-safe. A task belongs to the principal that created it; for others it does not exist.
class TaskStore {
 public:
  static constexpr std::size_t kMaxTasks = 256;
  static constexpr std::chrono::milliseconds kLifetime{
      3'600'000};  // at least; while nothing happens
  static constexpr std::chrono::milliseconds kPollInterval{500};

  // `on_change` is told of new states (id, task as tasks/get shows it): those of one task in their
  // order, each once. A state that was over before it could be told is left out.
  TaskStore(Executor& executor, core::Clock& clock,
            std::function<void(const std::string&, const Json&)> on_change)
      : executor_(executor), clock_(clock), on_change_(std::move(on_change)) {}

  // Keeps the task, then starts its work. The flat task of a CreateTaskResult; nothing when
  // kMaxTasks unfinished ones are kept or the executor is full.
  std::optional<Json> create(Work work, CallFacts facts);
  // As tasks/get shows it; nothing: unknown or expired.
  std::optional<Json> get(const std::string& id, const std::string& principal);
  // Returns when `on_change` has been told the state that get() shows; false: unknown or expired.
  // Who listens from then on hears of what happens from then on.
  bool tell_news(const std::string& id, const std::string& principal);
  // Takes answers to pending questions, ignores other keys; false: unknown.
  bool update(const std::string& id, const std::string& principal, const Json& responses);
  bool cancel(const std::string& id, const std::string& principal);
  void stop_all();

 private:
  struct Task;
  class Context;
  std::shared_ptr<Task> find(const std::string& id, const std::string& principal);
  bool make_room();
  void run(const std::shared_ptr<Task>& task);
  void settle(const std::shared_ptr<Task>& task, WorkOutcome outcome);
  bool park(Task& task, const InputRequired& required);
  void set_status(Task& task, std::string_view status);
  void announce(Task& task);

  Executor& executor_;
  core::Clock& clock_;
  std::function<void(const std::string&, const Json&)> on_change_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Task>> tasks_;
};

// Runs work; an exception becomes kInternalError and a line in the log.
WorkOutcome run_guarded(const Work& work, CallContext& context);

}  // namespace server
