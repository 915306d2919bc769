// The tasks extension.
#include "server/mcp/tasks.h"

#include <exception>
#include <utility>

#include "core/platform/secrets.h"
#include "server/base/log.h"
#include "server/mcp/questions.h"

namespace server {

WorkOutcome run_guarded(const Work& work, CallContext& context) {
  try {
    return work(context);
  } catch (const std::exception& error) {
    log_error(std::string("A handler failed: ") + error.what());
    return RpcError{rpc_code::kInternalError, "Internal error; the server's log tells more."};
  }
}

struct TaskStore::Task {
  const std::string id = core::random_id();
  Work work;
  CallFacts facts;
  std::stop_source stop;
  core::Instant created{};

  // Held while a state is told, so that a newer one waits its turn; before `mutex`.
  std::mutex telling;
  int told = 0;  // guarded by `telling`: the value of `changes` that was told

  // The rest is guarded by the lock of its own.
  mutable std::mutex mutex;
  int changes = 0;  // of the status
  core::Instant updated{};
  std::string_view status = "working";
  std::string status_message;
  Json ending = Json::object();  // {"result": …} or {"error": …}
  int rounds = 0;
  // Questions by their key on the wire, which is never used twice, and what is answered already.
  std::map<std::string, InputRequest> pending;
  Json answers = Json::object();
  std::string state;

  // Nobody came for its result, or with an answer, for its whole lifetime.
  bool expired(core::Instant now) const { return status != "working" && now - updated > kLifetime; }
  bool finished() const { return status != "working" && status != "input_required"; }

  Json flat() const {
    Json json = {{"taskId", id}, {"status", status}};
    if (!status_message.empty()) json["statusMessage"] = status_message;
    json["createdAt"] = core::format_instant(created);
    json["lastUpdatedAt"] = core::format_instant(updated);
    json["ttlMs"] = kLifetime.count();
    json["pollIntervalMs"] = kPollInterval.count();
    return json;
  }

  Json detailed() const {
    Json json = flat();
    json.update(ending);
    if (status == "input_required") {
      for (const auto& [key, request] : pending) {
        json["inputRequests"][key] = {{"method", request.method}, {"params", request.params}};
      }
    }
    return json;
  }
};

// A task's handler has no stream: progress becomes the status message, logs go nowhere.
class TaskStore::Context final : public CallContext, private core::ProgressSink {
 public:
  explicit Context(Task& task) : task_(task) {
    const std::lock_guard lock(task.mutex);
    answers_ = task.answers;
    state_ = task.state;
  }

  core::ProgressSink& progress() override { return *this; }
  std::stop_token stop() const override { return task_.stop.get_token(); }
  const ClientAbilities& abilities() const override { return task_.facts.abilities; }
  const Json* answer(std::string_view key) const override { return member(answers_, key); }
  const std::string& state() const override { return state_; }
  void log(LogLevel, const Json&, std::string_view) override {}

 private:
  void report(std::uint64_t done, std::uint64_t total, const std::string& phase) override {
    const std::lock_guard lock(task_.mutex);
    task_.status_message =
        phase + " " + std::to_string(done) + (total == 0 ? "" : " of " + std::to_string(total));
  }

  Task& task_;
  Json answers_;
  std::string state_;
};

void TaskStore::set_status(Task& task, std::string_view status) {
  task.status = status;
  task.status_message.clear();
  task.updated = clock_.now();
  ++task.changes;
}

void TaskStore::announce(Task& task) {
  const std::lock_guard turn(task.telling);
  Json json;
  {
    const std::lock_guard lock(task.mutex);
    if (task.told == task.changes) return;
    task.told = task.changes;
    json = task.detailed();
  }
  on_change_(task.id, json);
}

bool TaskStore::make_room() {
  const core::Instant now = clock_.now();
  const auto expired = [now](const auto& entry) {
    const std::lock_guard lock(entry.second->mutex);
    return entry.second->expired(now);
  };
  std::erase_if(tasks_, expired);
  if (tasks_.size() < kMaxTasks) return true;
  auto oldest = tasks_.end();
  for (auto entry = tasks_.begin(); entry != tasks_.end(); ++entry) {
    const std::lock_guard lock(entry->second->mutex);
    if (!entry->second->finished()) continue;
    if (oldest == tasks_.end() || entry->second->created < oldest->second->created) oldest = entry;
  }
  if (oldest == tasks_.end()) return false;
  tasks_.erase(oldest);
  return true;
}

std::optional<Json> TaskStore::create(Work work, CallFacts facts) {
  auto task = std::make_shared<Task>();
  task->work = std::move(work);
  task->answers = facts.answers;
  task->state = facts.state;
  task->facts = std::move(facts);
  task->created = task->updated = clock_.now();
  Json flat = task->flat();
  {
    const std::lock_guard lock(mutex_);
    if (!make_room()) return std::nullopt;
    tasks_.emplace(task->id, task);
  }
  if (executor_.submit([this, task] { run(task); })) return flat;
  const std::lock_guard lock(mutex_);
  tasks_.erase(task->id);
  return std::nullopt;
}

std::shared_ptr<TaskStore::Task> TaskStore::find(const std::string& id,
                                                 const std::string& principal) {
  const std::lock_guard lock(mutex_);
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second->facts.principal != principal) return nullptr;
  {
    const std::lock_guard task_lock(found->second->mutex);
    if (!found->second->expired(clock_.now())) return found->second;
  }
  tasks_.erase(found);
  return nullptr;
}

void TaskStore::run(const std::shared_ptr<Task>& task) {
  // Each round either parks the task, ends it, or (a handler that wants only its state back)
  // goes on at once.
  for (bool again = true; again;) {
    Context context(*task);
    WorkOutcome outcome = run_guarded(task->work, context);
    again = false;
    if (auto* asked = std::get_if<InputRequired>(&outcome)) {
      const std::lock_guard lock(task->mutex);
      if (task->stop.stop_requested()) {
        set_status(*task, "cancelled");
      } else if (!park(*task, *asked)) {
        task->ending = {
            {"error",
             {{"code", rpc_code::kMissingCapability},
              {"message", "The client cannot answer what has to be asked."},
              {"data", {{"requiredCapabilities", needed_capabilities(asked->requests)}}}}}};
        set_status(*task, "failed");
      } else {
        again = task->pending.empty();
      }
    } else {
      settle(task, std::move(outcome));
    }
    if (!again) announce(*task);
  }
}

bool TaskStore::park(Task& task, const InputRequired& required) {
  const std::vector<InputRequest> requests = askable(required.requests, task.facts.abilities);
  if (requests.empty() && !required.requests.empty()) return false;
  if (++task.rounds > kMaxQuestionRounds) return false;
  task.state = required.state;
  task.pending.clear();
  for (const InputRequest& request : requests) {
    const std::string suffix = task.rounds == 1 ? "" : "-" + std::to_string(task.rounds);
    task.pending.emplace(request.key + suffix, request);
    task.answers.erase(request.key);
  }
  if (!task.pending.empty()) set_status(task, "input_required");
  return true;
}

void TaskStore::settle(const std::shared_ptr<Task>& task, WorkOutcome outcome) {
  const std::lock_guard lock(task->mutex);
  auto* result = std::get_if<Json>(&outcome);
  const Json* failed = result != nullptr ? member(*result, "isError") : nullptr;
  const bool done = result != nullptr && (failed == nullptr || *failed != true);
  if (task->stop.stop_requested() && !done) {
    set_status(*task, "cancelled");
  } else if (result != nullptr) {
    // Also when the cancellation came too late to stop it: what was done must not be hidden.
    task->ending = {{"result", std::move(*result)}};
    set_status(*task, "completed");
  } else {
    const auto* error = std::get_if<RpcError>(&outcome);
    task->ending["error"] = {
        {"code", error != nullptr ? error->code : rpc_code::kInternalError},
        {"message", error != nullptr ? error->message : "The handler gave no result."}};
    if (error != nullptr && !error->data.is_null()) task->ending["error"]["data"] = error->data;
    set_status(*task, "failed");
  }
}

std::optional<Json> TaskStore::get(const std::string& id, const std::string& principal) {
  const auto task = find(id, principal);
  if (!task) return std::nullopt;
  const std::lock_guard lock(task->mutex);
  return task->detailed();
}

bool TaskStore::tell_news(const std::string& id, const std::string& principal) {
  const auto task = find(id, principal);
  if (task) announce(*task);
  return task != nullptr;
}

bool TaskStore::update(const std::string& id, const std::string& principal, const Json& responses) {
  const auto task = find(id, principal);
  if (!task) return false;
  {
    const std::lock_guard lock(task->mutex);
    if (task->status != "input_required") return true;
    const Json given = well_formed_answers(responses);
    for (const auto& [key, answer] : given.items()) {
      const auto question = task->pending.find(key);
      if (question == task->pending.end()) continue;
      // An answer that does not fit is dropped; the handler will ask again under a new key.
      if (fits(requested_schema(question->second), answer)) {
        task->answers[question->second.key] = answer;
      }
      task->pending.erase(question);
    }
    if (!task->pending.empty()) return true;
    set_status(*task, "working");
  }
  if (!executor_.submit([this, task] { run(task); })) {
    settle(task, RpcError{rpc_code::kInternalError, "The server is too busy to go on."});
  }
  announce(*task);
  return true;
}

bool TaskStore::cancel(const std::string& id, const std::string& principal) {
  const auto task = find(id, principal);
  if (!task) return false;
  task->stop.request_stop();
  bool parked = false;
  {
    const std::lock_guard lock(task->mutex);
    parked = task->status == "input_required";
    if (parked) set_status(*task, "cancelled");
  }
  if (parked) announce(*task);
  return true;
}

void TaskStore::stop_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, task] : tasks_) task->stop.request_stop();
}

}  // namespace server
