// What a task's listeners are told: its states in their order, each once.
#include "server/mcp/tasks.h"

#include <atomic>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/fake_env.h"

using server::CallContext;
using server::CallFacts;
using server::InputRequest;
using server::InputRequired;
using server::Json;
using server::TaskStore;
using server::WorkOutcome;
using namespace std::chrono_literals;

namespace {

CallFacts facts_of_one_who_answers() {
  CallFacts facts;
  facts.abilities.tasks = true;
  facts.abilities.form_elicitation = true;
  return facts;
}

InputRequired question() {
  const Json schema = {{"type", "object"}, {"properties", Json::object()}};
  return {{InputRequest{"sure",
                        "elicitation/create",
                        {{"mode", "form"}, {"message", "Sure?"}, {"requestedSchema", schema}}}},
          ""};
}

const Json kYes = {{"sure", {{"action", "accept"}, {"content", Json::object()}}}};

// The statuses a listener heard of.
class Heard {
 public:
  void add(const Json& task) {
    const std::lock_guard lock(mutex_);
    statuses_.push_back(task.at("status").get<std::string>());
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return statuses_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> statuses_;
};

// Waits until the task is seen in this state.
void wait_for_status(TaskStore& store, const std::string& id, const std::string& status) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (store.get(id, "").value().at("status") != status) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace

TEST_CASE("An older state of a task is never told after a newer one") {
  test::FakeClock clock;
  server::Executor executor(1, 8);
  Heard heard;
  std::latch working_is_on_its_way(1);
  TaskStore store(executor, clock, [&](const std::string&, const Json& task) {
    if (task.at("status") == "working") {
      // Time enough for the work to end meanwhile.
      working_is_on_its_way.count_down();
      std::this_thread::sleep_for(100ms);
    }
    heard.add(task);
  });
  const auto work = [&](CallContext& context) -> WorkOutcome {
    if (context.answer("sure") == nullptr) return question();
    working_is_on_its_way.wait();
    return Json{{"content", Json::array()}};
  };
  const std::string id = store.create(work, facts_of_one_who_answers()).value().at("taskId");
  wait_for_status(store, id, "input_required");
  REQUIRE(store.tell_news(id, ""));
  REQUIRE(store.update(id, "", kYes));
  REQUIRE(executor.wait_idle(10s));
  CHECK(heard.all() == std::vector<std::string>{"input_required", "working", "completed"});
}

TEST_CASE("Who begins to listen to a task is not told the state that it saw before") {
  test::FakeClock clock;
  server::Executor executor(1, 8);
  Heard heard;
  std::atomic<bool> listens = false;
  TaskStore store(executor, clock, [&](const std::string&, const Json& task) {
    std::this_thread::sleep_for(50ms);
    if (listens) heard.add(task);
  });
  const auto work = [&](CallContext&) -> WorkOutcome { return question(); };
  const std::string id = store.create(work, facts_of_one_who_answers()).value().at("taskId");
  wait_for_status(store, id, "input_required");
  REQUIRE(store.tell_news(id, ""));
  listens = true;
  REQUIRE(store.cancel(id, ""));
  REQUIRE(executor.wait_idle(10s));
  CHECK(heard.all() == std::vector<std::string>{"cancelled"});
}

TEST_CASE("A task that was done before it could be cancelled says so and keeps its result") {
  test::FakeEnv world;
  server::Executor executor(2, 8);
  std::latch cancelled(1);
  TaskStore store(executor, world.env().clock, [](const std::string&, const Json&) {});
  const auto start = [&](const Json& result) {
    return store
        .create(
            [&cancelled, result](CallContext&) -> WorkOutcome {
              cancelled.wait();
              return result;
            },
            facts_of_one_who_answers())
        .value()
        .at("taskId")
        .get<std::string>();
  };
  const std::string done = start({{"content", Json::array()}});
  const std::string stopped = start({{"content", Json::array()}, {"isError", true}});
  CHECK(store.cancel(done, ""));
  CHECK(store.cancel(stopped, ""));
  cancelled.count_down();
  wait_for_status(store, done, "completed");
  CHECK(store.get(done, "")->contains("result"));
  wait_for_status(store, stopped, "cancelled");
  executor.close();
  executor.join();
}

TEST_CASE("There is no news of a task of somebody else") {
  test::FakeClock clock;
  server::Executor executor(1, 8);
  TaskStore store(executor, clock, [](const std::string&, const Json&) {});
  const auto work = [&](CallContext&) -> WorkOutcome { return Json::object(); };
  const std::string id = store.create(work, facts_of_one_who_answers()).value().at("taskId");
  CHECK_FALSE(store.tell_news(id, "somebody else"));
  CHECK_FALSE(store.tell_news("nothing", ""));
  CHECK(store.tell_news(id, ""));
  REQUIRE(executor.wait_idle(10s));
}
