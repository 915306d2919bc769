// Who may write what schedulers read.
#include <sys/stat.h>

#include "core/schedule/install.h"
#include "support/catch.h"
#include "support/fake_schedulers.h"

using namespace core;

// launchd refuses a plist that others may write ("Dubious permissions"), and what a scheduler runs
// is as good as an account.
TEST_CASE("Nobody else may write what a schedule leaves, whatever the umask lets new files have") {
  for (const auto kind : {SchedulerKind::cron, SchedulerKind::launchd}) {
    CAPTURE(to_string(kind));
    test::FakeSchedulers world(kind == SchedulerKind::launchd ? "macos" : "linux");
    const BackupJob job = world.job("global");
    InstallRequest request;
    request.name = job.name;
    request.settings.source = job.snapshot.source;
    request.settings.destination = job.snapshot.destination;
    request.scheduler = kind;
    NoProgress no_progress;
    const mode_t former = ::umask(0);
    const auto result = install_schedule(request, world.env(), no_progress, {});
    ::umask(former);
    INFO((result ? "" : result.error().message));
    REQUIRE(result);
    REQUIRE_FALSE(result->files.empty());
    for (const PlannedFile& file : result->files) {
      CAPTURE(file.path);
      CHECK((world.env().files.info(file.path)->mode & (S_IWGRP | S_IWOTH)) == 0);
    }
  }
}
