#!/usr/bin/env python3
"""Follows the skill to the letter: every call and every command, in the order in which it is printed.

Usage: follow_skill.py PROGRAM HOME; HOME is an empty folder. Runs inside a cron sandbox
(tests/interop/walkthrough/run.sh). The world is the one that the skill's examples speak of: a global
database, a project called my-app, and snapshots that a machine called laptop took the day before.
"""
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SKILL = ROOT / "skill" / "backup-plugin-db"
# In the order of the first page's links, but for the page that ends with removing everything.
LINKED = list(dict.fromkeys(
    re.findall(r"\]\((references/[^)]+)\)", (SKILL / "SKILL.md").read_text())))
PAGES = ["SKILL.md"] + sorted(LINKED, key=lambda page: page == "references/schedules.md")
# Nobody is there to be pinged; the port is one where nothing listens.
NOBODY = (r"https://hc-ping\.com", "http://127.0.0.1:9")


def printed_lines(page):
    fence = None
    for line in (SKILL / page).read_text().splitlines():
        line = line.strip()
        if line.startswith("```"):
            fence = None if fence is not None else line[3:]
        elif fence in ("tool", "sh"):
            yield fence, line


def make_database(path, notes):
    path.parent.mkdir(parents=True)
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=wal")
    db.execute("CREATE TABLE notes(id TEXT PRIMARY KEY, content TEXT NOT NULL)")
    with db:
        db.executemany("INSERT INTO notes VALUES (?, ?)",
                       ((f"n{i}", f"note number {i}") for i in range(notes)))
    db.close()


def make_remote(home):
    """rclone's "backup", which has a copy of a snapshot that the skill names."""
    settings = home / ".config" / "rclone" / "rclone.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[backup]\ntype = alias\nremote = {home}/elsewhere\n")
    shutil.copytree(home / "Backups" / "laptop", home / "elsewhere" / "claude" / "laptop")


def run(words, environment):
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def main(program, home):
    home = pathlib.Path(home)
    folder = home / ".local" / "bin"
    folder.mkdir(parents=True)
    (folder / "backup-plugin-db").symlink_to(program)
    environment = {"HOME": str(home), "TZ": "UTC", "USER": "root",
                   "PATH": f"{folder}:{os.environ['PATH']}"}
    databases = {"": home / ".claude" / "orchestrator" / "global.db",
                 "my-app": home / "code" / "my-app" / ".orchestrator" / "project.db"}
    (home / "Backups").mkdir()
    (home / "code" / "scratch").mkdir(parents=True)
    for label, database in databases.items():
        make_database(database, 50)
        code, text = run([program, "snapshot", "--source", str(database), "--destination",
                          str(home / "Backups"), "--hostname", "laptop", "--date", "2026-11-22"] +
                         (["--label", label] if label else []), environment)
        assert code == 0, text
    make_remote(home)
    count = 0
    assert len(PAGES) == 1 + len(list((SKILL / "references").iterdir())), PAGES
    for page in PAGES:
        for fence, line in printed_lines(page):
            if fence == "tool":
                tool, arguments = line.split(" ", 1)
                words = ["backup-plugin-db", "call", tool, re.sub(*NOBODY, arguments)]
            else:
                words = ["sh", "-c", line]
            code, text = run(words, environment)
            print(f"{page}: {line}")
            if code != 0:
                sys.exit(f"FAILED with {code}:\n{text}")
            count += 1
    for database in databases.values():
        db = sqlite3.connect(database)
        assert db.execute("SELECT count(*) FROM notes").fetchone()[0] == 50, database
        db.close()
    print(f"{count} lines of the skill work as printed.")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]), sys.argv[2])
