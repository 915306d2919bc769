// Renders the block of a crontab and keeps it apart from other people's lines.
#include "core/schedule/cron.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/schedule/due.h"
#include "core/schedule/quoting.h"

namespace core {

namespace {

constexpr std::string_view kBegin = "# BEGIN backup-plugin-db ";
constexpr std::string_view kEnd = "# END backup-plugin-db ";
constexpr std::string_view kBlanks = " \t";

std::string begin_marker(const std::string& name) {
  return std::string(kBegin) + name + " (written by install_schedule, which overwrites it)";
}
std::string end_marker(const std::string& name) {
  return std::string(kEnd) + name;
}

struct Line {
  std::size_t begin = 0, end = 0;  // `end` is after the newline
  std::string_view text;           // without line break
};

Line line_at(std::string_view table, std::size_t begin) {
  const std::size_t newline = table.find('\n', begin);
  const std::size_t end = newline == std::string_view::npos ? table.size() : newline + 1;
  std::string_view text = table.substr(begin, end - begin);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return {begin, end, text};
}

std::vector<Line> lines_of(std::string_view table) {
  std::vector<Line> lines;
  for (std::size_t at = 0; at < table.size(); at = lines.back().end) {
    lines.push_back(line_at(table, at));
  }
  return lines;
}

// Only the whole text counts: a comment that goes on in other words is somebody else's.
bool begins(const Line& line, const std::string& name) {
  return line.text == begin_marker(name) || line.text == std::string(kBegin) + name;
}

struct Range {
  std::size_t begin = 0, end = 0;
};

// A block whose end marker is gone stops before the first line that is not ours to touch.
Range range_from(std::string_view table, const Line& first, const std::string& name) {
  Range range{first.begin, first.end};
  const std::string own_command = " run '" + name + "' --scheduled";
  bool only_ours = true;
  Line line;
  for (std::size_t at = first.end; at < table.size(); at = line.end) {
    line = line_at(table, at);
    if (line.text == end_marker(name)) return Range{first.begin, line.end};
    if (line.text.starts_with(kBegin) || line.text.starts_with(kEnd)) break;
    only_ours = only_ours && line.text.find(own_command) != std::string_view::npos;
    if (only_ours) range.end = line.end;
  }
  return range;
}

// Where schedules are many the table is long: only lines that may be the first are looked at.
std::optional<Range> find_range(std::string_view table, const std::string& name) {
  const std::string marker = std::string(kBegin) + name;
  for (std::size_t at = table.find(marker); at != std::string_view::npos;
       at = table.find(marker, at + 1)) {
    if (at != 0 && table[at - 1] != '\n') continue;
    const Line first = line_at(table, at);
    if (begins(first, name)) return range_from(table, first, name);
  }
  return std::nullopt;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view unquote(std::string_view text) {
  if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0]) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

// Of many schedules the table is long, and each of them is looked for in it.
std::string_view table_of(const HostFacts& facts) {
  return facts.crontab ? std::string_view(*facts.crontab) : std::string_view();
}

RunCommand crontab(const HostFacts& facts, std::vector<std::string> arguments) {
  RunCommand command;
  command.argv = {facts.crontab_program};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment["LC_ALL"] = "C";
  return command;
}

RunCommand write_table(const HostFacts& facts, std::string table) {
  // crontab refuses a last line that does not end; one can only come from an edit around it.
  if (!table.empty() && table.back() != '\n') table += '\n';
  RunCommand command = crontab(facts, {table.empty() ? "-r" : "-"});
  command.input = std::move(table);
  return command;
}

Expected<std::string> command_line(const std::string& name, const HostFacts& facts) {
  BPD_TRY_AS(program, crontab_word(text_of(facts.program)));
  BPD_TRY_AS(word, crontab_word(name));
  return *program + " run " + *word + " --scheduled --if-due";
}

constexpr std::string_view kLongestTimes = "59 23 * * * ", kLongestHourly = "14,29,44,59 * * * * ";

// When to ask, beside at boot: one line for each.
std::vector<std::string> times_of(const BackupJob& job) {
  const long minutes = static_cast<long>(job.time.count());
  if (job.every_hours == 0) {
    return {std::to_string(minutes % 60) + " " + std::to_string(minutes / 60) + " * * * ",
            "0 * * * * "};
  }
  std::string list;
  for (const int minute : ask_minutes(job)) {
    list += (list.empty() ? "" : ",") + std::to_string(minute);
  }
  return {list + " * * * * "};
}

class Cron final : public Scheduler {
 public:
  SchedulerKind kind() const override { return SchedulerKind::cron; }

  std::optional<Error> unusable(const HostFacts& facts) const override {
    if (facts.crontab_works) return std::nullopt;
    return Error{ErrorCode::unsupported, "crontab cannot be used: " + facts.crontab_problem,
                 "Install cron (on Debian: apt install cron) and see that you may use it "
                 "(/etc/cron.allow, /etc/cron.deny)."};
  }

  Expected<SchedulePlan> plan_install(const BackupJob& job, const HostFacts& facts) const override {
    BPD_TRY_AS(block, render_crontab_block(job, facts));
    SchedulePlan plan{SchedulerKind::cron, {}, {}};
    plan.steps.emplace_back(
        write_table(facts, put_crontab_block(table_of(facts), job.name, *block)));
    if (!facts.cron_running) plan.warnings.push_back(cron_warning());
    const auto environment = crontab_environment(table_of(facts), job.name);
    for (const char* key : {"CRON_TZ", "TZ"}) {
      if (environment.count(key) != 0) {
        plan.warnings.push_back(std::string("The crontab sets ") + key +
                                " above our lines, so the time may be of another time zone.");
      }
    }
    return plan;
  }

  SchedulePlan plan_remove(const std::string& name, const HostFacts& facts) const override {
    SchedulePlan plan{SchedulerKind::cron, {}, {}};
    if (facts.crontab && find_crontab_block(*facts.crontab, name)) {
      plan.steps.emplace_back(write_table(facts, drop_crontab_block(*facts.crontab, name)));
    }
    return plan;
  }

  SchedulePlan plan_restore(const std::string& name, const std::optional<BackupJob>&,
                            const HostFacts& before, const HostFacts& now) const override {
    const auto former = find_crontab_block(table_of(before), name);
    if (former == find_crontab_block(table_of(now), name)) {
      return {SchedulerKind::cron, {}, {}};
    }
    if (!former) return plan_remove(name, now);
    return {SchedulerKind::cron,
            {write_table(now, put_crontab_block(table_of(now), name, *former))},
            {}};
  }

  // cron cannot be told to run an entry, so its line is run as cron would: in the table's shell,
  // with the environment of crontab(5) and nothing else.
  Expected<SchedulePlan> plan_run(const std::string& name, const HostFacts& facts,
                                  std::chrono::milliseconds timeout) const override {
    BPD_TRY_AS(line, command_line(name, facts));
    std::map<std::string, std::string> environment{{"HOME", text_of(facts.home)},
                                                   {"LOGNAME", facts.user},
                                                   {"PATH", "/usr/bin:/bin"},
                                                   {"SHELL", "/bin/sh"}};
    for (const auto& [key, value] : crontab_environment(table_of(facts), name)) {
      if (key != "LOGNAME") environment[key] = value;
    }
    RunCommand run;
    run.argv = {"/usr/bin/env", "-i"};
    for (const auto& [key, value] : environment) run.argv.push_back(key + "=" + value);
    for (const std::string& word : {environment["SHELL"], std::string("-c"), *line}) {
      run.argv.push_back(word);
    }
    run.timeout = timeout;
    SchedulePlan plan{SchedulerKind::cron, {}, {}};
    plan.steps.emplace_back(run);
    return plan;
  }

  bool run_waits() const override { return true; }

  bool may_hide_entries(const HostFacts& facts) const override { return facts.crontab_hidden; }

  std::vector<std::string> entries(const HostFacts& facts) const override {
    std::vector<std::string> names;
    for (const Line& line : lines_of(table_of(facts))) {
      if (!line.text.starts_with(kBegin)) continue;
      std::string_view name = line.text.substr(kBegin.size());
      name = name.substr(0, name.find(' '));
      if (begins(line, std::string(name)) && check_schedule_name(name)) names.emplace_back(name);
    }
    return names;
  }

  EntryCheck check_entry(const BackupJob& job, const HostFacts& facts) const override {
    const auto present = find_crontab_block(table_of(facts), job.name);
    if (!present) return EntryCheck::missing;
    const auto wanted = render_crontab_block(job, facts);
    return wanted && *wanted == *present ? EntryCheck::as_written : EntryCheck::edited;
  }

  std::vector<RunCommand> queries(const std::vector<std::string>&,
                                  const HostFacts& facts) const override {
    return {crontab(facts, {"-l"})};
  }

  bool tells_of_many() const override { return true; }

  EntryState read_state(const std::string& name,
                        const std::vector<CommandResult>& answers) const override {
    EntryState state;
    state.known = answers.size() == 1 && answers[0].exit_code == 0 &&
                  find_crontab_block(answers[0].output, name).has_value();
    state.active = state.known;
    if (!state.known) state.problem = "the crontab has no lines for '" + name + "'";
    return state;
  }
};

}  // namespace

Expected<std::string> render_crontab_block(const BackupJob& job, const HostFacts& facts) {
  BPD_TRY_AS(command, command_line(job.name, facts));
  const auto& longest = job.every_hours > 0 ? kLongestHourly : kLongestTimes;
  if (command->size() + longest.size() >= kMaxCrontabLineBytes) {
    return fail(
        ErrorCode::invalid_argument,
        "The crontab line would be too long, because of the path '" + text_of(facts.program) + "'.",
        "Set XDG_DATA_HOME to a folder with a shorter path.");
  }
  std::vector<std::string> times = times_of(job);
  times.insert(times.begin() + 1, "@reboot ");
  std::string lines;
  for (const std::string& time : times) lines += time + *command + "\n";
  return begin_marker(job.name) + "\n" + lines + end_marker(job.name) + "\n";
}

std::optional<std::string> find_crontab_block(std::string_view table, const std::string& name) {
  const auto range = find_range(table, name);
  if (!range) return std::nullopt;
  return std::string(table.substr(range->begin, range->end - range->begin));
}

std::string put_crontab_block(std::string_view table, const std::string& name,
                              std::string_view block) {
  if (const auto range = find_range(table, name)) {
    // A block that somebody copied must not go on living beside the new one.
    return std::string(table.substr(0, range->begin)).append(block) +
           drop_crontab_block(table.substr(range->end), name);
  }
  std::string out(table);
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out.append(block);
}

std::string drop_crontab_block(std::string_view table, const std::string& name) {
  std::string out(table);
  while (const auto range = find_range(out, name)) {
    out.erase(range->begin, range->end - range->begin);
  }
  return out;
}

std::map<std::string, std::string> crontab_environment(std::string_view table,
                                                       const std::string& name) {
  std::map<std::string, std::string> environment;
  for (const Line& line : lines_of(table)) {
    if (begins(line, name)) break;
    const std::string_view text = trim(line.text);
    const auto equals = text.find('=');
    if (text.empty() || text[0] == '#' || equals == std::string_view::npos) continue;
    const std::string_view key = unquote(trim(text.substr(0, equals)));
    // A schedule has blanks before any `=`; a variable's name has none.
    if (key.empty() || key.find_first_of(" \t*@") != std::string_view::npos) continue;
    environment[std::string(key)] = std::string(unquote(trim(text.substr(equals + 1))));
  }
  return environment;
}

std::string cron_warning() {
  return "No cron daemon seems to run, so nothing will fire: start it, on Debian with "
         "`sudo service cron start`.";
}

const Scheduler& cron_scheduler() {
  static const Cron cron;
  return cron;
}

}  // namespace core
