// The exact files and commands of each scheduler, against goldens and independent parsers.
#include "core/base/shell_word.h"
#include "core/schedule/cron.h"
#include "core/schedule/launchd.h"
#include "core/schedule/quoting.h"
#include "core/schedule/scheduler.h"
#include "core/schedule/schedulers.h"
#include "core/schedule/systemd.h"
#include "core/schedule/windows.h"
#include "support/catch.h"
#include "support/golden.h"
#include "support/paths.h"
#include "support/schedule_facts.h"
#include "support/temp_folder.h"

using namespace core;
using test::example_job;
using test::golden;
using test::slashed;

namespace {

// What a small Python program prints about a file, by an XML parser that is not ours.
std::string python(const std::string& program, const fs::path& file) {
  const Command command{{"python3", "-c", program, file.string()}, {}, {}};
  const auto result = system_commands().run(command, {});
  REQUIRE(result);
  INFO(result->error_output);
  REQUIRE(result->exit_code == 0);
  return result->output;
}

constexpr const char* kHardProgram =
    "/Users/ann/we ird & <100%> \"q\" 'é' $HOME \\x/backup-plugin-db";

}  // namespace

TEST_CASE("The systemd units are the golden ones") {
  const auto plan = systemd_scheduler().plan_install(example_job(), test::linux_facts());
  REQUIRE(plan);
  const std::string service = test::written(*plan, "backup-plugin-db-global.service");
  const std::string timer = test::written(*plan, "backup-plugin-db-global.timer");
  CHECK(service == golden("systemd.service", service));
  CHECK(timer == golden("systemd.timer", timer));
  const std::string steps = test::steps_of(*plan);
  CHECK(steps == golden("systemd.install.txt", steps));
  CHECK(plan->warnings.empty());
}

TEST_CASE("Removing the systemd units stops, cleans, removes and reloads") {
  HostFacts facts = test::linux_facts();
  facts.drop_ins = {"backup-plugin-db-global.service.d", "backup-plugin-db-other.service.d"};
  const auto plan = systemd_scheduler().plan_remove("global", facts);
  const std::string steps = slashed(test::steps_of(plan));
  CHECK(steps == golden("systemd.remove.txt", steps));
  REQUIRE(plan.warnings.size() == 1);
  CHECK(plan.warnings[0].find("backup-plugin-db-global.service.d") != std::string::npos);
}

TEST_CASE("Without a user bus the systemd units are removed as files only") {
  HostFacts facts = test::linux_facts();
  facts.user_bus = false;
  const std::string steps =
      slashed(test::steps_of(systemd_scheduler().plan_remove("global", facts)));
  CHECK(steps.find("systemctl") == std::string::npos);
  CHECK(steps.find("remove /home/ann/.config/systemd/user/timers.target.wants/") !=
        std::string::npos);
}

TEST_CASE("Units of the version that asked once a day are known as such") {
  HostFacts facts = test::linux_facts();
  const BackupJob job = example_job();
  const auto plan = systemd_scheduler().plan_install(job, facts);
  std::string service = test::written(*plan, "backup-plugin-db-global.service");
  const std::string timer =
      "# Written by backup-plugin-db install_schedule, which overwrites it.\n\n"
      "[Unit]\nDescription=Nightly database snapshot 'global' (backup-plugin-db)\n\n"
      "[Timer]\nOnCalendar=*-*-* 04:07:00\nAccuracySec=1min\n"
      "# Runs missed while the machine was off are caught up.\nPersistent=true\n\n"
      "[Install]\nWantedBy=timers.target\n";
  const std::size_t flag = service.find(" \"--if-due\"");
  REQUIRE(flag != std::string::npos);
  service.erase(flag, std::string_view(" \"--if-due\"").size());
  facts.files[facts.unit_folder / "backup-plugin-db-global.service"] = service;
  facts.files[facts.unit_folder / "backup-plugin-db-global.timer"] = timer;
  CHECK(systemd_scheduler().check_entry(job, facts) == EntryCheck::outdated);
  facts.files[facts.unit_folder / "backup-plugin-db-global.timer"] += "# mine\n";
  CHECK(systemd_scheduler().check_entry(job, facts) == EntryCheck::edited);
}

TEST_CASE("A service with an on_failure command leaves it its privileges") {
  BackupJob job = example_job();
  job.on_failure = "mail -s failed ann";
  const auto service = render_service(job, test::linux_facts());
  REQUIRE(service);
  CHECK(service->find("NoNewPrivileges") == std::string::npos);
  CHECK(service->find("mail") == std::string::npos);
}

TEST_CASE("Linger off is a warning with the command that turns it on") {
  HostFacts facts = test::linux_facts();
  facts.linger = false;
  const auto plan = systemd_scheduler().plan_install(example_job(), facts);
  REQUIRE(plan);
  REQUIRE(plan->warnings.size() == 1);
  CHECK(plan->warnings[0].find("`loginctl enable-linger ann`") != std::string::npos);
}

TEST_CASE("systemctl's answers are read") {
  const auto answer = [](std::string output) { return CommandResult{0, false, output, ""}; };
  const std::string active =
      "Id=backup-plugin-db-global.timer\nLoadState=loaded\nActiveState=active\nUnitFileState="
      "enabled\n";
  const std::string service = "Id=backup-plugin-db-global.service\n";
  auto state = systemd_scheduler().read_state(
      "global", {answer(active), answer(service + "Result=success\nExecMainStatus=0\n")});
  CHECK(state.active);
  CHECK(state.problem.empty());

  state = systemd_scheduler().read_state(
      "global", {answer("Id=backup-plugin-db-global.timer\nLoadState=not-found\n"), answer("")});
  CHECK_FALSE(state.known);
  CHECK(state.problem.find("not-found") != std::string::npos);
  state = systemd_scheduler().read_state(
      "global", {answer(active), answer(service + "Result=exit-code\nExecMainStatus=3\n")});
  CHECK(state.problem.find("exit-code (status 3)") != std::string::npos);
}

TEST_CASE("Of many units that systemctl tells of, each schedule gets its own") {
  const auto block = [](const std::string& id, const std::string& more) {
    return "LoadState=loaded\nId=" + id + "\n" + more;
  };
  const CommandResult timers{
      0, false,
      block("backup-plugin-db-a.timer", "ActiveState=active\nUnitFileState=enabled\n") + "\n" +
          block("backup-plugin-db-ab.timer", "ActiveState=inactive\nUnitFileState=disabled\n") +
          "\n" + block("backup-plugin-db-b.timer", "ActiveState=active\nUnitFileState=enabled\n"),
      ""};
  const CommandResult services{
      0, false,
      block("backup-plugin-db-a.service", "Result=success\n") + "\n" +
          block("backup-plugin-db-ab.service", "Result=success\n") + "\n" +
          block("backup-plugin-db-b.service", "Result=timeout\nExecMainStatus=0\n"),
      ""};
  const auto state = [&](const char* name) {
    return systemd_scheduler().read_state(name, {timers, services});
  };
  CHECK(state("a").active);
  CHECK(state("a").problem.empty());
  CHECK_FALSE(state("ab").active);
  CHECK(state("b").active);
  CHECK(state("b").problem.find("timeout") != std::string::npos);
  CHECK_FALSE(state("absent").known);
}

TEST_CASE("The crontab block is the golden one") {
  const auto block = render_crontab_block(example_job(), test::linux_facts());
  REQUIRE(block);
  CHECK(*block == golden("crontab.txt", *block));
}

TEST_CASE("Foreign lines of a crontab stay byte for byte") {
  const std::string block = *render_crontab_block(example_job(), test::linux_facts());
  BackupJob other_job = example_job();
  other_job.name = "global2";
  const std::string other = *render_crontab_block(other_job, test::linux_facts());
  for (const std::string foreign :
       {"", "# mine\n", "MAILTO=ann\r\n* * * * * echo 100\\% \r\n", "\n\n  # a\n@daily x\n",
        "# BEGIN something else\n1 2 3 4 5 x\n# END something else\n"}) {
    CAPTURE(foreign);
    const std::string installed = put_crontab_block(foreign, "global", block);
    CHECK(installed == foreign + block);
    CHECK(put_crontab_block(installed, "global", block) == installed);
    const std::string both = put_crontab_block(installed, "global2", other) + foreign;
    CHECK(drop_crontab_block(both, "global") == foreign + other + foreign);
    CHECK(drop_crontab_block(drop_crontab_block(both, "global"), "global2") == foreign + foreign);
    CHECK(put_crontab_block(both, "global", "B\n") == foreign + "B\n" + other + foreign);
  }
  CHECK(put_crontab_block("unfinished", "global", block) == "unfinished\n" + block);
}

TEST_CASE("A block that lost its end, or was copied, takes no foreign line with it") {
  const std::string block = *render_crontab_block(example_job(), test::linux_facts());
  const std::string cut = block.substr(0, block.find("# END"));
  const std::string foreign = "5 5 * * * mine\n";
  CHECK(drop_crontab_block(cut + foreign, "global") == foreign);
  CHECK(drop_crontab_block(foreign + cut + foreign + block, "global") == foreign + foreign);
  CHECK(put_crontab_block(block + foreign + block, "global", block) == block + foreign);
}

TEST_CASE("A foreign line that only begins like our marker stays") {
  const std::string block = *render_crontab_block(example_job(), test::linux_facts());
  for (const std::string foreign :
       {"# BEGIN backup-plugin-db global and more of my own\n5 5 * * * x\n",
        "# BEGIN backup-plugin-db global2\n", "# END backup-plugin-db global\n5 5 * * * x\n"}) {
    CAPTURE(foreign);
    const std::string installed = put_crontab_block(foreign, "global", block);
    CHECK(installed == foreign + block);
    CHECK(put_crontab_block(installed, "global", block) == installed);
    CHECK(drop_crontab_block(installed, "global") == foreign);
    CHECK(drop_crontab_block(block + foreign, "global") == foreign);
  }
  HostFacts facts = test::linux_facts();
  facts.crontab = "# BEGIN backup-plugin-db global and more of my own\n";
  CHECK(cron_scheduler().entries(facts).empty());
}

TEST_CASE("A crontab line that cron would cut is refused") {
  HostFacts facts = test::linux_facts();
  facts.program = "/" + std::string(940, 'x');
  CHECK(render_crontab_block(example_job(), facts).error().code == ErrorCode::invalid_argument);
  facts.program = "/a\nb";
  CHECK(render_crontab_block(example_job(), facts).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("A run outside cron gets cron's environment and that of the table") {
  HostFacts facts = test::linux_facts();
  const std::string block = *render_crontab_block(example_job(), facts);
  facts.crontab = "SHELL = /bin/bash\n \"A\"='b c'\n# X=1\n0 4 * * * y=z x\n" + block + "LATER=1\n";
  const auto plan = cron_scheduler().plan_run("global", facts, std::chrono::seconds(60));
  REQUIRE(plan);
  REQUIRE(plan->steps.size() == 1);
  const auto& run = std::get<RunCommand>(plan->steps[0]);
  const std::vector<std::string> expected = {
      "/usr/bin/env",
      "-i",
      "A=b c",
      "HOME=/home/ann",
      "LOGNAME=ann",
      "PATH=/usr/bin:/bin",
      "SHELL=/bin/bash",
      "/bin/bash",
      "-c",
      "'/home/ann/.local/share/backup-plugin-db/bin/backup-plugin-db' run 'global' --scheduled "
      "--if-due"};
  CHECK(run.argv == expected);
  CHECK(block.find(expected.back()) != std::string::npos);
}

TEST_CASE("The launch agent is the golden one") {
  const HostFacts facts = test::mac_facts();
  const auto plan = launchd_scheduler().plan_install(example_job(), facts);
  REQUIRE(plan);
  const std::string plist = slashed(test::written(*plan, "backup-plugin-db.global.plist"));
  CHECK(plist == golden("launchd.plist", plist));
  const std::string steps = slashed(test::steps_of(*plan));
  CHECK(steps == golden("launchd.install.txt", steps));
}

TEST_CASE("A launch agent is read by plistlib, job and all") {
  HostFacts facts = test::mac_facts();
  facts.program = kHardProgram;
  const test::TempFolder folder;
  test::write_file(folder / "x.plist", *render_plist(example_job(), facts));
  const std::string seen = python(
      "import plistlib,sys\n"
      "d=plistlib.load(open(sys.argv[1],'rb'))\n"
      "types={'Label':str,'ProgramArguments':list,'StartCalendarInterval':dict,'RunAtLoad':bool,\n"
      "  'ProcessType':str,'StandardOutPath':str,'StandardErrorPath':str}\n"
      "assert {k:type(v) for k,v in d.items()}==types, d\n"
      "sys.stdout.buffer.write('|'.join([d['Label'],*d['ProgramArguments'],\n"
      "  repr(d['StartCalendarInterval']),str(d['RunAtLoad'])]).encode())",
      folder / "x.plist");
  CHECK(seen == "backup-plugin-db.global|" + std::string(kHardProgram) +
                    "|run|global|--scheduled|--if-due|{'Hour': 4, 'Minute': 7}|True");
}

TEST_CASE("The Windows task is the golden one") {
  const HostFacts facts = test::windows_facts();
  const auto plan = windows_scheduler().plan_install(example_job(), facts);
  REQUIRE(plan);
  const std::string task = test::written(*plan, "backup-plugin-db-global.xml");
  CHECK(task == golden("windows.xml", task));
  // Its program is quoted as the shells of the system need it that tells of it.
  const std::string program = shell_word(facts.schtasks);
  std::string steps = test::steps_of(*plan);
  steps.replace(steps.find(program), program.size(), "'" + facts.schtasks + "'");
  CHECK(slashed(steps) == slashed(golden("windows.install.txt", steps)));
}

TEST_CASE("A program that an app of the Microsoft Store started installs no Windows task") {
  HostFacts facts = test::windows_facts();
  CHECK_FALSE(windows_scheduler().unusable(facts));
  facts.hidden_from_others = true;
  const auto reason = windows_scheduler().unusable(facts);
  REQUIRE(reason);
  CHECK(reason->code == ErrorCode::unsupported);
  CHECK(reason->hint.find("terminal") != std::string::npos);
}

TEST_CASE("An XML parser reads the job from a Windows task") {
  const HostFacts facts = test::windows_facts();
  const auto plan = windows_scheduler().plan_install(example_job(), facts);
  REQUIRE(plan);
  const test::TempFolder folder;
  FileSystem& files = system_files();
  REQUIRE(files.write_atomically(folder / "u8", "", 0600));
  SchedulePlan only_write{SchedulerKind::windows, {plan->steps[0]}, {}};
  std::get<WriteFile>(only_write.steps[0]).path = folder / "task.xml";
  Places places;
  REQUIRE(apply(only_write, {system_clock(), files, system_commands(), places}, {}));
  CHECK(test::read_file(folder / "task.xml").substr(0, 4) == std::string("\xFF\xFE<\0", 4));
  const std::string seen = python(
      "import sys,xml.etree.ElementTree as E\n"
      "r=E.parse(sys.argv[1]).getroot()\n"
      "n='{http://schemas.microsoft.com/windows/2004/02/mit/task}'\n"
      "g=lambda p: r.find('/'.join(n+x for x in p.split('/'))).text\n"
      "sys.stdout.buffer.write('|'.join(map(g,['Actions/Exec/Command','Actions/Exec/Arguments',\n"
      "  'Triggers/CalendarTrigger/StartBoundary','Settings/StartWhenAvailable',\n"
      "  'Settings/DisallowStartIfOnBatteries','Settings/StopIfGoingOnBatteries',\n"
      "  'Triggers/CalendarTrigger/Repetition/Interval',\n"
      "  'Settings/MultipleInstancesPolicy','Principals/Principal/LogonType',\n"
      "  'Principals/Principal/RunLevel'])).encode())",
      folder / "task.xml");
  CHECK(seen == "%SystemRoot%\\System32\\conhost.exe|--headless \"" + facts.program.string() +
                    "\" run global --scheduled --if-due|2020-01-01T04:07:00|true|false|false|"
                    "PT1H|IgnoreNew|InteractiveToken|LeastPrivilege");
}

namespace {

// A definition as schtasks prints it: the whole task, or its one trigger, may be switched off.
std::string printed_task(bool trigger_enabled, bool enabled) {
  const auto text = [](bool yes) { return std::string(yes ? "true" : "false"); };
  return "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task>\r\n  <Triggers>\r\n"
         "    <CalendarTrigger>\r\n      <Enabled>" +
         text(trigger_enabled) +
         "</Enabled>\r\n    </CalendarTrigger>\r\n  </Triggers>\r\n  <Settings>\r\n"
         "    <Hidden>false</Hidden>\r\n    <Enabled>" +
         text(enabled) + "</Enabled>\r\n  </Settings>\r\n</Task>\r\n";
}

EntryState state_of(const std::string& printed) {
  return windows_scheduler().read_state("global", {CommandResult{0, false, printed, ""}});
}

}  // namespace

TEST_CASE("What schtasks prints of a task is read in either encoding") {
  for (const bool wide : {false, true}) {
    const auto read = [&](bool trigger_enabled, bool enabled) {
      const std::string text = printed_task(trigger_enabled, enabled);
      return state_of(wide ? *utf16le_with_bom(text) : "\x81" + text);
    };
    CHECK(read(true, true).active);
    CHECK(read(true, true).problem.empty());
    CHECK_FALSE(read(true, false).active);
    CHECK(read(true, false).problem == "the task backup-plugin-db-global is disabled");
    CHECK_FALSE(read(false, true).active);
    CHECK(read(false, true).problem ==
          "the trigger of the task backup-plugin-db-global is disabled");
  }
  // A description is not the setting.
  CHECK(state_of("<Task><Description>&lt;Enabled>false</Enabled> <Enabled>false</Enabled>"
                 "</Description><Settings></Settings></Task>")
            .active);
  const EntryState gone =
      windows_scheduler().read_state("global", {CommandResult{1, false, "", ""}});
  CHECK_FALSE(gone.known);
  CHECK_FALSE(gone.active);
}

TEST_CASE("A program path that the Task Scheduler might expand is refused") {
  HostFacts facts = test::windows_facts();
  for (const char* path : {"C:\\100%\\x.exe", "C:\\$(Arg0)\\x.exe"}) {
    facts.program = path;
    const auto task = render_task(example_job(), facts);
    REQUIRE_FALSE(task);
    CHECK(task.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("auto takes systemd where its bus answers, else a running cron, else explains") {
  HostFacts facts = test::linux_facts();
  CHECK(choose_scheduler(std::nullopt, facts) == SchedulerKind::systemd);
  CHECK(choose_scheduler(SchedulerKind::cron, facts) == SchedulerKind::cron);
  facts.user_bus = false;
  facts.user_bus_problem = "Failed to connect to bus";
  CHECK(choose_scheduler(std::nullopt, facts) == SchedulerKind::cron);
  CHECK(choose_scheduler(SchedulerKind::systemd, facts).error().message.find("Failed to connect") !=
        std::string::npos);
  facts.cron_running = false;
  const auto none = choose_scheduler(std::nullopt, facts);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::unsupported);
  CHECK(none.error().message.find("systemd: ") != std::string::npos);
  CHECK(none.error().message.find("cron: ") != std::string::npos);
  CHECK(choose_scheduler(SchedulerKind::cron, facts) == SchedulerKind::cron);
  CHECK_FALSE(choose_scheduler(SchedulerKind::launchd, facts));
  CHECK(choose_scheduler(std::nullopt, test::mac_facts()) == SchedulerKind::launchd);
  CHECK(choose_scheduler(std::nullopt, test::windows_facts()) == SchedulerKind::windows);
}

TEST_CASE("WSL without systemd is told how to get it") {
  HostFacts facts = test::linux_facts();
  facts.user_bus = facts.systemd_booted = false;
  facts.wsl = true;
  const auto reason = systemd_scheduler().unusable(facts);
  REQUIRE(reason);
  CHECK(reason->hint.find("/etc/wsl.conf") != std::string::npos);
}

TEST_CASE("Entries are found by name, and edits are noticed") {
  HostFacts facts = test::linux_facts();
  const BackupJob job = example_job();
  CHECK(systemd_scheduler().check_entry(job, facts) == EntryCheck::missing);
  const auto plan = systemd_scheduler().plan_install(job, facts);
  for (const char* file : {"backup-plugin-db-global.service", "backup-plugin-db-global.timer"}) {
    facts.files[facts.unit_folder / file] = test::written(*plan, file);
  }
  facts.files[facts.unit_folder / "backup-plugin-db-.timer"] = "";
  CHECK(systemd_scheduler().entries(facts) == std::vector<std::string>{"global"});
  CHECK(systemd_scheduler().check_entry(job, facts) == EntryCheck::as_written);
  facts.files[facts.unit_folder / "backup-plugin-db-global.timer"] += "# mine\n";
  CHECK(systemd_scheduler().check_entry(job, facts) == EntryCheck::edited);

  CHECK(cron_scheduler().check_entry(job, facts) == EntryCheck::missing);
  facts.crontab = *render_crontab_block(job, facts);
  CHECK(cron_scheduler().check_entry(job, facts) == EntryCheck::as_written);
  CHECK(cron_scheduler().entries(facts) == std::vector<std::string>{"global"});
  facts.crontab->insert(facts.crontab->find("@reboot"), "#");
  CHECK(cron_scheduler().check_entry(job, facts) == EntryCheck::edited);
}

namespace {

BackupJob office_job() {
  BackupJob job = example_job();
  job.every_hours = 1;
  job.between = parse_window("08:00-20:00");
  return job;
}

}  // namespace

TEST_CASE("By the hour the entries of POSIX are the golden ones, and ask four times an hour") {
  const BackupJob job = office_job();
  const auto plan = systemd_scheduler().plan_install(job, test::linux_facts());
  REQUIRE(plan);
  const std::string timer = test::written(*plan, "backup-plugin-db-global.timer");
  CHECK(timer == golden("systemd.hourly.timer", timer));
  const std::string block = *render_crontab_block(job, test::linux_facts());
  CHECK(block == golden("crontab.hourly.txt", block));
  const std::string plist = *render_plist(job, test::mac_facts());
  CHECK(plist == golden("launchd.hourly.plist", plist));
}

TEST_CASE("By the hour the Windows task is the golden one, and asks four times an hour") {
  const std::string task = *render_task(office_job(), test::windows_facts());
  CHECK(task == golden("windows.hourly.xml", task));
}

TEST_CASE("By the hour other parsers read the quarters of an hour from plist and task") {
  const test::TempFolder folder;
  test::write_file(folder / "x.plist", *render_plist(office_job(), test::mac_facts()));
  CHECK(python("import plistlib,sys\n"
               "print(plistlib.load(open(sys.argv[1],'rb'))['StartCalendarInterval'],end='')",
               folder / "x.plist") ==
        "[{'Minute': 7}, {'Minute': 22}, {'Minute': 37}, {'Minute': 52}]");
  std::string task = *render_task(office_job(), test::windows_facts());
  task.replace(task.find("UTF-16"), 6, "UTF-8");
  test::write_file(folder / "task.xml", task);
  CHECK(python("import sys,xml.etree.ElementTree as E\n"
               "n='{http://schemas.microsoft.com/windows/2004/02/mit/task}'\n"
               "t=E.parse(sys.argv[1]).getroot().find(n+'Triggers/'+n+'CalendarTrigger')\n"
               "print(t.find(n+'StartBoundary').text,t.find(n+'Repetition/'+n+'Interval').text,\n"
               "  t.find(n+'Repetition/'+n+'Duration').text,end='')",
               folder / "task.xml") == "2020-01-01T00:07:00 PT15M P1D");
}

TEST_CASE("An entry by the hour is known, and one of another rhythm is not as it was written") {
  HostFacts facts = test::linux_facts();
  const BackupJob job = office_job();
  const auto install = [&](const BackupJob& written) {
    const auto plan = systemd_scheduler().plan_install(written, facts);
    for (const char* file : {"backup-plugin-db-global.service", "backup-plugin-db-global.timer"}) {
      facts.files[facts.unit_folder / file] = test::written(*plan, file);
    }
    facts.crontab = *render_crontab_block(written, facts);
  };
  install(job);
  for (const Scheduler* scheduler : {&systemd_scheduler(), &cron_scheduler()}) {
    CHECK(scheduler->check_entry(job, facts) == EntryCheck::as_written);
    CHECK(scheduler->check_entry(example_job(), facts) == EntryCheck::edited);
  }
  install(example_job());
  for (const Scheduler* scheduler : {&systemd_scheduler(), &cron_scheduler()}) {
    CHECK(scheduler->check_entry(job, facts) == EntryCheck::edited);
  }
  // The block of either rhythm takes the other one's place.
  facts.crontab = put_crontab_block(*facts.crontab, "global", *render_crontab_block(job, facts));
  CHECK(*facts.crontab == *render_crontab_block(job, facts));
}
