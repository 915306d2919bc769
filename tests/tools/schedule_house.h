// A house with schedulers that are only played.
#pragma once

#include "support/fake_schedulers.h"
#include "tests/tools/tool_house.h"

namespace test {

struct ScheduleHouse : ToolHouse {
  explicit ScheduleHouse(const std::vector<std::string>& allowed = {}, bool calls = false)
      : ToolHouse(allowed, calls) {
    furnish();
  }
  Json install(Json changes = Json::object()) {
    Json arguments{{"destination", "~/Backups"}, {"scheduler", "cron"}};
    arguments.update(changes);
    return good("install_schedule", arguments);
  }

  FakeSchedulers schedulers{"linux", this};
};

}  // namespace test
