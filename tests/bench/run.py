#!/usr/bin/env python3
"""Measures snapshots beside the other ways to copy a live SQLite database: one command, one table.

    tests/bench/run.py [--build build/release] [--sizes 400K,10M,1G,4G] [--rounds 7]
                       [--parts copy,latency,verify,list,idle] [--json results.json]
    tests/bench/run.py --parts before --before EARLIER_PROGRAM

Every round runs each way once, in turn, so that a change in the machine's mood meets all of them;
the table shows medians of whole processes and their ratio to `cp && sync`. Needs the release build,
the sqlite3 shell, openssl, and room for three times the largest size under --scratch.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from measured import measured

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = 4096
LATENCY_ALONE_S = 4
LATENCY_LIMIT_S = 60  # the sqlite3 shell never finishes under a busy writer
WRITER_PAUSE_S = 0.002
QUIET_S = 2.5  # until the times of a database prove that nobody writes

PYTHON_BACKUP = """
import sqlite3, sys
source, target = sqlite3.connect(sys.argv[1]), sqlite3.connect(sys.argv[2])
source.backup(target)
target.close()
source.close()
"""


def parse_size(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(float(text[:-1]) * units[text[-1].upper()])


def random_bytes(count):
    with open("/dev/urandom", "rb") as random:
        return random.read(count)


def make_database(path, size, journal_mode="wal", small_rows=False):
    """Notes with full-text search, as the plugin has them, and blobs (or small rows) up to size."""
    if os.path.exists(path):
        return
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size={PAGE}")
    db.execute(f"PRAGMA journal_mode={journal_mode}")
    db.execute("PRAGMA synchronous=OFF")
    db.executescript("""
        CREATE TABLE notes(id TEXT PRIMARY KEY, content TEXT, keywords TEXT);
        CREATE VIRTUAL TABLE notes_fts USING fts5(content, keywords, content='notes',
          content_rowid='rowid');
        CREATE TRIGGER notes_ai AFTER INSERT ON notes BEGIN
          INSERT INTO notes_fts(rowid, content, keywords)
          VALUES (new.rowid, new.content, new.keywords); END;
        CREATE TABLE chunks(id INTEGER PRIMARY KEY, k INTEGER, vector BLOB);
        CREATE TABLE ticks(id INTEGER PRIMARY KEY, at TEXT);
        CREATE INDEX chunks_k ON chunks(k);""")
    db.execute("BEGIN")
    for i in range(300):
        db.execute("INSERT INTO notes VALUES (?, ?, ?)",
                   (f"note-{i}", f"The lighthouse keeper wrote entry {i} " * 8, "sea, weather"))
    db.execute("COMMIT")
    blob = 100 if small_rows else 3072 if size < (100 << 20) else 39_000
    batch = max(1, min(20_000, (16 << 20) // blob))
    number = 0
    while db.execute("PRAGMA page_count").fetchone()[0] * PAGE < size:
        db.execute("BEGIN")
        data = random_bytes(blob * batch)
        left = size - db.execute("PRAGMA page_count").fetchone()[0] * PAGE
        for i in range(min(batch, left // blob + 1)):
            db.execute("INSERT INTO chunks(k, vector) VALUES (?, ?)",
                       ((number + i) * 7919 % 1_000_003, data[i * blob:(i + 1) * blob]))
        number += batch
        db.execute("COMMIT")
    if journal_mode == "wal":
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


class Bench:
    def __init__(self, options):
        self.options = options
        build = os.path.abspath(options.build)
        self.program = os.path.join(build, "backup-plugin-db")
        self.library = os.path.join(build, "tests", "bench_snapshot")
        self.prefix = shlex.split(options.prefix)
        self.scratch = tempfile.mkdtemp(prefix="bpd-bench-", dir=options.scratch)
        self.sources = os.path.join(self.scratch, "sources")
        self.out = os.path.join(self.scratch, "out")
        self.state = os.path.join(self.scratch, "state")
        for folder in (self.sources, self.out, self.state):
            os.mkdir(folder)
        self.environment = dict(os.environ, HOME=self.state, XDG_STATE_HOME=self.state)
        self.results = {}

    def database(self, label, **how):
        path = os.path.join(self.sources, "-".join([label, *map(str, how.values())]) + ".db")
        make_database(path, parse_size(label), **how)
        return path

    def clear(self):
        shutil.rmtree(self.out)
        os.mkdir(self.out)

    def warm(self, source):
        """The source into the page cache; and memory that a host took back, back into the guest."""
        with open(source, "rb") as file:
            while file.read(1 << 20):
                pass
        os.sync()
        touch = ("import mmap,sys\nn=int(sys.argv[1])\nm=mmap.mmap(-1,n)\n"
                 "for i in range(0,n,4096): m[i]=1\n")
        need = min(4 * os.path.getsize(source) + (64 << 20), 12 << 30)
        if need > (256 << 20):
            subprocess.run(["/usr/bin/python3", "-c", touch, str(need)], check=True)

    def run(self, command, limit_s=900):
        """(seconds, output) of one whole process."""
        start = time.perf_counter()
        done = subprocess.run(self.prefix + command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.environment, timeout=limit_s)
        seconds = time.perf_counter() - start
        output = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)}\n{output}")
        return seconds, output

    def peak_mib(self, command):
        """The largest resident memory of the process and its children, looked at every 2 ms. Not
        rusage: that counts this script's own memory, from before the exec. The second figure leaves
        out mapped files (page cache that the system may take back)."""
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=self.environment)
        total, anonymous = 0, 0
        while process.poll() is None:
            pids = [process.pid]
            for pid in pids:
                try:
                    with open(f"/proc/{pid}/task/{pid}/children") as file:
                        pids += file.read().split()
                    with open(f"/proc/{pid}/status") as file:
                        fields = dict(line.split(":", 1) for line in file)
                    total = max(total, int(fields["VmHWM"].split()[0]))
                    anonymous = max(anonymous, int(fields["RssAnon"].split()[0]))
                except (OSError, KeyError, ValueError):
                    pass  # it has just ended
            time.sleep(0.002)
        return total / 1024, anonymous / 1024

    def shell(self, text):
        return ["sh", "-c", text]

    def ours(self, source, verify):
        return [self.program, "snapshot", "--source", source, "--destination", self.out,
                "--verify", verify]

    def check(self, snapshot, level):
        return [self.program, "verify", "--snapshot", snapshot, "--level", level]

    def copy_ways(self, source):
        copy = os.path.join(self.out, "copy.db")
        q = shlex.quote
        return {
            "cp && sync": self.shell(f"cp {q(source)} {q(copy)} && sync"),
            "cp && sync && openssl dgst": self.shell(
                f"cp {q(source)} {q(copy)} && sync && openssl dgst -sha256 {q(copy)}"),
            "ours, no check, no hash": [self.library, source, self.out, "none", "nodigest",
                                        self.state],
            "ours, no check": self.ours(source, "none"),
            "ours, quick check": self.ours(source, "quick"),
            "ours, full check": self.ours(source, "full"),
            "Python Connection.backup": ["/usr/bin/python3", "-c", PYTHON_BACKUP, source, copy],
            "sqlite3 .backup": ["sqlite3", source, f".backup '{copy}'"],
            "VACUUM INTO": ["sqlite3", source, f"VACUUM INTO '{copy}'"],
        }

    def part_copy(self):
        for label in self.options.sizes.split(","):
            source = self.database(label)
            ways = self.copy_ways(source)
            times = {way: [] for way in ways}
            phases = []
            small = os.path.getsize(source) < (64 << 20)
            for _ in range(self.options.rounds * (3 if small else 1)):
                for way, command in ways.items():
                    self.clear()
                    self.warm(source)
                    seconds, output = self.run(command)
                    times[way].append(seconds)
                    if output.startswith("{"):
                        phases.append(json.loads(output))
            base = times["cp && sync"]
            rows = []
            for way, command in ways.items():
                self.clear()
                peak, anonymous = self.peak_mib(command)
                median = statistics.median(times[way])
                # The ratio of each pair of one round, not of two medians of different minutes.
                ratio = statistics.median(t / b for t, b in zip(times[way], base))
                rows.append({"way": way, "ms": median * 1000, "ratio_to_cp_sync": ratio,
                             "mb_per_s": os.path.getsize(source) / median / 1e6,
                             "peak_mib": peak, "without_mapped_files_mib": anonymous})
            self.clear()
            self.results[f"copy {label}"] = rows
            self.results[f"phases {label}"] = [{
                key: statistics.median(p[key] for p in phases)
                for key in ("copy_ms", "digest_ms", "sync_ms", "total_ms")}]
            self.show(f"copy {label}", rows)
            self.show(f"phases {label}", self.results[f"phases {label}"])

    def latencies(self, source, command):
        """Commit latencies of a writer while `command` runs (or for a while, without one)."""
        out = os.path.join(self.scratch, "latencies.json")
        writer = subprocess.Popen(["/usr/bin/python3", __file__, "--writer", source, out],
                                  stdout=subprocess.PIPE)
        writer.stdout.readline()
        finished = "yes"
        start = time.perf_counter()
        if command is None:
            time.sleep(LATENCY_ALONE_S)
        else:
            process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)
            try:
                if process.wait(timeout=LATENCY_LIMIT_S) != 0:
                    finished = "failed"
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                finished = "no"
        seconds = time.perf_counter() - start
        writer.send_signal(signal.SIGTERM)
        writer.wait()
        with open(out) as file:
            result = json.load(file)
        values = sorted(result["ms"]) or [0]
        return {"finished": finished, "s": seconds, "commits": len(values),
                "p50_ms": values[len(values) // 2], "p99_ms": values[len(values) * 99 // 100],
                "max_ms": values[-1], "failures": result["failures"]}

    def part_latency(self):
        label = self.options.latency_size
        for mode in ("wal", "delete"):
            source = self.database(label, journal_mode=mode)
            ways = self.copy_ways(source)
            chosen = {"alone": None, **{way: ways[way] for way in (
                "ours, no check, no hash", "ours, no check", "ours, quick check",
                "Python Connection.backup", "sqlite3 .backup")}}
            # No copy and no lock: what any two programs that read much do to the cores' caches.
            digest = f"openssl dgst -sha256 {shlex.quote(self.database(label))}"
            chosen["openssl dgst, two at once"] = self.shell(f"{digest} & {digest}; wait")
            runs = {way: [] for way in chosen}
            for number in range(self.options.rounds):
                for way, command in chosen.items():
                    if way == "sqlite3 .backup" and number > 0:
                        continue  # takes the whole LATENCY_LIMIT_S
                    self.clear()
                    self.warm(source)
                    runs[way].append(self.latencies(source, command))
            self.clear()
            rows = []
            for way, results in runs.items():
                row = {"way": way, "finished": results[-1]["finished"]}
                for key in ("s", "commits", "p50_ms", "p99_ms", "max_ms"):
                    row[key] = statistics.median(result[key] for result in results)
                row["failures"] = sum(result["failures"] for result in results)
                rows.append(row)
            self.results[f"latency {mode} {label}"] = rows
            self.show(f"commit latency, {mode}, {label}", rows)

    def part_verify(self):
        for label, small_rows in ((self.options.latency_size, False), ("400M", True)):
            source = self.database(label, small_rows=small_rows)
            self.clear()
            self.run(self.ours(source, "none"))
            snapshot = next(os.path.join(folder, name) for folder, _, names in os.walk(self.out)
                            for name in names if name.endswith(".db"))
            q = shlex.quote(snapshot)
            bare = os.path.join(self.scratch, "bare.db")  # no manifest: no digest to compare
            shutil.copyfile(snapshot, bare)
            ways = {
                "sqlite3 quick_check + openssl": self.shell(
                    f"sqlite3 {q} 'PRAGMA quick_check' && openssl dgst -sha256 {q}"),
                "ours, quick": self.check(snapshot, "quick"),
                "sqlite3 integrity_check + openssl": self.shell(
                    f"sqlite3 {q} 'PRAGMA integrity_check' && openssl dgst -sha256 {q}"),
                "ours, full": self.check(snapshot, "full"),
                "sqlite3 integrity_check": ["sqlite3", bare, "PRAGMA integrity_check"],
                # Without a digest to compare the verdict is "inconclusive": exit code 11.
                "ours, full, no digest": self.shell(
                    shlex.join(self.check(bare, "full")) + "; test $? = 11"),
            }
            times = {way: [] for way in ways}
            for _ in range(self.options.rounds):
                for way, command in ways.items():
                    self.warm(bare if bare in " ".join(command) else snapshot)
                    times[way].append(self.run(command)[0])
            rows = []
            names = list(ways)
            for index, way in enumerate(names):
                base = times[names[index - index % 2]]
                peak, anonymous = self.peak_mib(ways[way])
                rows.append({"way": way, "ms": statistics.median(times[way]) * 1000,
                             "ratio": statistics.median(t / b for t, b in zip(times[way], base)),
                             "peak_mib": peak, "without_mapped_files_mib": anonymous})
            kind = "small rows" if small_rows else "blobs"
            self.results[f"verify {label} {kind}"] = rows
            self.show(f"verify {label}, {kind}", rows)

    def part_before(self):
        """README's rows of this program beside those of an earlier one, in turn: a change that is
        meant to cost nothing shows here what it costs."""
        former = os.path.abspath(self.options.before)
        rows = []

        def add_row(way, source, command, rounds):
            times = {self.program: [], former: []}
            for number in range(rounds):
                for program in (list(times), list(times)[::-1])[number % 2]:
                    self.clear()
                    self.warm(source)
                    times[program].append(self.run([program, *command])[0])
            now, then = times[self.program], times[former]
            rows.append({"way": way, "before_ms": statistics.median(then) * 1000,
                         "now_ms": statistics.median(now) * 1000,
                         "ratio": statistics.median(now) / statistics.median(then),
                         "ratio_of_pairs": statistics.median(n / t for n, t in zip(now, then)),
                         "ratio_of_fastest": min(now) / min(then)})

        rounds = self.options.rounds
        for label in self.options.sizes.split(","):
            source = self.database(label)
            often = rounds * (10 if os.path.getsize(source) < (64 << 20) else 1)
            for level in ("none", "quick", "full"):
                add_row(f"snapshot {label}, {level}", source, self.ours(source, level)[1:], often)
        kept = os.path.join(self.scratch, "kept")
        os.mkdir(kept)
        for label, small_rows in ((self.options.latency_size, False), ("400M", True)):
            source = self.database(label, small_rows=small_rows)
            self.run([former, "snapshot", "--source", source, "--destination", kept,
                      "--verify", "none"])
            snapshot = next(os.path.join(folder, name) for folder, _, names in os.walk(kept)
                            for name in names if name.endswith(".db") and label in name)
            for level in ("quick", "full"):
                add_row(f"verify {label}{' of small rows' if small_rows else ''}, {level}", snapshot,
                        self.check(snapshot, level)[1:], rounds)
        self.results["before"] = rows
        self.show("before and now", rows)

    def part_list(self):
        self.clear()
        source = self.database("400K")
        self.run(self.ours(source, "quick"))
        folder = next(f for f, _, names in os.walk(self.out) if any(n.endswith(".db") for n in names))
        made = next(n for n in os.listdir(folder) if n.endswith(".db"))
        with open(os.path.join(folder, made + ".manifest.json")) as file:
            manifest = file.read()
        stem = made[:-len("-2026-01-01.db")]
        day = time.mktime((1995, 1, 1, 12, 0, 0, 0, 0, 0))
        for number in range(10_000):
            name = f"{stem}-{time.strftime('%Y-%m-%d', time.gmtime(day + number * 86_400))}.db"
            with open(os.path.join(folder, name), "wb"):
                pass
            with open(os.path.join(folder, name + ".manifest.json"), "w") as file:
                file.write(manifest)
        times = {"list, 50 of 10,000": [], "dry run with retention, 10,000": []}
        commands = {
            "list, 50 of 10,000": [self.program, "list", "--destination", self.out],
            "dry run with retention, 10,000": self.ours(source, "quick") + ["--keep-last", "7",
                                                                            "--dry-run"],
        }
        for _ in range(self.options.rounds):
            for way, command in commands.items():
                times[way].append(self.run(command)[0])
        rows = [{"way": way, "ms": statistics.median(t) * 1000} for way, t in times.items()]
        self.results["list"] = rows
        self.show("list", rows)

    def cpu_ms_of(self, *command):
        return measured(command, self.environment)[1:]

    def part_idle(self):
        """A schedule's run over a source that has not changed: its CPU, and what it writes. Beside it,
        each round, a process that does nothing: what starting one costs differs by machine, four times
        and more."""
        rows = []
        for size in ("400K", "100M"):
            for mode in ("wal", "delete"):
                source = self.database(size, journal_mode=mode)
                self.clear()
                self.make_job("idle", source)
                time.sleep(QUIET_S)
                subprocess.run([self.program, "run", "idle"], env=self.environment, check=True,
                               stdout=subprocess.DEVNULL)
                before = listing(self.out)
                times = {"run": [], "version": [], "true": []}
                for _ in range(max(self.options.rounds, 5)):
                    cpu_ms, output = self.cpu_ms_of(self.program, "run", "idle")
                    assert b"unchanged" in output, output
                    times["run"].append(cpu_ms)
                    times["version"].append(self.cpu_ms_of(self.program, "version")[0])
                    times["true"].append(self.cpu_ms_of("/bin/true")[0])
                assert listing(self.out) == before, "an idle run wrote to its destination"
                run, version, true = (statistics.median(times[name]) for name in times)
                rows.append({"source": f"{size}, {mode}", "CPU ms": round(run, 1),
                             "most": round(max(times["run"]), 1),
                             "of version": round(version, 1), "of /bin/true": round(true, 1),
                             "to /bin/true": round(run / true, 1), "bytes written": 0})
        self.results["idle"] = rows
        self.show("A run over a source that has not changed", rows)

    def make_job(self, name, source):
        folder = os.path.join(self.state, ".config", "backup-plugin-db", "jobs")
        os.makedirs(folder, exist_ok=True)
        job = {"format_version": 1, "name": name, "scheduler": "cron", "time": "04:07",
               "scheduled_since": "2026-01-01T00:00:00Z", "source": source,
               "destination": self.out, "hostname": "", "label": "", "flat": False,
               "verify": "quick", "keep_daily": 14, "on_failure": "", "ping_url": ""}
        with open(os.path.join(folder, name + ".json"), "w") as file:
            json.dump(job, file)

    def show(self, title, rows):
        print(f"\n{title}")
        keys = list(rows[0])
        table = [keys] + [[v if isinstance(v, str) else f"{v:.2f}" if isinstance(v, float)
                           else str(v) for v in row.values()] for row in rows]
        widths = [max(len(line[i]) for line in table) for i in range(len(keys))]
        for line in table:
            print("  " + "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                                   for i, (cell, width) in enumerate(zip(line, widths))))
        sys.stdout.flush()

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)


def listing(folder):
    """Every entry below it, with what a write would change."""
    entries = []
    for place, folders, files in os.walk(folder):
        for name in [".", *folders, *files]:
            status = os.stat(os.path.join(place, name))
            entries.append((place, name, status.st_size, status.st_mtime_ns, status.st_ino))
    return sorted(entries)


def write_until_terminated(path, out):
    """The writer of the latency part: one small transaction after another, each timed."""
    latencies, failures, ending = [], 0, []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    db = sqlite3.connect(path, isolation_level=None, timeout=5)
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("INSERT INTO ticks(at) VALUES ('first')")
    print("ready", flush=True)
    while not ending:
        start = time.perf_counter()
        try:
            db.execute("INSERT INTO ticks(at) VALUES (datetime())")
            latencies.append((time.perf_counter() - start) * 1000)
        except sqlite3.OperationalError:
            failures += 1
        time.sleep(WRITER_PAUSE_S)
    db.close()
    with open(out, "w") as file:
        json.dump({"ms": latencies, "failures": failures}, file)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--sizes", default="400K,10M,1G,4G")
    parser.add_argument("--latency-size", default="1G", help="for latency and verify")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--parts", default="copy,latency,verify,list,idle")
    parser.add_argument("--before", default=None, help="for the part before: an earlier program")
    parser.add_argument("--prefix", default="", help="before each command, e.g. 'chrt -f 50'")
    parser.add_argument("--scratch", default=None, help="folder on the disk to measure")
    parser.add_argument("--json", default=None, help="file for the results")
    parser.add_argument("--writer", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.writer:
        return write_until_terminated(*options.writer)
    bench = Bench(options)
    try:
        for part in options.parts.split(","):
            getattr(bench, f"part_{part}")()
    finally:
        bench.close()
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"rounds": options.rounds, "results": bench.results}, file, indent=2)
    return None


if __name__ == "__main__":
    sys.exit(main())
