"""What the scheduler tests share: the program under test, a database, waiting with a bound."""
import json
import os
import pathlib
import sqlite3
import subprocess
import time

# Every string of the escaping rules that a real scheduler has to hand on unchanged.
HARD = ["two words", 'dq"x', "sq'x", "100%", "%h %n", "$HOME ${HOME} $$", "back\\slash\\", "", ";",
        "#hash", "é", "-x", "@a", "a\\b", "a\\\\b", "a\\%b", "$HOME `id` ", "#h", ";&|", "tail\\",
        "%d%%", "~x *", "!bang", "<a & b>", "日本語", "(p) [q] {r}", "tab\there"]


def wait_until(what, ready, seconds=30):
    """Polls until ready() is true, and returns what it returned; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = ready()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def make_database(path, rows=50, mode="WAL"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA journal_mode={mode}")
        db.execute("CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)")
        db.executemany("INSERT INTO notes VALUES (?, ?)",
                       [(f"n{i}", "text " * 20) for i in range(rows)])


def check_snapshot(path, rows=50):
    db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1".replace("%", "%25").replace("#", "%23"),
                         uri=True)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT count(*) FROM notes").fetchone() == (rows,)


class Program:
    """The command line of backup-plugin-db; calls tools and reads their structured results."""

    def __init__(self, path, env=None):
        self.path = str(path)
        self.env = env

    def run(self, *words):
        return subprocess.run([self.path, *words], env=self.env, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120)

    def call(self, tool, **arguments):
        done = self.run("call", tool, json.dumps(arguments))
        assert done.returncode == 0, f"{tool}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def refused(self, tool, **arguments):
        done = self.run("call", tool, json.dumps(arguments))
        assert done.returncode != 0, f"{tool} should have failed:\n{done.stdout}"
        return done.stdout + done.stderr

    def schedule(self, name):
        found = [s for s in self.call("list_schedules")["schedules"] if s["name"] == name]
        assert len(found) == 1, found
        return found[0]


def covers_a_folder(program, code, destination, scheduler):
    """One call for a folder with twenty projects, one of them damaged: a project made later is in the
    next run, and one that is locked then keeps no other out; one status tells of all."""
    def database(number):
        return code / f"project {number:02}/.orchestrator/project.db"

    for number in range(20):
        if number != 3:
            make_database(database(number), mode="DELETE" if number == 4 else "WAL")
    damaged = database(3)  # never opened by us: a connection that closes late would mend it
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"x" * 8192)
    installed = program.call("install_schedule", folder=str(code), destination=str(destination),
                             name="code", keep_daily=7, scheduler=scheduler)
    done = {entry["source"]: entry for entry in installed["run"]["databases"]}
    assert len(done) == 20, installed
    assert [path for path in done if "error" in done[path]] == [str(database(3))], installed

    make_database(database(20))
    holder = sqlite3.connect(database(4), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")  # in this mode nobody else can even read
    done = program.run("call", "run_schedule", json.dumps({"name": "code"}))
    assert done.returncode == 9, done.stdout + done.stderr  # two databases were not backed up
    again = json.loads(done.stdout)["databases"]
    holder.close()
    failed = {entry["source"] for entry in again if "error" in entry}
    assert failed == {str(database(3)), str(database(4))}, [e for e in again if "error" in e]
    assert len(again) == 21, [entry["source"] for entry in again]
    for entry in again:
        if "error" not in entry:
            check_snapshot(entry["snapshot"])
    report = json.loads(program.run("call", "backup_status", "{}").stdout)  # it ends as failing
    status = {entry["source"]: entry for entry in report["databases"]}
    states = {number: status[str(database(number))] for number in range(21)}
    assert all(state["covered"] for state in states.values()), status
    failing = {number for number, state in states.items() if state["status"] == "failing"}
    assert failing == {3, 4}, status
    program.call("remove_schedule", name="code", confirm=True)


def runs_of(state_home, name):
    """The schedule's runs in history.db, oldest first, as (started_ms, ok)."""
    path = pathlib.Path(state_home) / "backup-plugin-db/history.db"
    if not path.exists():
        return []
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    return db.execute("SELECT started_ms, ok FROM runs WHERE schedule = ? AND kind = 'snapshot' "
                      "ORDER BY id", (name,)).fetchall()


def tree(folder, *without):
    """Every path below the folder, apart from those under one of `without`."""
    return sorted(str(p) for p in pathlib.Path(folder).rglob("*")
                  if not any(str(p).startswith(str(w)) for w in without))


def environment(**changes):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("XDG_", "DBUS_", "CLAUDE_", "BPD_"))}
    env.update({k: str(v) for k, v in changes.items()})
    return env
