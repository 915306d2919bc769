"""A source, snapshots of two days and a live database to restore over; and what must hold of them
whatever went wrong meanwhile."""
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess

DAYS = ("2026-01-01", "2026-01-02")
NEW_DAY = "2026-01-03"
SOURCE_ROWS, OLD_ROWS, LIVE_ROWS = 400, 350, 77
FAKE_CRONTAB = """#!/bin/sh
case "$1" in
  -l) [ -f "$FAKE_TAB" ] && exec cat "$FAKE_TAB"; echo "no crontab for somebody" >&2; exit 1 ;;
  -r) exec rm -f "$FAKE_TAB" ;;
  -) cat > "$FAKE_TAB.new" && exec mv "$FAKE_TAB.new" "$FAKE_TAB" ;;
esac
"""

OTHER_ENTRIES = "# of somebody else\n0 1 * * * true 100\\%\n"


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def fill(path, rows, mark):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, mark TEXT, body TEXT)")
    db.execute("CREATE INDEX by_mark ON notes(mark, id)")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("BEGIN")
    db.executemany("INSERT INTO notes(mark, body) VALUES(?, ?)",
                   [(mark, f"{mark} {i} " * 30) for i in range(rows)])
    db.execute("COMMIT")
    return db


def content(path):
    """(mark, rows) of a database that passes SQLite's own check; an AssertionError if not."""
    db = sqlite3.connect(path)
    try:
        found = db.execute("PRAGMA integrity_check").fetchone()[0]
        assert found == "ok", f"{path}: {found}"
        return db.execute("SELECT min(mark), count(*) FROM notes").fetchone()
    finally:
        db.close()


def content_of_copy(path, folder):
    """The same without touching the file or what lies beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for suffix in ("", "-wal", "-journal"):
        if os.path.exists(str(path) + suffix):
            shutil.copy(str(path) + suffix, os.path.join(folder, "copy.db" + suffix))
    return content(os.path.join(folder, "copy.db"))


class Scene:
    """Made once below `base`; take() gives each round a fresh copy at the same paths."""

    def __init__(self, program, base):
        self.base, self.work = pathlib.Path(base), pathlib.Path(base) / "work"
        self.program = str(program)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.work / "home"), "LC_ALL": "C",
                    "BPD_CRONTAB": str(self.base / "crontab"),
                    "FAKE_TAB": str(self.work / "crontab.txt"), "BPD_SYSTEMCTL": "/bin/false"}
        (self.base / "crontab").write_text(FAKE_CRONTAB)
        (self.base / "crontab").chmod(0o755)
        self.source, self.live = self.work / "source/x.db", self.work / "live/y.db"
        self.destination = self.work / "destination"
        for folder in (self.source, self.live, self.destination / "x", self.work / "home/x"):
            folder.parent.mkdir(parents=True)
        for day in DAYS:
            old = fill(self.source, OLD_ROWS, "old")
            self.take_snapshot(day)
            old.close()
            self.source.unlink()
        self._keep_open = [fill(self.source, SOURCE_ROWS, "source"), fill(self.live, LIVE_ROWS, "live")]
        (self.work / "crontab.txt").write_text(OTHER_ENTRIES)
        # As after a crash: all rows in the -wal, and nobody has it open.
        self.pristine = self.base / "pristine"
        shutil.copytree(self.work, self.pristine)
        for db in self._keep_open:
            db.close()
        for shm in self.pristine.glob("*/*-shm"):
            shm.unlink()
        self.before = {}

    def take_snapshot(self, day):
        done = self.run(["snapshot", "--source", str(self.source), "--destination",
                         str(self.destination), "--hostname", "h", "--date", day])
        assert done.returncode == 0, done.stderr

    def snapshot(self, day):
        return self.destination / "h" / f"x-{day}.db"

    def take(self):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.pristine, self.work)
        self.before = {path: sha256(path) for path in self.guarded()}

    def guarded(self):
        files = [self.source, pathlib.Path(f"{self.source}-wal")]
        for day in DAYS:
            files += [self.snapshot(day), pathlib.Path(f"{self.snapshot(day)}.manifest.json")]
        return files

    def run(self, words, wrap=(), timeout=120):
        return subprocess.run([*wrap, self.program, *words], env=self.env, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout,
                              cwd=self.base)

    def check_guarded(self, gone=()):
        for path, digest in self.before.items():
            if path in gone and not path.exists():
                continue
            assert path.exists(), f"{path} is gone"
            assert sha256(path) == digest, f"{path} changed"
        assert not os.path.exists(f"{self.source}-journal"), "a journal beside the source"

    def check_snapshot(self, day, mark, rows):
        path = self.snapshot(day)
        assert content_of_copy(path, self.base / "look") == (mark, rows), f"{path}: other content"
        manifest = json.loads(pathlib.Path(f"{path}.manifest.json").read_text())
        digest = sha256(path)
        replaced = (manifest.get("replaces") or {}).get("sha256")
        assert digest in (manifest["sha256"], replaced), f"{path}: not what its manifest says"

    def listed(self):
        done = self.run(["list", "--destination", str(self.destination), "--json"])
        assert done.returncode == 0, done.stderr
        return {entry["snapshot"] if "snapshot" in entry else entry["path"]: entry
                for entry in json.loads(done.stdout)["snapshots"]}

    def check_listed(self, days):
        listed = self.listed()
        for day in days:
            entry = listed.get(str(self.snapshot(day)))
            assert entry is not None, f"{day} is not listed"
            assert entry.get("verified") not in (False, "none", "no", None), f"{day}: {entry}"
            assert not entry.get("damaged"), f"{day} is told to be damaged: {entry}"
