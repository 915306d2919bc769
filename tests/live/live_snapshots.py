#!/usr/bin/env python3
"""Snapshots a database again and again while another process commits to it, and checks each copy.

Usage: live_snapshots.py PROGRAM COUNT [DATABASE | DATABASE.gz]

Works on a copy of DATABASE, or on a generated one of the orchestrator's kind: notes with an
external-content full-text index. The writer commits about every 10 ms; every transaction moves an
amount between two tables, adds a note and counts it, so that any consistent state satisfies
  sum(debit) + sum(credit) = 0   and   full-text hits = the counted number.
Each snapshot must hold both, pass the shell's integrity_check, and lie between the writer's
counter before and after. Exits 1 at the first snapshot that does not.
"""
import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

WORD = "quokkatest"

SCHEMA = """
CREATE TABLE notes(id TEXT PRIMARY KEY, type TEXT NOT NULL, content TEXT NOT NULL, context TEXT,
  keywords TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE VIRTUAL TABLE notes_fts USING fts5(content, context, keywords, content='notes',
  content_rowid='rowid', tokenize='porter unicode61');
CREATE TRIGGER notes_ai AFTER INSERT ON notes BEGIN
  INSERT INTO notes_fts(rowid, content, context, keywords)
  VALUES (new.rowid, new.content, new.context, new.keywords);
END;
CREATE INDEX idx_notes_type ON notes(type);
"""

WRITER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
word, n = sys.argv[2], 0
while True:
    n += 1
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO live_debit(amount) VALUES (?)", (n,))
    db.execute("INSERT INTO live_credit(amount) VALUES (?)", (-n,))
    db.execute("INSERT INTO notes(id, type, content, created_at, updated_at) VALUES "
               "(?, 'finding', ?, datetime(), datetime())", (f"live-{n}", f"{word} number {n} " * 8))
    db.execute("UPDATE live_count SET hits = hits + 1")
    db.execute("COMMIT")
    time.sleep(0.01)
"""


def prepare(path, given):
    if given is None:
        db = sqlite3.connect(path)
        db.executescript(SCHEMA)
        with db:
            db.executemany(
                "INSERT INTO notes VALUES (?, 'finding', ?, NULL, NULL, datetime(), datetime())",
                ((f"old-{i}", f"remembered thing {i} " * 20) for i in range(500)))
    else:
        opener = gzip.open if given.endswith(".gz") else open
        with opener(given, "rb") as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target)
        db = sqlite3.connect(path)
    assert db.execute("PRAGMA journal_mode=wal").fetchone()[0] == "wal"
    db.executescript("""
      CREATE TABLE live_debit(id INTEGER PRIMARY KEY, amount INTEGER);
      CREATE TABLE live_credit(id INTEGER PRIMARY KEY, amount INTEGER);
      CREATE TABLE live_count(hits INTEGER NOT NULL);
      INSERT INTO live_count VALUES (0);
    """)
    db.close()


def counted(path):
    db = sqlite3.connect(path, timeout=30)
    value = db.execute("SELECT hits FROM live_count").fetchone()[0]
    db.close()
    return value


def check(snapshot, before, after):
    """What is wrong with the snapshot, or nothing."""
    shell = subprocess.run(["sqlite3", "-readonly", snapshot, "PRAGMA integrity_check"],
                           capture_output=True, text=True)
    if shell.stdout.strip() != "ok":
        return f"integrity_check: {shell.stdout.strip() or shell.stderr.strip()}"
    db = sqlite3.connect(f"file:{snapshot}?mode=ro", uri=True)
    try:
        hits = db.execute("SELECT hits FROM live_count").fetchone()[0]
        balance = db.execute("SELECT (SELECT coalesce(sum(amount), 0) FROM live_debit) + "
                             "(SELECT coalesce(sum(amount), 0) FROM live_credit)").fetchone()[0]
        found = db.execute("SELECT count(*) FROM notes_fts WHERE notes_fts MATCH ?",
                           (WORD,)).fetchone()[0]
    finally:
        db.close()
    if balance != 0:
        return f"the two tables differ by {balance}"
    if found != hits:
        return f"full-text search finds {found} notes, {hits} were committed"
    if not before <= hits <= after:
        return f"holds {hits} transactions; the writer had {before} before and {after} after"
    beside = [n for n in os.listdir(os.path.dirname(snapshot)) if n.endswith(("-wal", "-shm"))]
    return f"side files: {beside}" if beside else None


def run(program, count, given, folder):
    source = os.path.join(folder, "project", "live.db")
    destination = os.path.join(folder, "backups")
    os.makedirs(os.path.dirname(source))
    os.makedirs(destination)
    prepare(source, given)
    environment = {**os.environ, "XDG_STATE_HOME": os.path.join(folder, "state")}
    writer = subprocess.Popen([sys.executable, "-c", WRITER, source, WORD])
    times = []
    try:
        while counted(source) == 0:
            time.sleep(0.01)
        for number in range(1, count + 1):
            before = counted(source)
            started = time.monotonic()
            done = subprocess.run([program, "snapshot", "--source", source, "--destination",
                                   destination, "--json"], capture_output=True, text=True,
                                  env=environment)
            times.append(time.monotonic() - started)
            after = counted(source)
            if done.returncode != 0:
                return f"snapshot {number} failed: {done.stderr.strip()}"
            result = json.loads(done.stdout)
            problem = check(result["snapshot"], before, after)
            if problem or result["verdict"] != "verified":
                return f"snapshot {number}: {problem or result['verdict']}"
            if writer.poll() is not None:
                return "the writer died"
    finally:
        writer.kill()
        writer.wait()
    times.sort()
    print(f"{count} of {count} snapshots consistent, verified and within the writer's counter "
          f"(1 to {counted(source)}); median {times[len(times) // 2] * 1000:.0f} ms each")
    return None


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="backup-plugin-db-live.") as scratch:
        trouble = run(os.path.abspath(sys.argv[1]), int(sys.argv[2]),
                      sys.argv[3] if len(sys.argv) == 4 else None, scratch)
    if trouble:
        sys.exit(trouble)
