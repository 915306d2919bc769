"""What a check of the programs for Windows has to itself, and how it looks at what they left."""
import hashlib
import json
import pathlib
import shutil
import sqlite3

from wine import windows_path


class House:
    """Folders of one check: a state of its own, databases made by this Python, which then closes them
    (Wine's locks and the system's know nothing of each other)."""

    def __init__(self, wine, folder):
        self.wine = wine
        self.folder = folder
        self.backups = folder / "backups"
        self.backups.mkdir()
        self.variables = {f"XDG_{name}_HOME": windows_path(folder / name.lower())
                          for name in ("STATE", "CONFIG", "DATA")}

    def database(self, name, rows=200, blob=100):
        path = self.folder / "live" / name  # apart from the snapshots, as it has to be
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.folder / "aside"
        with sqlite3.connect(aside) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA wal_autocheckpoint=0")
            for table in ("notes", "copies"):
                db.execute(f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
                db.execute(f"INSERT INTO {table}(body) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                           f"SELECT i+1 FROM n WHERE i<{rows}) SELECT hex(randomblob({blob})) FROM n")
            db.commit()
            # With a WAL that holds all of it, as the crash of its program leaves it.
            shutil.copy(aside, path)
            shutil.copy(str(aside) + "-wal", str(path) + "-wal")
        db.close()
        aside.unlink()
        return path

    def run(self, *words, **options):
        return self.wine.run(*words, variables=self.variables, **options)

    def snapshot(self, database, *words):
        return self.wine.json("snapshot", "--source", windows_path(database), "--destination",
                              windows_path(self.backups), *words, variables=self.variables)

    def unix(self, text):
        assert text.startswith("Z:"), text
        return pathlib.Path(text[2:].replace("\\", "/"))

    def temporaries(self):
        return [path for path in self.backups.rglob(".~*")]


def rows_of(path, table="notes"):
    db = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    finally:
        db.close()


def expect_manifest(snapshot):
    """The snapshot is what its manifest says."""
    manifest = json.loads(pathlib.Path(f"{snapshot}.manifest.json").read_text())
    assert manifest["sha256"] == hashlib.sha256(snapshot.read_bytes()).hexdigest(), snapshot
