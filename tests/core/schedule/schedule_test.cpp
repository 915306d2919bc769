// Job files and the names of schedules.
#include <set>

#include "core/base/call.h"
#include "core/schedule/job.h"
#include "core/schedule/job_settings.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/paths.h"
#include "support/schedule_facts.h"

using namespace core;

namespace {

BackupJob full_job() {
  BackupJob job = test::example_job();
  job.scheduler = SchedulerKind::cron;
  job.time = std::chrono::minutes(23 * 60 + 59);
  job.snapshot.source =
      test::absolute("/home/ann/My \"App\" 100% $HOME é\\x/.orchestrator/project.db");
  job.snapshot.destination = test::absolute("/home/ann/Backups");
  job.snapshot.hostname = "box";
  job.snapshot.label = "my app";
  job.snapshot.flat = true;
  job.snapshot.verify = VerifyLevel::full;
  job.snapshot.retention = {30, 3, {}, 7, 4, 12};
  job.on_failure = "notify-send 'it''s broken' \"$NAME\"";
  job.ping_url = "https://hc-ping.com/11111111-2222-3333-4444-555555555555";
  return job;
}

}  // namespace

TEST_CASE("A job comes back from its file as it was") {
  test::FakeEnv fake;
  const BackupJob job = full_job();
  REQUIRE(write_job(job, fake.places, fake.env().files));
  const auto read = read_job("global", fake.places, fake.env().files);
  REQUIRE(read);
  CHECK(encode_job(*read) == encode_job(job));
  CHECK(read->snapshot.source == job.snapshot.source);
  CHECK(read->snapshot.retention.keep_weekly == 4);
  CHECK(read->scheduled_since == job.scheduled_since);
  CHECK(fake.env().files.info(job_path("global", fake.places))->mode == 0600);
}

TEST_CASE("What an older program must not overlook in a job file raises its version") {
  const auto version_of = [](const BackupJob& job) {
    const std::string text = encode_job(job);
    return text.substr(text.find("format_version") + 17, 1);
  };
  CHECK(version_of(full_job()) == "1");
  BackupJob hourly = full_job();
  hourly.every_hours = 4;
  hourly.between = parse_window("22:00-06:30");
  CHECK(version_of(hourly) == "2");
  const auto read = decode_job("global", encode_job(hourly));
  REQUIRE(read);
  CHECK(read->every_hours == 4);
  CHECK(read->between == hourly.between);
  CHECK(encode_job(*read) == encode_job(hourly));
  CHECK(describe_times(hourly) == "every 4 hours, 22:00-06:30");
  CHECK(describe_times(full_job()) == "daily at 23:59");
  BackupJob kept = full_job();  // the older program would remove what only the hours keep
  kept.snapshot.retention.keep_hourly = 24;
  CHECK(version_of(kept) == "2");
  CHECK(decode_job("global", encode_job(kept))->snapshot.retention.keep_hourly == 24);
}

TEST_CASE("Hours that no run could keep to are refused, with what to write") {
  BackupJob job = full_job();
  job.between = DayWindow{};
  auto refused = check_job(job);
  REQUIRE_FALSE(refused);
  CHECK(plain_text(refused.error().hint) == "Add every hour, or leave it out.");
  job.every_hours = 1;
  CHECK(check_job(job));
  job.between = parse_window("08:10-08:50");
  refused = check_job(job);
  REQUIRE_FALSE(refused);
  CHECK(plain_text(refused.error().message).starts_with("No run falls into 08:10-08:50"));
  job.between.reset();
  job.every_hours = 13;
  CHECK_FALSE(check_job(job));
  std::string text = encode_job(full_job());
  text.insert(text.find("\"source\""), "\"every\": \"now and then\", ");
  CHECK(decode_job("global", text).error().code == ErrorCode::damaged);
}

TEST_CASE("A schedule by the hour that becomes a daily one forgets its window") {
  BackupJob job = full_job();
  JobSettings settings;
  settings.every_hours = 2;
  settings.between.emplace(parse_window("08:00-20:00"));
  job = with_settings(job, settings);
  CHECK(describe_times(job) == "every 2 hours, 08:00-20:00");
  JobSettings other;
  other.time = std::chrono::minutes(30);
  CHECK(describe_times(with_settings(job, other)) == "every 2 hours, 08:00-20:00");
  other.between.emplace();
  CHECK(describe_times(with_settings(job, other)) == "every 2 hours");
  other.between.reset();
  other.every_hours = 0;
  CHECK(describe_times(with_settings(job, other)) == "daily at 00:30");
  CHECK(check_job(with_settings(job, other)));
}

TEST_CASE("Schedules by the hour start at seconds of their own, the same each time") {
  std::set<long> delays;
  for (int number = 0; number < 20; ++number) {
    BackupJob job = full_job();
    job.name = "project-" + std::to_string(number);
    CHECK(start_delay(job).count() == 0);
    job.every_hours = 1;
    CHECK(start_delay(job) == start_delay(job));
    CHECK(start_delay(job) < kMaxStartDelay);
    delays.insert(static_cast<long>(start_delay(job).count()));
  }
  CHECK(delays.size() > 12);
}

TEST_CASE("A job file of a newer version is not installed over") {
  test::FakeEnv fake;
  REQUIRE(write_job(full_job(), fake.places, fake.env().files));
  const fs::path path = job_path("global", fake.places);
  std::string text = test::read_file(path);
  text.replace(text.find("\"format_version\": 1"), 19, "\"format_version\": 99");
  test::write_file(path, text);
  JobSettings settings;
  settings.source = "/home/ann/x.db";
  const auto settled = settle_job("global", settings, fake.places, fake.env().files);
  REQUIRE_FALSE(settled);
  CHECK(settled.error().code == ErrorCode::unsupported);
  CHECK(settled.error().message.find("newer version") != std::string::npos);
}

TEST_CASE("A job file that is empty or cut short is named by its path") {
  test::FakeEnv world;
  const auto path = job_path("nightly", world.places);
  std::filesystem::create_directories(path.parent_path());
  for (const auto& [text, said] : {std::pair{"", "it is empty"}, {"{\"format_ver", "cut short"}}) {
    test::write_file(path, text);
    const auto job = read_job("nightly", world.places, core::system_files());
    REQUIRE_FALSE(job);
    CHECK(job.error().code == ErrorCode::damaged);
    CHECK(job.error().message.find(said) != std::string::npos);
    CHECK(job.error().message.find(path.string()) != std::string::npos);
    CHECK(job.error().hint.find(say(core::Action::install_schedule)) != std::string::npos);
  }
}

TEST_CASE("A job file that cannot be used says why and what to do") {
  const std::string good = encode_job(full_job());
  const auto spoilt = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
    return decode_job("global", text);
  };
  CHECK(decode_job("other", good).error().code == ErrorCode::damaged);
  CHECK(decode_job("global", "{}").error().code == ErrorCode::damaged);
  CHECK(decode_job("global", "").error().code == ErrorCode::damaged);
  CHECK(spoilt("\"format_version\": 1", "\"format_version\": 99").error().code ==
        ErrorCode::unsupported);
  CHECK(spoilt("23:59", "24:59").error().code == ErrorCode::damaged);
  CHECK(spoilt("\"cron\"", "\"at\"").error().code == ErrorCode::damaged);
  const auto relative = spoilt(test::in_json(test::absolute("/home/ann/Backups")), "Backups");
  CHECK(relative.error().code == ErrorCode::damaged);
  CHECK(relative.error().message.find("..") == std::string::npos);
  for (const char* count : {"0", "-3", "1.5", "1e30", "9999999999", "\"3\""}) {
    CAPTURE(count);
    CHECK(spoilt("\"keep_weekly\": 4", "\"keep_weekly\": " + std::string(count)).error().code ==
          ErrorCode::damaged);
  }
  const auto binary = decode_job("global", "{\"\xff\xfe");
  REQUIRE_FALSE(binary);
  CHECK(binary.error().message.find('\xff') == std::string::npos);
  CHECK(spoilt("\"flat\"", "\"from_the_future\": 1, \"flat\""));
}

TEST_CASE("A job file of any size or kind is refused in words that help") {
  test::FakeEnv fake;
  const fs::path path = job_path("global", fake.places);
  fs::create_directories(path.parent_path());
  test::write_file(path, std::string(1 << 20, ' '));
  CHECK(read_job("global", fake.places, fake.env().files).error().code == ErrorCode::damaged);
  fs::remove(path);
  fs::create_directories(path);
  CHECK(read_job("global", fake.places, fake.env().files).error().code == ErrorCode::damaged);
  std::vector<UnusableJob> problems;
  CHECK(list_jobs(fake.places, fake.env().files, problems).empty());
  CHECK(problems.size() == 1);
}

TEST_CASE("Names fit every scheduler, and others are refused with a proposal") {
  for (const char* name : {"global", "a", "my-app_2", "0"}) CHECK(check_schedule_name(name));
  for (const char* name : {"", "A", "my app", "-x", "a/b", "a.b", "ä", "a\nb", "x%y"}) {
    CAPTURE(name);
    const auto refused = check_schedule_name(name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_argument);
    CHECK(refused.error().hint.find("Try '") == 0);
  }
  CHECK_FALSE(check_schedule_name(std::string(49, 'a')));
  CHECK(slug("My Löve.app") == "my-l-ve-app");
  CHECK(slug("---") == "db");
  CHECK(check_schedule_name(slug(std::string(500, 'x'))));
}

TEST_CASE("Every source gets a name of its own, and keeps it") {
  const fs::path home = "/home/ann";
  std::vector<BackupJob> jobs;
  const auto install = [&](const fs::path& source) {
    BackupJob job = test::example_job();
    job.snapshot.source = source;
    job.name = default_schedule_name(source, home, jobs);
    CHECK(check_schedule_name(job.name));
    jobs.push_back(job);
    return job.name;
  };
  CHECK(install("/home/ann/.claude/orchestrator/global.db") == "global");
  CHECK(install("/home/ann/code/My App/.orchestrator/project.db") == "my-app-project");
  const std::string second = install("/srv/My App/.orchestrator/project.db");
  CHECK(second.starts_with("my-app-project-"));
  CHECK(default_schedule_name("/srv/My App/.orchestrator/project.db", home, jobs) == second);
  CHECK(default_schedule_name("/home/ann/.orchestrator/global.db", home, {}) == "global");
  CHECK(default_schedule_name("/data/Ω.db", home, {}) == "db");
}

TEST_CASE("A job that could never run is refused") {
  const auto refused = [](auto change) {
    BackupJob job = full_job();
    change(job);
    const auto checked = check_job(job);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::invalid_argument);
    CHECK_FALSE(checked.error().hint.empty());
  };
  CHECK(check_job(full_job()));
  refused([](BackupJob& job) { job.name = "Not a slug"; });
  refused([](BackupJob& job) { job.time = std::chrono::hours(24); });
  refused([](BackupJob& job) { job.snapshot.source = "global.db"; });
  refused([](BackupJob& job) { job.snapshot.source = "/a\nb.db"; });
#ifndef _WIN32  // where no name has such a byte
  refused([](BackupJob& job) { job.snapshot.destination = "/a\xFF"; });
#endif
  refused([](BackupJob& job) { job.snapshot.label = "a\nb"; });
  refused([](BackupJob& job) { job.on_failure = "a\nb"; });
  refused([](BackupJob& job) { job.on_failure = std::string(5000, 'x'); });
  refused([](BackupJob& job) { job.ping_url = "ftp://example.org"; });
  refused([](BackupJob& job) { job.ping_url = "https://example.org/a b"; });
  refused([](BackupJob& job) { job.ping_url = "https://example.org/\n"; });
}

TEST_CASE("Jobs are listed by name, and an unreadable one does not hide the others") {
  test::FakeEnv fake;
  std::vector<UnusableJob> problems;
  CHECK(list_jobs(fake.places, fake.env().files, problems).empty());
  for (const char* name : {"b", "a"}) {
    BackupJob job = full_job();
    job.name = name;
    REQUIRE(write_job(job, fake.places, fake.env().files));
  }
  test::write_file(fake.places.config / "jobs/broken.json", "{");
  test::write_file(fake.places.config / "jobs/notes.txt", "mine");
  const auto jobs = list_jobs(fake.places, fake.env().files, problems);
  REQUIRE(jobs.size() == 2);
  CHECK(jobs[0].name == "a");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].name == "broken");
  const auto missing = read_job("c", fake.places, fake.env().files);
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(missing.error().hint == "Schedules are: a, b.");
}
