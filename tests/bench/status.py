#!/usr/bin/env python3
"""What a status takes where much has gathered: wall time and CPU.

    tests/bench/status.py [--build build/release] [--rounds 9] [--scratch FOLDER]

There are 500 databases with two schedules each, so 1,000 schedules, each with ten snapshots and five
recorded runs. The table of cron is a stand-in's: the machine's own is neither read nor written. Beside
it, each round, the start of the program alone.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile

from measured import measured

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "faults"))
from scene import FAKE_CRONTAB  # noqa: E402

DATABASES, SNAPSHOTS, RUNS = 500, 10, 5


class Home:
    """A home folder that much has gathered in."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        stand_in = self.folder / "crontab"
        stand_in.write_text(FAKE_CRONTAB)
        stand_in.chmod(0o755)
        self.table = self.folder / "crontab.txt"
        self.environment = {"HOME": folder, "PATH": os.environ["PATH"],
                            "BPD_CRONTAB": str(stand_in), "FAKE_TAB": str(self.table)}

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], env=self.environment,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fill(self):
        """What the program does for one database is copied for the others."""
        for number in range(DATABASES):
            path = self.source(number)
            path.parent.mkdir(parents=True)
            if number == 0:
                with sqlite3.connect(path) as database:
                    database.executescript("PRAGMA journal_mode = WAL; CREATE TABLE notes(content);")
                database.close()
            else:
                shutil.copy(self.source(0), path)
        for there in ("near", "far"):
            (self.folder / there).mkdir()
            self.run("install-schedule", "--source", self.source(0), "--destination",
                     self.folder / there, "--name", f"{there}-0", "--label", "project-0",
                     "--hostname", "laptop", "--scheduler", "cron")
            self.copy_schedules(there)
            self.copy_snapshots(there)
        self.copy_runs()

    def source(self, number):
        return self.folder / "code" / f"project-{number}" / ".orchestrator" / "project.db"

    def copy_schedules(self, there):
        jobs = self.folder / ".config" / "backup-plugin-db" / "jobs"
        job = json.loads((jobs / f"{there}-0.json").read_text())
        lines = [line for line in self.table.read_text().splitlines() if f"{there}-0" in line]
        with self.table.open("a") as more:
            for number in range(1, DATABASES):
                name = f"{there}-{number}"
                (jobs / f"{name}.json").write_text(json.dumps(
                    {**job, "name": name, "source": str(self.source(number)),
                     "label": f"project-{number}"}))
                more.writelines(line.replace(f"{there}-0", name) + "\n" for line in lines)

    def copy_snapshots(self, there):
        folder = self.folder / there / "laptop"
        first = next(folder.glob("project-0/*.db"))
        manifest = json.loads(first.with_name(first.name + ".manifest.json").read_text())
        today = datetime.date.today()
        for number in range(DATABASES):
            (folder / f"project-{number}").mkdir(exist_ok=True)
            for age in range(SNAPSHOTS):
                if number == 0 and age == 0:
                    continue
                day = today - datetime.timedelta(days=age)
                path = folder / f"project-{number}" / f"project-{day}.db"
                taken = manifest["taken_at"].replace(str(today), str(day))
                shutil.copy(first, path)
                path.with_name(path.name + ".manifest.json").write_text(json.dumps(
                    {**manifest, "source": str(self.source(number)), "label": f"project-{number}",
                     "taken_at": taken, "verified_at": taken, "full_check_at": taken}))

    def copy_runs(self):
        """Of each schedule's first run, and of that for each database."""
        history = sqlite3.connect(self.folder / ".local" / "state" / "backup-plugin-db" / "history.db")
        columns = [row[1] for row in history.execute("PRAGMA table_info(runs)")][1:]
        copied = {"schedule": "replace(schedule, '-0', '-' || i)",
                  "source": "replace(source, 'project-0', 'project-' || i)",
                  "snapshot": "replace(snapshot, 'project-0', 'project-' || i)"}
        with history:
            history.execute(f"""WITH RECURSIVE
                  n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {DATABASES - 1}),
                  again(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM again WHERE k < {RUNS})
                INSERT INTO runs({','.join(columns)})
                SELECT {','.join(copied.get(name, name) for name in columns)} FROM runs, n, again""")
        history.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--scratch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bpd-bench-", dir=options.scratch) as folder:
        home = Home(os.path.abspath(os.path.join(options.build, "backup-plugin-db")), folder)
        home.fill()
        print(home.run("status").splitlines()[0])
        ways = {"for people": ["status"], "as JSON": ["status", "--json"],
                "the start alone": ["--version"]}
        rounds = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, arguments in ways.items():
                rounds[way].append(measured([home.program, *arguments], home.environment))
        print(f"{DATABASES} databases, {2 * DATABASES} schedules, {2 * DATABASES * SNAPSHOTS:,} "
              f"snapshots, {2 * DATABASES * RUNS:,} runs; medians of {options.rounds}")
        for way, runs in rounds.items():
            wall, cpu, _ = zip(*runs)
            print(f"  {way:<16} {statistics.median(wall):6.1f} ms, most {max(wall):6.1f}; "
                  f"CPU {statistics.median(cpu):6.1f} ms")


if __name__ == "__main__":
    main()
