#!/usr/bin/env python3
"""readme.py PROGRAM README: a newcomer's first hour, line by line as the README prints it; and every
other command there is one that the program reads."""

import os
import re
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from typed import PATIENCE_S, Home  # noqa: E402

sys.path.append(os.path.join(sys.path[0], os.pardir, "faults"))
from scene import FAKE_CRONTAB  # noqa: E402

STATUS_ATTENTION = 3

program, readme = os.path.realpath(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()
home = Home(program)
os.rmdir(f"{home.path}/Backups")  # the README makes it
bin_folder = f"{home.path}/.local/bin"
os.makedirs(bin_folder)
os.symlink(program, f"{bin_folder}/backup-plugin-db")
with open(f"{home.path}/crontab", "w", encoding="utf-8") as script:
    script.write(FAKE_CRONTAB)
os.chmod(f"{home.path}/crontab", 0o755)
home.environment |= {"PATH": f"{bin_folder}:{home.environment['PATH']}", "BPD_SYSTEMCTL": "false",
                     "BPD_CRONTAB": f"{home.path}/crontab", "FAKE_TAB": f"{home.path}/.table",
                     "BPD_SYSTEM": "linux"}

# One shell's life. Where no scheduler runs, as in most test machines, cron has to be asked for.
hour = readme[readme.index("## Your first hour"):readme.index("## Use it by hand")]
lines = [line for block in re.findall(r"```sh\n(.*?)```", hour, re.DOTALL)
         for line in block.splitlines()]
assert len(lines) > 10, lines
folder = home.path
for line in lines:
    command = line.replace("install-schedule", "install-schedule --scheduler cron")
    done = subprocess.run(["bash", "-c", f"{command}\nr=$?; pwd >$HOME/.at; exit $r"], text=True,
                          env=home.environment, cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE_S)
    allowed = (0, STATUS_ATTENTION) if line.endswith(" status") else (0,)
    assert done.returncode in allowed, f"{line}: {done.returncode}\n{done.stdout}{done.stderr}"
    folder = open(f"{home.path}/.at", encoding="utf-8").read().strip()
code, status, _ = home.run("status")
assert code == 0 and status.startswith("Backups: ok. 2 databases"), status
assert os.path.exists(f"{home.path}/as-it-was.db")

# All others are commands and flags that there are.
commands = {line.removeprefix("$ ") for block in re.findall(r"```\w*\n(.*?)```", readme, re.DOTALL)
            for line in block.splitlines() if re.match(r"(\$ )?backup-plugin-db ", line)}
for command in commands:
    words = shlex.split(command, comments=True)[1:]
    code, output, errors = home.run(*words, "--help")
    assert code == 0 and output.startswith("Usage: "), f"{command}: {errors}"
print(f"ok: {len(lines)} lines of the first hour, {len(commands)} commands in all")
