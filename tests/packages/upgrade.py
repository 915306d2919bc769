#!/usr/bin/env python3
"""Two versions of the program after one another: the newer reads what the older made, and the older leaves
what the newer made as it is.

    tests/packages/upgrade.py OLDER NEWER     two programs
"""
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

older, newer = (pathlib.Path(word).resolve() for word in sys.argv[1:])
TIMEOUT_S = 120
DONE, DAMAGED, CONFIRM, UNSUPPORTED = 0, 9, 10, 11


class House:
    def __init__(self, scratch):
        self.home = pathlib.Path(scratch, "home")
        self.backups = self.home / "Backups"
        self.backups.mkdir(parents=True)
        self.source = self.home / ".claude/orchestrator/global.db"
        self.source.parent.mkdir(parents=True)
        self.write("CREATE TABLE notes(id INTEGER PRIMARY KEY, text)")
        self.write("PRAGMA journal_mode=WAL")
        self.note(50)

    def write(self, sql):
        database = sqlite3.connect(self.source, isolation_level=None)
        database.execute(sql)
        database.close()

    def note(self, count):
        for number in range(count):
            self.write(f"INSERT INTO notes(text) VALUES ('{number}')")

    def run(self, program, *words, codes=(DONE,)):
        result = subprocess.run([str(word) for word in (program, *words)], capture_output=True, text=True,
                                timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, cwd=self.home,
                                env={"HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
        assert result.returncode in codes, (program, words, result)
        return result.stdout

    def told(self, program, *words, **options):
        return json.loads(self.run(program, *words, "--json", **options))

    def snapshot(self, program, *words):
        return self.told(program, "snapshot", "--source", self.source, "--destination", self.backups, *words)

    def digests(self):
        files = [path for path in sorted(self.backups.rglob("*")) if path.is_file()]
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def job(self, program):
        """A schedule without a scheduler: what an installation leaves in the user's folders."""
        folder = self.home / ".config/backup-plugin-db/jobs"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "global.json").write_text(json.dumps({
            "format_version": 1, "name": "global", "scheduler": "cron", "time": "04:07",
            "scheduled_since": "2026-01-01T00:00:00Z", "source": str(self.source),
            "destination": str(self.backups), "hostname": "", "label": "", "flat": False, "verify": "quick",
            "keep_daily": 14, "on_failure": "", "ping_url": ""}))
        self.run(program, "run", "global")


def rows(path):
    database = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        return database.execute("SELECT count(*) FROM notes").fetchone()[0]
    finally:
        database.close()


def newer_reads_what_older_made(house):
    taken = house.snapshot(older)["snapshot"]
    house.job(older)
    before = house.digests()
    listed = house.told(newer, "list", "--destination", house.backups)
    assert taken in json.dumps(listed), listed
    assert house.told(newer, "verify", "--snapshot", taken)["verdict"] == "verified"
    beside = house.home / "beside.db"
    house.run(newer, "restore", "--snapshot", taken, "--target", beside)
    assert rows(beside) == 50
    status = house.told(newer, "status", codes=(DONE, 1, DAMAGED))
    assert str(house.source) in json.dumps(status), status
    unread = {path: digest for path, digest in house.digests().items() if before.get(path) != digest}
    assert all(path.name.endswith(".manifest.json") for path in unread), unread  # a check is noted there
    house.note(5)
    house.run(newer, "run", "global")


def older_harms_nothing_that_newer_made(house):
    taken = house.snapshot(newer)["snapshot"]
    house.job(newer)
    before = house.digests()
    for words in (["list", "--destination", house.backups], ["status"], ["verify", "--snapshot", taken],
                  ["prune", "--destination", house.backups, "--keep-last", "1", "--dry-run"]):
        house.run(older, *words, codes=(DONE, 1, DAMAGED, CONFIRM, UNSUPPORTED))
    for path, digest in before.items():
        assert path.exists(), path
        assert path.suffix == ".json" or house.digests()[path] == digest, path
    house.note(5)
    house.run(older, "run", "global", codes=(DONE, UNSUPPORTED))
    assert house.told(newer, "verify", "--snapshot", taken)["verdict"] == "verified"
    house.run(newer, "run", "global")


def older_says_newer(house):
    """Formats of a version to come, as they would look to any program of today."""
    taken = pathlib.Path(house.snapshot(newer)["snapshot"])
    manifest = pathlib.Path(str(taken) + ".manifest.json")
    manifest.write_text(manifest.read_text().replace('"format_version": 1', '"format_version": 99'))
    history = house.home / ".local/state/backup-plugin-db/history.db"
    database = sqlite3.connect(history)
    database.execute("PRAGMA user_version = 99")
    database.close()
    before = house.digests()
    for program in (older, newer):
        result = subprocess.run(
            [program, "snapshot", "--source", house.source, "--destination", house.backups],
            capture_output=True, text=True, timeout=TIMEOUT_S,
            env={"HOME": str(house.home), "PATH": "/usr/bin:/bin"})
        told = result.stdout + result.stderr
        assert "newer" in told or "reads up to" in told, result
        after = house.digests()
        assert all(after.get(path) == digest for path, digest in before.items()), program


for check in (newer_reads_what_older_made, older_harms_nothing_that_newer_made, older_says_newer):
    with tempfile.TemporaryDirectory(prefix="upgrade.") as scratch:
        check(House(scratch))
    print(f"ok  {check.__name__.replace('_', ' ')}")
