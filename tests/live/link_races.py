#!/usr/bin/env python3
"""Swaps a folder for a link that leads out of --allow, thousands of times a second, while a server
works in it: nothing outside may be written, removed or told of.

Usage: link_races.py PROGRAM [SECONDS of each race] [a race's name]
"""

import ctypes
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

AT_FDCWD = -100
RENAME_EXCHANGE = 2
OUTSIDE_ROWS = 7777

SWAPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
a, b = (os.fsencode(name) for name in sys.argv[1:3])
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1000):
        libc.renameat2(-100, a, -100, b, 2)
"""


def make_database(path, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)")
        database.executemany("INSERT INTO t(b) VALUES (?)", [("text",)] * rows)
    database.close()


class Server:
    """A stdio server that may touch one folder."""

    def __init__(self, program, allowed):
        self.process = subprocess.Popen(
            [program, "serve", "--allow", allowed], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.number = 0
        self.request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {},
                                    "clientInfo": {"name": "races", "version": "1"}})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method, params):
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the server ended")
            answer = json.loads(line)
            if answer.get("id") == self.number:
                return answer

    def tool(self, name, arguments):
        """The structured result of a good call, else nothing."""
        result = self.request("tools/call", {"name": name, "arguments": arguments}).get("result", {})
        return None if result.get("isError") else result.get("structuredContent")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class World:
    """Two worlds of the same shape: `inside` is allowed, `outside` holds what must not be met."""

    def __init__(self, program):
        self.program = program
        self.folder = os.path.realpath(tempfile.mkdtemp())
        for name, kind in (("HOME", "home"), ("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "c"),
                           ("XDG_DATA_HOME", "data"), ("XDG_RUNTIME_DIR", "run")):
            os.environ[name] = os.path.join(self.folder, kind)
            os.makedirs(os.environ[name], exist_ok=True)
        for side, rows in (("inside", 10), ("outside", OUTSIDE_ROWS)):
            self.make(side, rows)
        os.environ["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = self.path("inside", "dst")
        self.server = Server(program, self.path("inside"))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def make(self, side, rows):
        make_database(self.path(side, "s/x.db"), rows)
        os.makedirs(self.path(side, "dst"))
        os.makedirs(self.path(side, "t"))
        for day in range(1, 6):
            subprocess.run([self.program, "snapshot", "--source", self.path(side, "s/x.db"),
                            "--destination", self.path(side, "dst"), "--hostname", "h", "--date",
                            f"2026-01-0{day}"], check=True, stdout=subprocess.DEVNULL)
        make_database(self.path(side, "t/live.db"), rows)

    def outside(self):
        """What lies outside, with everything that a change would change."""
        found = {}
        for folder, _, names in os.walk(self.path("outside")):
            for name in names:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                found[path] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
        return found

    def close(self):
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)


# One round of each race. It returns what was told, or nothing where the call failed.


def snapshot(world, number):
    return world.server.tool("snapshot_db", {
        "source": world.path("inside/s/x.db"), "destination": world.path("inside/dst"),
        "hostname": "h", "date": f"2026-02-{number % 28 + 1:02}", "keep_last": 2, "confirm": True})


def source(world, number):
    return world.server.tool("snapshot_db", {
        "source": world.path("inside/s/x.db"), "destination": world.path("inside/dst"),
        "hostname": f"h{number % 5}"})


def prune(world, number):
    return world.server.tool("prune_snapshots", {
        "source": world.path("inside/s/x.db"), "destination": world.path("inside/dst"),
        "hostname": "h", "keep_last": 1, "dry_run": False})


def restore(world, number):
    return world.server.tool("restore_snapshot", {
        "snapshot": world.path("inside/dst/h/x-2026-01-01.db"),
        "target": world.path(f"inside/t/new{number % 3}.db")})


def restore_in_place(world, number):
    return world.server.tool("restore_snapshot", {
        "snapshot": world.path("inside/dst/h/x-2026-01-01.db"),
        "target": world.path("inside/t/live.db"), "in_place": True, "confirm": True})


def read(world, number):
    ending = ("", ".manifest.json")[number % 2]
    uri = "backup://" + world.path("inside/dst/h/x-2026-01-01.db") + ending
    return world.server.request("resources/read", {"uri": uri}).get("result")


def list_all(world, number):
    return world.server.tool("list_snapshots", {"destination": world.path("inside/dst")})


def verify(world, number):
    return world.server.tool("verify_snapshot",
                             {"snapshot": world.path("inside/dst/h/x-2026-01-01.db")})


RACES = {"snapshot": (snapshot, "dst/h"), "source": (source, "s"), "prune": (prune, "dst/h"),
         "restore": (restore, "t"), "restore_in_place": (restore_in_place, "t"),
         "read": (read, "dst/h"), "list": (list_all, "dst/h"), "verify": (verify, "dst/h")}


def refill(kept, folder):
    """Brings back what was there, through a descriptor that no swap diverts."""
    there = f"/proc/self/fd/{folder}"
    for name in os.listdir(there):
        if name not in os.listdir(kept):
            os.unlink(os.path.join(there, name))
    for name in os.listdir(kept):
        if not os.path.exists(os.path.join(there, name)):
            shutil.copy2(os.path.join(kept, name), there)


def run(program, name, seconds):
    play, swapped = RACES[name]
    world = World(program)
    folder = world.path("inside", swapped)
    kept = world.path("kept")
    shutil.copytree(folder, kept)
    real = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.symlink(world.path("outside", swapped), folder + ".lnk")
    before = world.outside()
    swapper = subprocess.Popen([sys.executable, "-c", SWAPPER, folder, folder + ".lnk"])
    rounds = done = escapes = 0
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            told = play(world, rounds)
            rounds += 1
            done += told is not None
            text = json.dumps(told)
            if str(OUTSIDE_ROWS) in text or world.path("outside") in text:
                print(f"{name}: told of outside: {text[:300]}")
                escapes += 1
            if name in ("snapshot", "prune", "restore"):
                refill(kept, real)
    finally:
        swapper.kill()
        swapper.wait()
    after = world.outside()
    for path in sorted(set(before.items()) ^ set(after.items())):
        print(f"{name}: changed outside: {path}")
        escapes += 1
    os.close(real)
    world.close()
    print(f"{name}: {rounds} calls, {done} good, {escapes} escapes")
    return escapes


def main():
    program = os.path.abspath(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2
    names = sys.argv[3:] or list(RACES)
    if not hasattr(ctypes.CDLL(None), "renameat2"):
        print("skipped: this system cannot exchange two names")
        return 0
    return 1 if sum([run(program, name, seconds) for name in names]) else 0


if __name__ == "__main__":
    sys.exit(main())
