#!/usr/bin/env python3
"""Kills restore-rows, and its undo, at random moments (SIGKILL), and looks at what is left.

Usage: kill_rows.py PROGRAM [COUNT [SEED]]

Each round is a database of a random schema, its snapshot, random deletes, updates and inserts since,
in half of them a program that goes on writing. After the kill nothing of the rows is back, or all
that can be; SQLite finds the database whole, no foreign key is broken. What was not put back is put
back by the next call; the undo, killed as well in half of the rounds, leads to the very rows that
there were before. The moments: anywhere in the run; and, for most of them, a little after the
snapshot of the present state is there, when the rows are written, or the undo, just before the commit.
"""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROWS = 60
KINDS = ("INTEGER", "TEXT", "BLOB", "REAL", "TEXT COLLATE NOCASE", "two", "none")
NO_PARENTS = ("two", "none")
POLL_S = 0.0005
MAX_WAIT_S = 30


class World:
    """Tables t0, t1, …: a key of some kind, a parent among the earlier ones or itself."""

    def __init__(self, chance):
        self.chance = chance
        self.kinds = [chance.choice(KINDS) for _ in range(chance.randint(1, 5))]
        self.parents = [chance.choice([p for p in range(i + 1) if self.kinds[p] not in NO_PARENTS] or [None])
                        for i in range(len(self.kinds))]
        self.indexed = [chance.random() < 0.4 for _ in self.kinds]
        self.tables = [f"t{i}" for i in range(len(self.kinds))]

    def schema(self):
        chance, sql = self.chance, ["CREATE TABLE ticks(id INTEGER PRIMARY KEY, at)",
                                    "CREATE TABLE counted(t TEXT PRIMARY KEY, n INT)"]
        for i, kind in enumerate(self.kinds):
            parent = self.parents[i]
            # Without a key, what was changed counts as gone.
            gone = "CASCADE" if kind == "none" else chance.choice(["CASCADE", "CASCADE", "SET NULL"])
            up = "up" if parent is None else f"up REFERENCES t{parent} ON DELETE {gone}"
            key = {"two": "k TEXT NOT NULL, n INTEGER NOT NULL", "none": "k TEXT NOT NULL"}.get(
                kind, f"k {kind} NOT NULL PRIMARY KEY")
            plain = kind in ("INTEGER", "two", "none") or self.indexed[i] or chance.random() < 0.7
            computed = chance.choice(["", "", ", w AS (u || k)", ", w AS (u || k) STORED"])
            sql.append(f"CREATE TABLE t{i}({key}, {up}, u, v TEXT{computed}"
                       + (", PRIMARY KEY(n, k)" if kind == "two" else "") + ")"
                       + ("" if plain else " WITHOUT ROWID"))
            if chance.random() < 0.5:
                sql.append(f"CREATE UNIQUE INDEX u{i} ON t{i}(u)")
            if chance.random() < 0.3:
                sql.append(f"INSERT INTO counted VALUES('t{i}', 0)")
                sql.append(f"CREATE TRIGGER g{i} AFTER INSERT ON t{i} BEGIN "
                           f"UPDATE counted SET n = n + 1 WHERE t = 't{i}'; END")
            if self.indexed[i]:
                sql += self.index(i)
        return sql

    @staticmethod
    def index(i):
        out = f"INSERT INTO f{i}(f{i}, rowid, v) VALUES('delete', old.rowid, old.v);"
        into = f"INSERT INTO f{i}(rowid, v) VALUES(new.rowid, new.v);"
        return [f"CREATE VIRTUAL TABLE f{i} USING fts5(v, content='t{i}')",
                f"CREATE TRIGGER a{i} AFTER INSERT ON t{i} BEGIN {into} END",
                f"CREATE TRIGGER d{i} AFTER DELETE ON t{i} BEGIN {out} END",
                f"CREATE TRIGGER c{i} AFTER UPDATE ON t{i} BEGIN {out} {into} END"]

    def fill(self, db, begin, end):
        chance = self.chance
        for i, kind in enumerate(self.kinds):
            parents = [] if self.parents[i] is None else [
                row[0] for row in db.execute(f"SELECT k FROM t{self.parents[i]}")]
            for number in range(begin, end):
                up = chance.choice(parents) if parents and chance.random() < 0.8 else None
                size = chance.choice((1, 5, 40, 3000))
                key = {"INTEGER": [number], "TEXT": [f"k{number}"], "REAL": [number + 0.5],
                       "BLOB": [b"\0" + bytes([number])], "two": [f"k{number % 7}", number]}.get(
                           kind, [f"Key{number}"])
                names = ["k", "n"][:len(key)] + ["up", "u", "v"]
                done = db.execute(
                    f"INSERT OR IGNORE INTO t{i}({', '.join(names)}) "
                    f"VALUES({', '.join('?' * len(names))})",
                    (*key, up, chance.randint(0, 4 * ROWS), f"v{number} word{number} " * size))
                if self.parents[i] == i and done.rowcount > 0:
                    parents.append(key[0])

    def lose(self, db):
        chance = self.chance
        for i in range(len(self.kinds)):
            keys = [row[0] for row in db.execute(f"SELECT k FROM t{i}")]
            if keys and chance.random() < 0.8:
                for key in chance.sample(keys, chance.randint(1, len(keys))):
                    db.execute(f"DELETE FROM t{i} WHERE k = ?", (key,))
            # Without a key, what was changed counts as gone.
            for key in chance.sample(keys, 0 if self.kinds[i] == "none" else len(keys) // 5):
                db.execute(f"UPDATE t{i} SET v = 'since' WHERE k = ?", (key,))


class Application(threading.Thread):
    """Commits to a table of its own all the time, in a process that holds the database open."""

    def __init__(self, path):
        super().__init__()
        self.path, self.ending, self.problem, self.longest = path, threading.Event(), None, 0.0

    def run(self):
        db = sqlite3.connect(self.path, isolation_level=None, timeout=MAX_WAIT_S)
        try:
            while not self.ending.wait(0.002):
                begun = time.monotonic()
                db.execute("INSERT INTO ticks(at) VALUES(1)")
                self.longest = max(self.longest, time.monotonic() - begun)
        except sqlite3.Error as error:
            self.problem = error
        db.close()

    def stop(self):
        self.ending.set()
        self.join()
        assert self.problem is None, f"the application saw: {self.problem}"


class Round:
    def __init__(self, program, base, chance, whole):
        shutil.rmtree(base, ignore_errors=True)
        self.program, self.base, self.chance, self.whole = program, base, chance, whole
        self.live, self.backups = base / "live/x.db", base / "backups"
        for folder in (self.live.parent, self.backups, base / "home"):
            folder.mkdir(parents=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(base / "home"), "LC_ALL": "C"}
        self.undos = base / "home/.local/state/backup-plugin-db/undo-rows"
        self.world = World(chance)
        db = self.open()
        db.execute(f"PRAGMA journal_mode = {chance.choice(['wal', 'wal', 'delete', 'persist'])}")
        for statement in self.world.schema():
            db.execute(statement)
        self.in_one(db, lambda: self.world.fill(db, 0, ROWS))
        db.close()
        done = self.call("snapshot", "--source", self.live, "--destination", self.backups)
        self.snapshot = done["snapshot"]
        db = self.open()
        self.in_one(db, lambda: (self.world.lose(db), self.world.fill(db, ROWS, ROWS + 15)))
        db.close()
        self.before = self.content()
        self.lost = self.missing()
        self.preview = self.call(*self.words(), "--dry-run")
        assert self.preview["rows"] + self.preview["left_total"] == self.lost, "the preview's sum"
        assert self.content() == self.before, "a preview wrote"

    def open(self):
        db = sqlite3.connect(self.live, isolation_level=None, timeout=MAX_WAIT_S)
        db.execute("PRAGMA foreign_keys = ON")
        return db

    @staticmethod
    def in_one(db, work):
        db.execute("BEGIN")
        work()
        db.execute("COMMIT")

    def words(self):
        return ["restore-rows", "--source", self.live, "--destination", self.backups,
                "--snapshot", self.snapshot,
                *[word for table in self.world.tables for word in ("--tables", table)]]

    def call(self, *words):
        done = subprocess.run([self.program, *map(str, words), "--json"], env=self.env, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
        assert done.returncode == 0, f"{words[0]}: {done.stderr}"
        return json.loads(done.stdout)

    def content(self):
        """Every row of every table, but what the application writes beside."""
        db = self.open()
        try:
            return [(name, sorted(db.execute(f"SELECT * FROM {name}"), key=repr))
                    for name in [*self.world.tables, "counted"]]
        finally:
            db.close()

    def missing(self):
        db = self.open()
        try:
            db.execute("ATTACH ? AS s", (self.snapshot,))
            total = 0
            for name, kind in zip(self.world.tables, self.world.kinds):
                same = "a.k = b.k" + (" AND a.n = b.n" if kind == "two" else "")
                total += db.execute(f"SELECT count(*) FROM s.{name} AS a WHERE NOT EXISTS "
                                    f"(SELECT 1 FROM main.{name} AS b WHERE {same})").fetchone()[0]
            return total
        finally:
            db.close()

    def check_whole(self):
        db = self.open()
        try:
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "integrity"
            broken = db.execute("PRAGMA foreign_key_check").fetchall()
            assert not broken, f"foreign keys: {broken[:3]}"
            for i, indexed in enumerate(self.world.indexed):
                if indexed:
                    db.execute(f"INSERT INTO f{i}(f{i}, rank) VALUES('integrity-check', 1)")
        finally:
            db.close()
        beside = {path.name for path in self.live.parent.iterdir()}
        assert beside <= {"x.db", "x.db-wal", "x.db-shm", "x.db-journal"}, f"beside it: {beside}"

    def kill(self, words, written):
        """Kills a call; True where it had ended well by then. `written`: whether it is at work."""
        process = subprocess.Popen([self.program, *map(str, words)], env=self.env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        if self.chance.random() < 0.3:
            time.sleep(self.chance.uniform(0, 1.05) * self.whole)
        else:
            until = time.monotonic() + MAX_WAIT_S
            while not written() and process.poll() is None and time.monotonic() < until:
                time.sleep(POLL_S)
            time.sleep(self.chance.uniform(0, self.chance.choice((0.001, 0.004, 0.012))))
        process.kill()
        code = process.wait()
        assert code in (0, -9), f"{words[0]} ended by itself with {code}"
        return code == 0

    def state(self):
        """"nothing" or "all": there is no third."""
        self.check_whole()
        missing = self.missing()
        if missing == self.lost and self.content() == self.before:
            return "nothing"
        assert missing == self.preview["left_total"], (
            f"{missing} missing, of {self.lost} lost {self.preview['left_total']} cannot come back")
        now = dict(self.content())
        for name, rows in self.before:
            gone = set(map(repr, rows)) - set(map(repr, now[name]))
            assert name == "counted" or not gone, f"rows of {name} were taken: {list(gone)[:2]}"
        return "all"

    def is_present_kept(self):
        return any(self.backups.rglob("before-rows-*/*.manifest.json"))

    def is_undo_kept(self):
        return self.undos.is_dir() and any(self.undos.glob("*.undo"))

    def undo(self):
        """The only undo whose rows are there; those of killed calls may lie beside it."""
        return max(self.undos.iterdir(), key=lambda path: path.stat().st_mtime_ns).name

    def run(self):
        if self.preview["rows"] == 0:
            return "nothing to do"
        at_work = self.chance.choice((self.is_present_kept, self.is_undo_kept))
        ended = self.kill([*self.words(), "--confirm"], at_work)
        state = self.state()
        assert not ended or state == "all", "exit code 0, and the rows are not back"
        name = None
        if state == "nothing":
            name = self.call(*self.words(), "--confirm")["undo"]
            assert self.state() == "all"
        name = name or self.undo()
        whole, undo = self.content(), ["restore-rows", "--undo", name, "--confirm"]
        if self.chance.random() < 0.5:
            self.kill(undo, lambda: True)
            self.check_whole()
            assert self.content() in (self.before, whole), "half an undo"
        if self.content() != self.before:
            undone = self.call(*undo)
            assert undone["left_total"] == 0, undone
        self.check_whole()
        assert self.content() == self.before, "the undo is not exact"
        return ("too late" if ended else state)


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    kills, whole, longest, rows, left = {}, 0.1, 0.0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            chance = random.Random(f"{seed} {number}")
            application = None
            try:
                one = Round(program, pathlib.Path(folder) / "round", chance, whole)
                rows += one.preview["rows"]
                left += one.preview["left_total"]
                if chance.random() < 0.5:
                    application = Application(one.live)
                    application.start()
                ended = one.run()
                kills[ended] = kills.get(ended, 0) + 1
                if application:
                    application.stop()
                    longest = max(longest, application.longest)
            except (AssertionError, sqlite3.Error, subprocess.TimeoutExpired) as problem:
                print(f"BAD round {number} of seed {seed}: {problem}")
                if application:
                    application.ending.set()
                    application.join()
                return 1
    print(f"{count} rounds, {rows} rows put back, {left} rightly left; after the kill: {kills}; "
          f"the application waited at most {longest * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
