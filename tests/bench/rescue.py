#!/usr/bin/env python3
"""Measures how fast lost rows are found and come back, and what programs that write meanwhile wait.

    tests/bench/rescue.py PROGRAM [--rows 1000000] [--rounds 3] [--scratch FOLDER]

Three scenes: DELETE FROM notes (1,505 rows and what hangs on them); 1,000 rows lost among a million
with random text keys (460 MB); 30 snapshots of 10 MB to search. Times are of whole processes, the
median of the rounds, memory is what the process had at most above one that does nothing.
"""

import argparse
import glob
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

WRITER_PAUSE_S = 0.005
BUSY_TIMEOUT_S = 30
LOST = 1000

NOTES = """
CREATE TABLE notes(id TEXT PRIMARY KEY, type TEXT NOT NULL, content TEXT NOT NULL, context TEXT,
  keywords TEXT, tags TEXT, created_at TEXT NOT NULL);
CREATE VIRTUAL TABLE notes_fts USING fts5(content, context, keywords, content='notes',
  content_rowid='rowid', tokenize='porter unicode61');
CREATE TRIGGER notes_ai AFTER INSERT ON notes BEGIN
  INSERT INTO notes_fts(rowid, content, context, keywords)
  VALUES (new.rowid, new.content, new.context, new.keywords); END;
CREATE TRIGGER notes_ad AFTER DELETE ON notes BEGIN
  INSERT INTO notes_fts(notes_fts, rowid, content, context, keywords)
  VALUES ('delete', old.rowid, old.content, old.context, old.keywords); END;
CREATE TABLE links(id TEXT PRIMARY KEY, from_note_id TEXT NOT NULL REFERENCES notes ON DELETE CASCADE,
  to_note_id TEXT NOT NULL REFERENCES notes ON DELETE CASCADE, relationship TEXT NOT NULL);
CREATE INDEX idx_links_from ON links(from_note_id);
CREATE INDEX idx_links_to ON links(to_note_id);
CREATE UNIQUE INDEX idx_links_unique_edge ON links(from_note_id, to_note_id, relationship);
CREATE TABLE embeddings(note_id TEXT PRIMARY KEY REFERENCES notes ON DELETE CASCADE,
  vector BLOB NOT NULL);
CREATE TABLE ticks(id INTEGER PRIMARY KEY, at TEXT);
"""


class Writer(threading.Thread):
    """A program that commits all the time, in this process, which has the database open."""

    def __init__(self, path):
        super().__init__()
        self.path, self.ending, self.waits, self.problem = path, threading.Event(), [], None

    def run(self):
        db = connect(self.path)
        try:
            while not self.ending.wait(WRITER_PAUSE_S):
                begun = time.monotonic()
                db.execute("INSERT INTO ticks(at) VALUES('now')")
                self.waits.append(time.monotonic() - begun)
        except sqlite3.Error as error:
            self.problem = error
        db.close()

    def stop(self):
        self.ending.set()
        self.join()
        assert self.problem is None, f"the writer saw: {self.problem}"
        return max(self.waits)


def connect(path):
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = NORMAL")
    return db


class Bench:
    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        self.program = os.path.abspath(options.program)
        self.live = os.path.join(scratch, "live", "project.db")
        self.backups = os.path.join(scratch, "backups")
        self.environment = {"PATH": os.environ["PATH"], "HOME": scratch, "LC_ALL": "C"}
        self.idle = self.run("--version")[1]

    def fresh(self):
        for folder in (os.path.dirname(self.live), self.backups):
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
        db = connect(self.live)
        db.execute("PRAGMA journal_mode = WAL")
        return db

    def run(self, *words):
        """(seconds, most memory in bytes, what it printed)"""
        begun = time.monotonic()
        process = subprocess.Popen([self.program, *words], env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"{words[0]} ended with {process.returncode}"
        return took, usage.ru_maxrss * 1024, printed

    def call(self, verb, *words):
        took, memory, printed = self.run(verb, "--source", self.live, "--destination", self.backups,
                                         *words, "--json")
        return took, memory - self.idle, json.loads(printed)

    def snapshot(self, *words):
        return self.call("snapshot", *words)[2]["snapshot"]

    def measure(self, name, table, lost, lose):
        """Loses the rows, finds them, puts them back, undoes it, in each round."""
        found, back, undone, waits, memory = [], [], [], [], []
        for _ in range(self.options.rounds):
            lose()
            writer = Writer(self.live)
            writer.start()
            took, most, result = self.call("lost", "--tables", table)
            assert result["lost"] == lost, result["lost"]
            found.append(took)
            memory.append(most)
            searching = writer.stop()
            writer = Writer(self.live)
            writer.start()
            took, most, result = self.call("restore-rows", "--tables", table, "--confirm")
            assert result["rows"] >= lost and result["left_total"] == 0, result
            back.append(took)
            memory.append(most)
            waits.append(writer.stop())
            took, most, _ = self.run("restore-rows", "--undo", result["undo"], "--confirm", "--json")
            undone.append(took)
            memory.append(most - self.idle)
            # Or the next round would search these as well.
            for folder in glob.glob(os.path.join(self.backups, "*", "before-rows-*")):
                shutil.rmtree(folder)
        print(f"{name}: {result['rows']} rows; found in {statistics.median(found):.2f} s, put back in "
              f"{statistics.median(back):.2f} s, undone in {statistics.median(undone):.2f} s; "
              f"a writer waited at most {max(waits) * 1000:.0f} ms ({searching * 1000:.0f} ms beside "
              f"a search); {max(memory) / (1 << 20):.0f} MiB", flush=True)

    def notes(self):
        db = self.fresh()
        db.executescript(NOTES)
        db.execute("BEGIN")
        for i in range(1, 1506):
            db.execute("INSERT INTO notes VALUES(?, 'decision', ?, NULL, ?, 'a, b', '2026-11-01')",
                       (f"n{i}", f"Decided to use approach number {i} for the importer " * 4, f"word{i}"))
        db.execute("INSERT INTO links SELECT 'l' || rowid, id, 'n' || (rowid * 7 % 1505 + 1), 'related' "
                   "FROM notes WHERE rowid % 3 = 0")
        db.execute("INSERT INTO embeddings SELECT id, randomblob(1536) FROM notes")
        db.execute("COMMIT")
        self.snapshot()
        self.measure("DELETE FROM notes", "notes", 1505, lambda: db.execute("DELETE FROM notes"))
        db.close()

    def million(self):
        db = self.fresh()
        chance = random.Random(1)
        db.execute("CREATE TABLE items(id TEXT PRIMARY KEY, name TEXT, body TEXT)")
        db.execute("CREATE TABLE ticks(id INTEGER PRIMARY KEY, at TEXT)")
        db.execute("BEGIN")
        db.executemany("INSERT INTO items VALUES(?, ?, ?)",
                       ((f"{chance.getrandbits(128):032x}", f"item {i}", f"text of item {i} " * 18)
                        for i in range(self.options.rows)))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        print(f"{self.options.rows} rows: {os.path.getsize(self.live) / 1e6:.0f} MB", flush=True)
        self.snapshot()
        self.measure(f"{LOST} of {self.options.rows} rows", "items", LOST,
                     lambda: db.execute("DELETE FROM items WHERE rowid % ? = 7",
                                        (self.options.rows // LOST,)))
        db.close()

    def series(self):
        db = self.fresh()
        db.executescript(NOTES)
        db.execute("BEGIN")
        for i in range(1500):
            db.execute("INSERT INTO notes VALUES(?, 'decision', ?, NULL, ?, 'a, b', '2026-11-01')",
                       (f"n{i}", f"Decided to use approach number {i} for the importer " * 16, f"word{i}"))
            db.execute("INSERT INTO embeddings VALUES(?, randomblob(5000))", (f"n{i}",))
        db.execute("COMMIT")
        for day in range(1, 31):
            db.execute("DELETE FROM notes WHERE id IN (?, ?)", (f"n{2 * day}", f"n{2 * day + 1}"))
            taken = self.snapshot("--date", f"2026-10-{day:02}")
        size = os.path.getsize(taken) / 1e6
        times = [self.call("lost") for _ in range(self.options.rounds)]
        assert times[0][2]["searched"] == 30, times[0][2]["searched"]
        print(f"30 snapshots of {size:.0f} MB: {times[0][2]['lost']} lost rows found in "
              f"{statistics.median(t[0] for t in times):.2f} s; "
              f"{max(t[1] for t in times) / (1 << 20):.0f} MiB", flush=True)
        db.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", default="notes,million,series")
    parser.add_argument("--scratch", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        bench = Bench(options, scratch)
        for part in options.parts.split(","):
            getattr(bench, part)()
    return 0


if __name__ == "__main__":
    sys.exit(main())
