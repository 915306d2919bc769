#include "support/fake_schedulers.h"

#include <algorithm>

#include "support/test_database.h"

namespace test {

using core::Command;
using core::CommandResult;

namespace {

CommandResult good(std::string output = {}) {
  return {0, false, std::move(output), ""};
}
CommandResult bad(std::string complaint) {
  return {1, false, "", std::move(complaint)};
}

// As Debian's crontab lists a table: with two control characters spelled out.
std::string listed(const std::string& table) {
  std::string text;
  for (const char c : table) {
    text += c == '\r' ? std::string("\\r") : c == '\b' ? std::string("\\b") : std::string(1, c);
  }
  return text;
}

std::string name_in(const std::string& text, const std::string& before) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + before.size();
  return text.substr(begin, text.find_first_of("' \n", begin) - begin);
}

}  // namespace

FakeSchedulers::FakeSchedulers(const std::string& system, FakeEnv* given)
    : own(given != nullptr ? nullptr : std::make_unique<FakeEnv>()),
      fake(given != nullptr ? *given : *own) {
  fake.places.variables["BPD_SYSTEM"] = system;
  fake.clock.really_sleeps = false;
  fake.commands.answer = [this](const Command& command) { return answer(command); };
  write_file(fake.places.program, "the program, version 1");
  fs::create_directories(backups());
}

core::BackupJob FakeSchedulers::job(const std::string& name, const std::string& database) {
  core::BackupJob job;
  job.name = name;
  job.snapshot.source = fake.folder / "live" / database;
  job.snapshot.destination = backups();
  fs::create_directories(job.snapshot.source.parent_path());
  if (!fs::exists(job.snapshot.source)) make_notes_database(job.snapshot.source);
  return job;
}

std::vector<std::string> FakeSchedulers::deeds() const {
  std::vector<std::string> lines = fake.commands.lines();
  const auto only_asks = [](const std::string& line) {
    return line == "id -u" || line == "crontab -l" || line == "crontab -e" ||
           line.find("/query") != std::string::npos || line.starts_with("launchctl print") ||
           line.find("systemctl") != std::string::npos || line.starts_with("curl");
  };
  lines.erase(std::remove_if(lines.begin(), lines.end(), only_asks), lines.end());
  return lines;
}

std::string FakeSchedulers::tree() const {
  std::string text = "crontab: " + crontab.value_or("none") + "\n";
  std::set<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(fake.folder.path())) {
    const std::string path = entry.path().generic_string();
    const auto holds = [&](const char* part) { return path.find(part) != std::string::npos; };
    if (holds("/locks") || holds("history") || holds("/machine-id") || holds("/backups") ||
        holds(".db")) {
      continue;
    }
    // Empty folders of ours may stay: they hold nothing.
    if (entry.is_regular_file()) lines.insert(path + ": " + read_file(entry.path()));
  }
  for (const std::string& line : lines) text += line + "\n";
  for (const std::string& agent : agents) text += "agent " + agent + "\n";
  for (const std::string& task : tasks) text += "task " + task + "\n";
  return text;
}

CommandResult FakeSchedulers::run(const std::string& name, bool if_due) {
  if (!shell_runs) return good();
  core::NoProgress no_progress;
  const core::RunOptions options{true, if_due};
  auto outcome = core::run_job(name, options, env(), no_progress, {});
  CommandResult result =
      outcome ? good(core::report_of(*outcome, options)) : bad(outcome.error().message);
  runs.push_back(std::move(outcome));
  return result;
}

core::Expected<CommandResult> FakeSchedulers::answer(const Command& command) {
  const std::string& program = command.argv[0];
  if (program == "id") return good("501\n");
  if (program == "crontab") return answer_crontab(command);
  if (program == "launchctl") return answer_launchctl(command);
  if (program.ends_with("schtasks.exe")) return answer_schtasks(command);
  if (program == "/usr/bin/env") return run(name_in(command.argv.back(), " run '"), true);
  if (program == "curl") {
    pings.push_back(command.input);
    return good();
  }
  if (program == "/bin/sh" || program.ends_with("cmd.exe")) {
    failure_commands.push_back(command);
    return good();
  }
  return core::fail(core::ErrorCode::not_found, program + " is not played.");
}

CommandResult FakeSchedulers::answer_crontab(const Command& command) {
  if (command.argv.at(1) == "-l") {
    if (!crontab_complaint.empty()) return bad(crontab_complaint);
    return crontab ? good(listed(*crontab)) : bad("no crontab for tester\n");
  }
  // What an EDITOR that only prints is shown.
  if (command.argv.at(1) == "-e") return crontab ? good(*crontab) : good("# a template\n");
  if (crontab_refuses) return bad("crontab: installation failed\n");
  if (command.argv.at(1) == "-r") {
    crontab.reset();
  } else {
    crontab = command.input;
  }
  return good();
}

CommandResult FakeSchedulers::answer_launchctl(const Command& command) {
  const std::string& verb = command.argv.at(1);
  const std::string label = fs::path(command.argv.back()).filename().string();
  const std::string name = name_in(label, "backup-plugin-db.");
  if (verb == "bootout") return agents.erase(label) != 0 ? good() : bad("No such process\n");
  if (verb == "enable") return good();
  if (verb == "print") return agents.count(label) != 0 ? good("state") : bad("not found\n");
  if (verb == "kickstart") return agents.count(label) != 0 ? run(name, true) : bad("not found\n");
  if (bootstrap_failures > 0) {
    --bootstrap_failures;
    return bad("Bootstrap failed: 5: Input/output error\n");
  }
  const std::string loaded = fs::path(label).stem().string();
  agents.insert(loaded);
  run(name_in(loaded, "backup-plugin-db."), true);  // RunAtLoad
  return good();
}

CommandResult FakeSchedulers::answer_schtasks(const Command& command) {
  const std::string& verb = command.argv.at(1);
  if (verb == "/query" && command.argv.at(2) == "/fo") {
    std::string rows;
    for (const std::string& task : tasks) rows += "\"\\" + task + "\",\"N/A\",\"Ready\"\r\n";
    return good(rows + "\"\\Other task\",\"N/A\",\"Ready\"\r\n");
  }
  const std::string& task = command.argv.at(3);
  if (verb == "/create") {
    if (!fs::exists(command.argv.at(5))) return bad("no such file");
    tasks.insert(task);
    return good();
  }
  if (tasks.count(task) == 0) return bad("ERROR: The system cannot find the file specified.\r\n");
  if (verb == "/delete") tasks.erase(task);
  if (verb == "/run") return run(name_in(task, "backup-plugin-db-"), false);
  return good();
}

}  // namespace test
