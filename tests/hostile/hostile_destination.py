#!/usr/bin/python3
"""A destination that somebody else has written to: 200 planted files and folders around one good
snapshot. Usage: hostile_destination.py PROGRAM

Whatever lies there, each command ends within SECONDS and MEMORY_KIB above the idle program, prints
nothing that steers a terminal, touches nothing outside, and the good snapshot is listed, verified
and restored.
"""
import hashlib
import json
import os
import random
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time

SECONDS = 5
MEMORY_KIB = 64 * 1024
PLANTED = 200
STEERING = [chr(c) for c in [*range(0x00, 0x09), *range(0x0b, 0x20), 0x7f, *range(0x80, 0xa0),
                             *range(0x202a, 0x202f), *range(0x2066, 0x206a)]]

PROGRAM = os.path.realpath(sys.argv[1])
ROOT = os.path.realpath(tempfile.mkdtemp(prefix="hostile-"))
DESTINATION = os.path.join(ROOT, "backups")
OUTSIDE = os.path.join(ROOT, "outside")
SOURCE = os.path.join(ROOT, "live", "notes.db")
HOST = "testhost"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.path.join(ROOT, "home"), "TZ": "UTC",
               "XDG_RUNTIME_DIR": os.path.join(ROOT, "run"), "BPD_CRONTAB": "/bin/false",
               "BPD_SYSTEMCTL": "/bin/false"}
ENVIRONMENT.update({f"XDG_{name}_HOME": os.path.join(ROOT, name.lower())
                    for name in ("CONFIG", "DATA", "STATE", "CACHE")})
failures = []


def high_water_kib(pid):
    """The most that a process had in memory since it was started; ru_maxrss begins with ours."""
    try:
        with open(f"/proc/{pid}/status") as file:
            line = next((line for line in file if line.startswith("VmHWM")), "0 0")
            return int(line.split()[1])
    except OSError:
        return 0


def run(*words, seconds=SECONDS):
    """Exit code, output, errors, time and peak memory of one call; code None: it did not end."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen([PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=err, env=ENVIRONMENT, cwd=ROOT)
        code, memory = None, 0
        while time.monotonic() - started < seconds * 4:
            memory = max(memory, high_water_kib(child.pid))
            pid, status, _ = os.wait4(child.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.002)
        else:
            child.kill()
            os.wait4(child.pid, 0)
        child.returncode = code if code is not None else -9
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read(), time.monotonic() - started, memory


def must(holds, what):
    if not holds:
        failures.append(what)
        print("FAILED:", what)


def write(path, content=b"", sparse=0):
    with open(path, "wb") as file:
        file.write(content)
        if sparse:
            file.truncate(sparse)


class Planter:
    """Makes the planted files, each of a kind that a random generator with a fixed seed chose."""

    def __init__(self, folder, good):
        self.random = random.Random(20261128)
        self.folder = folder
        self.good = good
        with open(good + ".manifest.json", "rb") as file:
            self.manifest = json.load(file)
        self.number = 0

    def path(self, stem=None):
        self.number += 1
        day = 1 + self.number % 28
        month = 1 + self.number // 28 % 12
        stem = stem or self.random.choice(["notes", "notes", "other"])
        return os.path.join(self.folder, f"{stem}-{2000 + self.number % 20}-{month:02}-{day:02}.db")

    def with_manifest(self, text):
        path = self.path()
        write(path, self.random.choice([b"", b"x", b"SQLite format 3\0" + b"\0" * 84]))
        write(path + ".manifest.json", text if isinstance(text, bytes) else text.encode())

    def changed(self, **members):
        self.with_manifest(json.dumps({**self.manifest, **members}))

    def big(self):
        rows = ",".join(f'"{i:x}":1' for i in range(300_000))
        text = json.dumps({**self.manifest, "rows": {}})
        self.with_manifest(text.replace('"rows": {}', '"rows": {' + rows + "}"))

    def wide(self):
        self.changed(rows={f"t{i}": i for i in range(40_000)})

    def deep(self):
        self.with_manifest("[" * self.random.choice([100, 100_000, 4_000_000]))

    def deep_inside(self):
        depth = 500_000
        self.with_manifest('{"format_version":1,"x":' + "[" * depth + "]" * depth + "}")

    def many_values(self):
        self.with_manifest('{"x":[' + "0," * 1_900_000 + "0]}")

    def sparse_manifest(self):
        self.with_manifest("{")
        write(self.path() + ".manifest.json", b"{", sparse=1 << 38)

    def sparse_snapshot(self):
        path = self.path()
        write(path, b"SQLite format 3\0", sparse=1 << 38)

    def control(self):
        evil = self.random.choice(["\x1b[2J\x1b]0;x\x07", "a\nRemoved /etc", "\u202egpj", "\x9b31m",
                                   "\x7f\r", "\u2066x"])
        self.changed(host=evil, label=evil, rows={evil: 5}, tool_version=evil,
                     source=self.random.choice([SOURCE, "/x" + evil]))

    def odd_name(self):
        evil = self.random.choice([b"\x1b[31m", b"\n", b"\xff\xfe", b"\x9b2J", "\u202e".encode(),
                                   b"\\", b"'", b"$(x)", b" ", b"%s%n"])
        path = os.path.join(os.fsencode(self.folder), evil + b"-2011-01-%02d.db" %
                            (1 + self.number % 28))
        self.number += 1
        write(path, b"x")
        if self.random.random() < 0.5:
            write(path + b".manifest.json", json.dumps(self.manifest).encode())

    def odd_folder(self):
        evil = self.random.choice([b"\x1b[31m", b"a\nb", b"\xff", "\u202e".encode()])
        folder = os.path.join(os.fsencode(DESTINATION), evil + b"%d" % self.number)
        self.number += 1
        os.makedirs(os.path.join(folder, b"label\x1b"), exist_ok=True)
        write(os.path.join(folder, b"label\x1b", b"x-2020-01-01.db"), b"x")

    def wrong_type(self):
        key = self.random.choice(list(self.manifest))
        value = self.random.choice([None, [], {}, -1, 1e300, "x", True, 2 ** 63, "9999-99-99"])
        self.changed(**{key: value})

    def giant_number(self):
        number = self.random.choice(["1" * 1000, "1e999999", "-0", "18446744073709551616",
                                     "1" + "0" * 1_000_000])
        text = json.dumps({**self.manifest, "bytes": 0}).replace('"bytes": 0', '"bytes": ' + number)
        self.with_manifest(text)

    def far_instant(self):
        self.changed(taken_at=self.random.choice(["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
                                                  "2262-04-12T00:00:00Z", "1677-09-21T00:00:00Z"]))

    def far_file_time(self):
        path = self.path()
        write(path, b"x")
        os.utime(path, (self.random.choice([-(1 << 33), 1 << 33]),) * 2)

    def duplicate_members(self):
        self.with_manifest("{" + ",".join(['"source":"/x"'] * 50_000) + "}")

    def bytes_only(self):
        self.with_manifest(self.random.choice([b"", b"\0" * 4096, b"\xff" * 100_000, b"null",
                                               b"\xef\xbb\xbf{}", b'"' + b"\\u0000" * 10_000]))

    def fifo(self):
        os.mkfifo(self.path())

    def fifo_manifest(self):
        path = self.path()
        write(path, b"x")
        os.mkfifo(path + ".manifest.json")

    def fifo_beside(self):
        path = self.path()
        shutil.copyfile(self.good, path)
        os.mkfifo(path + self.random.choice(["-wal", "-journal", "-shm"]))

    def bound_socket(self):
        with socket.socket(socket.AF_UNIX) as listening:
            here = os.getcwd()
            os.chdir(self.folder)  # the name of a socket may have 107 bytes
            listening.bind(os.path.basename(self.path()))
            os.chdir(here)

    def device(self):
        try:
            os.mknod(self.path(), stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero
        except PermissionError:
            self.fifo()

    def link(self):
        to = self.random.choice(["nowhere", "self", OUTSIDE, OUTSIDE + "/secret.db", "/dev/zero",
                                 "/", ".."])
        path = self.path()
        os.symlink(os.path.basename(path) if to == "self" else to, path)
        manifest = path + ".manifest.json"
        os.symlink(self.random.choice([OUTSIDE + "/secret.db", "/dev/zero", manifest]), manifest)

    def linked_folder(self):
        os.symlink(self.random.choice([DESTINATION, OUTSIDE, "nowhere"]),
                   os.path.join(DESTINATION, f"host{self.number}"))
        self.number += 1

    def folder_as_snapshot(self):
        path = self.path()
        os.mkdir(path)
        write(os.path.join(path, "x"), b"x")

    def folder_as_manifest(self):
        path = self.path()
        write(path, b"x")
        os.mkdir(path + ".manifest.json")

    def unreadable(self):
        self.changed()
        path = self.path()
        write(path, b"x")
        os.chmod(path, 0)

    def empty(self):
        write(self.path())

    def plant(self, count):
        kinds = [kind for name, kind in vars(Planter).items()
                 if callable(kind) and name not in ("__init__", "path", "with_manifest", "changed",
                                                    "plant")]
        rare = {Planter.big: 2, Planter.many_values: 3, Planter.wide: 3, Planter.deep: 6,
                Planter.deep_inside: 3}  # each costs the time to read it
        order = [kind for kind in kinds for _ in range(rare.get(kind, 12))]
        self.random.shuffle(order)
        for kind in (kinds + order)[:count]:  # each at least once
            try:
                kind(self)
            except FileExistsError:
                pass


def tree_of(folder):
    """Each path with its kind, size and content's digest, links not followed."""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(base, name)
            info = os.lstat(path)
            digest = ""
            if stat.S_ISREG(info.st_mode) and info.st_size < 1 << 20:
                with open(path, "rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
            found[path] = (info.st_mode, info.st_size, digest)
    return found


def check(name, words, may_fail=True, json_output=False):
    code, out, err, seconds, memory = run(*words)
    must(code is not None and code >= 0, f"{name} ended by itself (code {code}, {seconds:.1f} s)")
    must(may_fail or code == 0, f"{name} succeeds: {err.decode(errors='replace')[:300]}")
    must(seconds < SECONDS, f"{name} took {seconds:.1f} s")
    must(memory - IDLE_KIB < MEMORY_KIB, f"{name} took {(memory - IDLE_KIB) >> 10} MiB above idle")
    if not json_output:
        text = (out + err).decode("utf-8", errors="surrogateescape")
        steering = sorted({c for c in text if c in STEERING or 0xdc80 <= ord(c) <= 0xdcff})
        must(not steering, f"{name} prints {steering}")
    print(f"{name}: code {code}, {seconds * 1000:.0f} ms, {(memory - IDLE_KIB) >> 10} MiB above idle")
    return out.decode(errors="replace")


for made in ("backups", "outside", "live", "home", "run"):
    os.mkdir(os.path.join(ROOT, made))
write(os.path.join(OUTSIDE, "secret.db"), b"not to be read or touched")
connection = sqlite3.connect(SOURCE)
connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text)")
connection.executemany("INSERT INTO notes (text) VALUES (?)", [("note %d" % i,) for i in range(500)])
connection.commit()
connection.close()
common = ("--source", SOURCE, "--destination", DESTINATION, "--hostname", HOST)
IDLE_KIB = run("list", "--destination", OUTSIDE)[4]
code, _, errors, _, _ = run("snapshot", *common)
assert code == 0, errors
folder = os.path.join(DESTINATION, HOST)
good = os.path.join(folder, next(n for n in os.listdir(folder) if n.endswith(".db")))
Planter(folder, good).plant(PLANTED)
outside = {**tree_of(OUTSIDE), **tree_of(os.path.dirname(SOURCE))}

listed = check("list", ("list", "--destination", DESTINATION, "--limit", "500"), may_fail=False)
must(good in listed, "the good snapshot is listed")
check("list by source", ("list", "--destination", DESTINATION, "--source", SOURCE), may_fail=False)
listed = check("list --json", ("list", "--destination", DESTINATION, "--limit", "500", "--json"),
               may_fail=False, json_output=True)
json.loads(listed)
check("verify", ("verify", "--snapshot", good), may_fail=False)
check("verify the latest", ("verify", *common[:4]))
check("status", ("status",))
check("discover", ("discover", "--folder", DESTINATION))
check("restore, previewed", ("restore", "--snapshot", good, "--target", SOURCE, "--in-place",
                             "--dry-run"), may_fail=False)
check("prune, previewed", ("prune", *common, "--keep-last", "1"))
check("prune", ("prune", *common, "--keep-last", "1", "--no-dry-run"))
for planted in sorted(os.listdir(folder))[::7]:
    if planted.endswith(".db"):
        check("verify " + ascii(planted), ("verify", "--snapshot", os.path.join(folder, planted)))
check("snapshot", ("snapshot", *common, "--keep-last", "1", "--label", "again"), may_fail=False)
check("snapshot among them", ("snapshot", *common, "--keep-last", "1"))
restored = os.path.join(ROOT, "restored.db")
check("restore", ("restore", "--snapshot", good, "--target", restored), may_fail=False)
rows = sqlite3.connect(restored).execute("SELECT count(*) FROM notes").fetchone()[0]
must(rows == 500, f"the good snapshot is restored ({rows} rows)")
must({**tree_of(OUTSIDE), **tree_of(os.path.dirname(SOURCE))} == outside, "nothing outside changed")

for base, folders, _ in os.walk(ROOT):
    for name in folders:
        if not os.path.islink(os.path.join(base, name)):
            os.chmod(os.path.join(base, name), 0o700)
shutil.rmtree(ROOT)
sys.exit(1 if failures else 0)
