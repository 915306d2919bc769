#!/usr/bin/env python3
"""seen.py PROGRAM: what a person sees of results: local times, ~, colour, lines that fit."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from typed import Home, plain  # noqa: E402

NEEDS_ATTENTION = NOT_FOUND = 3
# Five and a half hours ahead, all year.
home = Home(sys.argv[1], zone="XST-5:30")
assert home.run("backup", "-d", "~/Backups")[0] == 0
assert home.run("snapshot", "-d", "~/Backups", where="code/app")[0] == 0

taken = json.loads(home.run("list", "--json")[1])["snapshots"][0]["taken_at"]
assert taken.endswith("Z"), taken
hour, minute = int(taken[11:13]), int(taken[14:16])
local = f"{(hour + 5 + (minute + 30) // 60) % 24:02}:{(minute + 30) % 60:02}"
assert f" {local} " in home.run("list")[1], home.run("list")[1]
# In a pipe paths are whole, for programs; in a terminal they are short.
assert f"{home.path}/Backups/" in home.run("list")[1]

for columns in (60, 80, 120):
    for words in (["status"], ["list"], ["discover"], ["list-schedules"],
                  ["restore", "latest", "-n"], ["verify", "nothing-of-the-kind-is-there"]):
        code, shown = home.type(*words, columns=columns)
        assert code in (0, NEEDS_ATTENTION, NOT_FOUND), f"{words}: {code}\n{shown}"
        assert home.path not in shown, f"{words} at {columns}:\n{shown}"
        for line in plain(shown).splitlines():
            assert len(line) <= columns, f"{words} at {columns} has {len(line)}: {line}"
    code, shown = home.type("status", columns=columns)
    first = plain(shown).splitlines()[0]
    assert re.fullmatch(r"Backups: attention\. .{5,40}\.", first), first

# Problems stand out, unless colour is not wanted or not there.
coloured = "\x1b[33mBackups: attention\x1b[0m"
assert coloured in home.type("status")[1]
for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
    shown = home.type("status", **environment)[1]
    assert "\x1b[33m" not in shown and "Backups: attention" in shown, shown
assert "\x1b" not in home.run("status")[1]

assert "\x1b[1;31mnot_found:\x1b[0m" in home.type("verify", "nothing")[1]

# Whoever types `serve` reads what it waits for.
code, shown = home.type("serve", answers=[("Ctrl-D ends this.", "\x04")])
assert code == 0 and "a client starts it and speaks JSON to it" in shown, shown
print("ok")
