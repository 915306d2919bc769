#!/usr/bin/env python3
"""first_words.py PROGRAM: what newcomers type, in a terminal and without one."""

import datetime
import os
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from typed import Home, plain  # noqa: E402

DONE, USAGE, NOT_FOUND, NEEDS_YES, CANCELLED = 0, 2, 3, 10, 12
home = Home(sys.argv[1])
today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def expect(result, code, *parts):
    text = plain("\n".join(result[1:]))
    assert result[0] == code, f"{result[0]} in place of {code}:\n{text}"
    for part in parts:
        assert part in text, f"{part!r} is not in:\n{text}"
    return text


# Nobody knows yet where to: a person is asked, a script is told.
expect(home.run("backup"), USAGE, "--destination")
expect(home.type("backup", answers=[("Destination:", "~/Backups")]), DONE, "Wrote ", "global-")

# From here on it is known, and said.
for words in (["backup"], ["snapshot"], ["save"], ["snapshot_db"]):
    code, output, errors = home.run(*words)
    expect((code, errors), DONE, f"Destination: {home.path}/Backups")
    assert output.startswith("Wrote "), output
for words in (["version"], ["-V"], ["--version"]):
    expect(home.run(*words), DONE, "backup-plugin-db ")
for words in (["ls"], ["list", "~/Backups"], ["list", "--dest", "~/Backups"],
              ["ls", "-d", f"{home.path}/Backups"], ["list", "--cloud-root=~/Backups"]):
    expect(home.run(*words), DONE, f"global-{today}.db")

# Inside a project its database goes first.
code, output, errors = home.run("snapshot", where="code/app/src")
expect((code, errors), DONE, f"Database: {home.path}/code/app/.orchestrator/project.db")
assert f"project-{today}.db" in output, output

# Restores: a new file or the database's own place, which only the person knows.
target = f"{home.path}/global-restored.db"
expect(home.run("restore", "latest"), USAGE, "Where to?", f"--target {target}", "--in-place")
assert not os.path.exists(target)
expect(home.type("restore", "latest", answers=[("give up):", "")]), CANCELLED, "Nothing was chosen")
expect(home.type("restore", "latest", answers=[("give up):", "7"), ("give up):", "1")]), DONE,
       "That is none of 1 to 2", "Restored ")
assert os.path.exists(target)
expect(home.run("restore", today, "from-a-day.db"), DONE, f"global-{today}.db")
expect(home.run("restore", "global", "from-a-name.db"), DONE, f"global-{today}.db")
expect(home.run("restore", "2001-01-01", "none.db"), NOT_FOUND, "2001-01-01")

# Nothing is replaced by a guess, and a yes to it is asked for.
inside = {"where": "code/app/src"}
expect(home.run("restore", "latest", "--in-place", "--confirm", **inside), NEEDS_YES,
       "counts only for what the command names", f"--source {home.path}/code/app")
text = expect(home.type("restore", "latest", **inside,
                        answers=[("give up):", "2"), ("(y/n):", "n")]), CANCELLED,
              "project.db would be replaced by")
expect(home.type("restore", "latest", **inside, answers=[("give up):", "2"), ("(y/n):", "y")]),
       DONE, "Restored ", "What was there is kept")

# Slips, and values that do not fit.
expect(home.run("bakup"), USAGE, "did you mean backup?")
expect(home.run("lst"), USAGE, "did you mean list?")
expect(home.run("list", "--desination", "x"), USAGE, "did you mean --destination?")
text = expect(home.run("install-schedule", "--time", "noon"), USAGE,
              '--time is "noon"; it must be HH:MM, for example 12:00')
assert "[0-9]" not in text, text
expect(home.run("run-schedule", "global"), NOT_FOUND, "There is no schedule named 'global'")

# Help fits the terminal, whatever its width, and every example in it is a command that is read.
VERBS = ("snapshot", "list", "verify", "restore", "discover", "status", "prune", "install-schedule",
         "list-schedules", "run-schedule", "remove-schedule", "lost", "restore-rows", "restore-all",
         "run", "self-test", "serve", "call", "generate")
for columns in (60, 80, 120):
    for words in (["--help"], ["help", "list"], *([verb, "--help"] for verb in VERBS)):
        text = expect(home.type(*words, columns=columns), DONE, "Usage: backup-plugin-db")
        for line in text.splitlines():
            assert len(line) <= columns, f"{words} at {columns}: {line}"
for words in (["--help"], *([verb, "--help"] for verb in VERBS)):
    for line in home.run(*words)[1].splitlines():
        example = shlex.split(line) if line.startswith("  backup-plugin-db ") else []
        if example:
            text = "\n".join(home.run(*example[1:], "--help")[1:])
            assert text.startswith("Usage: "), f"{line}: {text}"
print("ok")
