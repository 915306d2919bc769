#!/usr/bin/env python3
"""busy.py PROGRAM: a restore over a database that programs have open says which ones, in the words of
the person who has to close them; the command that it prints then does what was asked."""

import json
import os
import pty
import re
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time

program = os.path.realpath(sys.argv[1])
room = tempfile.TemporaryDirectory()
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": room.name}
PATIENCE_S = 60
BUSY = 6
DATABASE = os.path.join(room.name, "app", "notes.db")
# A plugin's server: has the database open until it is told to go, by the end of its input.
SERVER = ("import sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
          "db.execute('SELECT count(*) FROM notes').fetchone(); open(sys.argv[2], 'w').close();"
          "sys.stdin.read()")


def made_database():
    os.mkdir(os.path.dirname(DATABASE))
    db = sqlite3.connect(DATABASE)
    db.executescript("PRAGMA journal_mode = WAL; CREATE TABLE notes(id INTEGER PRIMARY KEY, text);"
                     "INSERT INTO notes(text) VALUES ('one'), ('two');")
    db.close()


def run(*arguments):
    return subprocess.run([program, *arguments], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE_S)


def made_snapshot():
    destination = os.path.join(room.name, "backups")
    os.mkdir(destination)
    done = run("snapshot", "--source", DATABASE, "--destination", destination, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["snapshot"]


def appear(path):
    end = time.monotonic() + PATIENCE_S
    while not os.path.exists(path):
        assert time.monotonic() < end, f"{path} does not appear"
        time.sleep(0.02)


def claude(script, *arguments, **files):
    """A shell of that name, which stands for Claude Code."""
    shell = os.path.join(room.name, "claude")
    if not os.path.exists(shell):
        os.symlink("/bin/sh", shell)
    return subprocess.Popen([shell, "-c", script, *arguments], env=ENVIRONMENT, text=True, **files)


def restore_of(snapshot):
    return ("restore", "--snapshot", snapshot, "--target", DATABASE, "--in-place", "--confirm")


def in_a_terminal(snapshot):
    """Another Claude Code's server, typed in a terminal."""
    ours, theirs = pty.openpty()
    ready = os.path.join(room.name, "ready-1")
    session = claude('"$@"; true', "claude", sys.executable, "-c", SERVER, DATABASE, ready,
                     stdin=theirs, stdout=theirs, stderr=theirs)
    try:
        appear(ready)
        done = run(*restore_of(snapshot))
        assert done.returncode == BUSY, (done.returncode, done.stdout, done.stderr)
        terminal = os.ttyname(theirs).removeprefix("/dev/")
        told = re.search(r"Process \d+ is a server of Claude Code \(process (\d+)\), started as "
                         r"\"[^\"]*python[^\n]*, in the terminal (\S+)\.", done.stderr)
        assert told, done.stderr
        assert told.groups() == (str(session.pid), terminal), (told.groups(), session.pid, terminal)
        return pasted(done.stderr, ours, session)
    finally:
        session.kill()
        session.wait()
        os.close(ours)
        os.close(theirs)


def pasted(errors, terminal, session):
    """The printed command waits; once the server has gone it restores."""
    line = next(line for line in errors.splitlines() if "--wait" in line)
    words = shlex.split(line)
    assert words[0] == program, f"not the whole path: {line}"
    with subprocess.Popen(words, env=ENVIRONMENT, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as waiting:
        time.sleep(1)
        assert waiting.poll() is None, waiting.communicate()
        os.write(terminal, b"\x04")  # the end of the server's input
        session.wait(PATIENCE_S)
        output, errors = waiting.communicate(timeout=PATIENCE_S)
    assert waiting.returncode == 0, (output, errors)


def of_this_session(snapshot):
    """The restore is asked for below the very Claude Code whose server has the database open."""
    ready = os.path.join(room.name, "ready-2")
    script = ('p=$1 s=$2 db=$3 ready=$4; shift 4; mkfifo "$ready.in"; '
              '"$p" -c "$s" "$db" "$ready" < "$ready.in" & exec 9> "$ready.in"; '
              'while [ ! -e "$ready" ]; do sleep 0.05; done; '
              '"$@" 9>&-; code=$?; exec 9>&-; wait; exit $code')
    session = claude(script, "claude", sys.executable, SERVER, DATABASE, ready, program,
                     *restore_of(snapshot), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
    output, errors = session.communicate(timeout=PATIENCE_S)
    assert session.returncode == BUSY, (session.returncode, output, errors)
    assert "is a server of this Claude Code session, started as" in errors, errors
    assert "in the terminal" not in errors, errors


def main():
    made_database()
    snapshot = made_snapshot()
    in_a_terminal(snapshot)
    of_this_session(snapshot)
    db = sqlite3.connect(DATABASE)
    assert db.execute("SELECT count(*) FROM notes").fetchone() == (2,)


main()
