#!/usr/bin/env python3
"""The programs for Windows, again and again, under Wine:

    tests/wine/many.py FOLDER [COUNT]     FOLDER: where they were built; 200 is the real thing

COUNT snapshots of a WAL database that another process commits to every 10 ms, and half as many
terminations of a snapshot or of a restore in place at random moments, after each of which nothing may
be lost. They mostly wait, and so go on beside each other.
"""
import concurrent.futures
import pathlib
import random
import shutil
import sqlite3
import sys
import tempfile
import time

from house import House, expect_manifest, rows_of
from wine import TIMEOUT_S, Wine, windows_path

COUNT = 20
USAGE = 2
WRITES_S = 3600  # the other process, unless it is told
ROWS, ROWS_LATER = 8_000, 8_100
FOREVER_MS = 60_000


def many_snapshots(house, count):
    database = house.database("busy.db")
    writer = house.wine.start("wine_writer", windows_path(database), str(WRITES_S))
    assert writer.stdout.read(1) == b"+"
    begin, most = time.monotonic(), 0
    try:
        for number in range(count):
            taken = house.snapshot(database)
            assert taken["verdict"] == "verified", (number, taken)
            snapshot = house.unix(taken["snapshot"])
            expect_manifest(snapshot)
            rows = rows_of(snapshot)
            assert rows == rows_of(snapshot, "copies") and rows >= most, (number, rows, most)
            most = rows
    finally:
        pathlib.Path(f"{database}.stop").touch()
    output, errors = writer.communicate(timeout=TIMEOUT_S)
    commits, failures = map(int, output.split())
    assert writer.returncode == 0 and failures == 0, (output, errors)
    assert not house.temporaries()
    print(f"{count} of {count} snapshots are good, {time.monotonic() - begin:.0f} s, of a database "
          f"with {commits} commits meanwhile and {failures} failures of the other process")


def killed(house, after_ms, *words):
    """Whether it was killed; else it has ended well."""
    program = str(house.wine.programs / "backup-plugin-db.exe")
    process = house.wine.start("wine_killer", str(after_ms), program, *words,
                               variables=house.variables)
    output, errors = process.communicate(timeout=TIMEOUT_S)
    said = output.decode().split("\n")[-2].split()
    assert said[0] == "killed" or said[1] == "0", (said, output, errors)
    return said[0] == "killed"


def state_of(database):
    """The rows, read from a copy: who opens the database itself tidies up after the killed one."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal", "-journal"):
            side = pathlib.Path(f"{database}{suffix}")
            if side.exists():
                shutil.copy(side, pathlib.Path(folder) / f"x.db{suffix}")
        db = sqlite3.connect(pathlib.Path(folder) / "x.db")
        try:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",), database
            notes, copies = (db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                             for table in ("notes", "copies"))
            assert notes == copies, database
            return notes
        finally:
            db.close()


def grow(database):
    """To ROWS_LATER rows, closed cleanly."""
    db = sqlite3.connect(database)
    for table in ("notes", "copies"):
        have = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        db.executemany(f"INSERT INTO {table}(body) VALUES(?)", [("later",)] * (ROWS_LATER - have))
    db.commit()
    db.close()


def check_after_snapshot(house, database):
    assert state_of(database) == ROWS_LATER
    snapshots = list(house.backups.rglob("*.db"))
    assert snapshots, "the earlier snapshot is gone"
    for snapshot in snapshots:
        assert rows_of(snapshot) in (ROWS, ROWS_LATER)


def check_after_restore(house, database):
    """The old database or the new one; the old one is there in either case."""
    rows = state_of(database)
    assert rows in (ROWS, ROWS_LATER), rows
    if rows == ROWS:
        kept = database.parent.glob(f"{database.stem}.before-restore-*.db")
        assert any(state_of(path) == ROWS_LATER for path in kept), "the replaced database is lost"
    return rows == ROWS


def random_moments(house, what, prepare, words, check, count):
    """Kills `words` so often, at moments between its beginning and its end."""
    prepare()
    begin = time.monotonic()
    assert not killed(house, FOREVER_MS, *words)
    one_run_ms = (time.monotonic() - begin) * 1000
    kills = runs = changed = 0
    while kills < count:
        runs += 1
        assert runs < 10 * count + 10, "it is always over before it is killed"
        prepare()
        moment = random.randint(0, int(one_run_ms))
        was_killed = killed(house, moment, *words)
        try:
            changed += bool(check())
        except Exception as error:
            raise AssertionError(f"{what}, killed after {moment} ms") from error
        kills += was_killed
    assert not killed(house, FOREVER_MS, *words), "the next run"
    assert not house.temporaries(), "what killed runs left lies there still"
    print(f"{kills} of {kills} kills of a {what} within its {one_run_ms:.0f} ms lost nothing"
          + (f"; {changed} of {runs} came after the replacement" if changed else ""))


def many_kills(house, count):
    database = house.database("live.db", rows=ROWS, blob=300)
    taken = house.snapshot(database)
    snapshot = house.unix(taken["snapshot"])
    aside = house.folder / "snapshot.db"  # of ROWS rows, whatever the runs that follow replace
    shutil.copy(snapshot, aside)
    grow(database)
    later = house.folder / "later.db"
    shutil.copy(database, later)

    def put_back():
        for path in database.parent.glob(f"{database.name}-*"):
            path.unlink()
        shutil.copy(later, database)
        for path in database.parent.glob("*before-restore*"):
            path.unlink()

    random_moments(house, "snapshot", lambda: None, [
        "snapshot", "--source", windows_path(database), "--destination",
        windows_path(house.backups), "--json"],
                   lambda: check_after_snapshot(house, database), (count + 1) // 2)
    random_moments(house, "restore in place", put_back, [
        "restore", "--snapshot", windows_path(aside), "--target", windows_path(database),
        "--in-place", "--confirm", "--json"],
                   lambda: check_after_restore(house, database), count // 2)


def in_a_house(wine, work, times):
    with tempfile.TemporaryDirectory() as folder:
        work(House(wine, pathlib.Path(folder)), times)
        sys.stdout.flush()


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return USAGE
    wine = Wine(pathlib.Path(arguments[0]).resolve())
    count = int(arguments[1]) if arguments[1:] else COUNT
    works = ((many_snapshots, count), (many_kills, count // 4), (many_kills, count // 4))
    try:
        with concurrent.futures.ThreadPoolExecutor(len(works)) as pool:
            begun = [pool.submit(in_a_house, wine, work, times) for work, times in works]
            for one in concurrent.futures.as_completed(begun):
                one.result()
    finally:
        wine.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
