// A folder of projects with databases, and the job of a schedule that covers it.
#pragma once

#include <string>

#include "core/base/paths.h"
#include "support/fake_schedulers.h"
#include "support/test_database.h"

namespace test {

struct CodeFolder {
  CodeFolder() {
    job = world.job("global");
    job.name = "code";
    job.snapshot.source.clear();
    job.folder = folder;
    fs::create_directories(folder);
  }
  fs::path database(const std::string& project) const {
    return folder / core::path_of(project) / ".orchestrator/project.db";
  }
  void add(const std::string& project) const {
    fs::create_directories(database(project).parent_path());
    make_notes_database(database(project));
  }

  FakeSchedulers world{"linux"};
  fs::path folder = world.fake.folder / "code";
  core::BackupJob job;
};

}  // namespace test
