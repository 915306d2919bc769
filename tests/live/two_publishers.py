#!/usr/bin/env python3
"""Two processes with state folders of their own publish snapshots under one name, again and again:
no manifest may ever lie beside other bytes than those it speaks of.

Usage: two_publishers.py PROGRAM [SECONDS]
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time


def environment(folder, name):
    places = {"HOME": "home", "XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config",
              "XDG_DATA_HOME": "data", "XDG_RUNTIME_DIR": "run"}
    result = dict(os.environ)
    for variable, kind in places.items():
        result[variable] = os.path.join(folder, name, kind)
        os.makedirs(result[variable])
    return result


def consistent(snapshot):
    """True, false, or nothing where something was replaced meanwhile."""
    try:
        with open(snapshot + ".manifest.json", "rb") as file:
            first = file.read()
        with open(snapshot, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        with open(snapshot + ".manifest.json", "rb") as file:
            second = file.read()
    except FileNotFoundError:
        return None
    if first != second:
        return None
    manifest = json.loads(first)
    # Between the two steps of publishing the manifest names the snapshot that it is to replace.
    return digest in (manifest["sha256"], manifest.get("replaces", {}).get("sha256"))


def main():
    program = os.path.abspath(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    folder = os.path.realpath(tempfile.mkdtemp())
    source = os.path.join(folder, "source", "x.db")
    destination = os.path.join(folder, "destination")
    os.makedirs(os.path.dirname(source))
    os.makedirs(destination)
    database = sqlite3.connect(source)
    database.execute("PRAGMA journal_mode = WAL")
    # Of one length, whatever the number in it: a mixture would not show by that.
    database.execute("CREATE TABLE t(a)")
    database.executemany("INSERT INTO t VALUES (?)", [(1 << 40,)] * 2000)
    database.commit()
    command = [program, "snapshot", "--source", source, "--destination", destination, "--hostname",
               "h", "--date", "2026-01-01"]
    users = [environment(folder, name) for name in ("one", "two")]
    running = [None, None]
    snapshot = os.path.join(destination, "h", "x-2026-01-01.db")
    published = mixtures = looks = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for which, user in enumerate(users):
            if running[which] is not None and running[which].poll() is None:
                continue
            if running[which] is not None:
                published += running[which].returncode == 0
                if running[which].returncode != 0:
                    print(running[which].stderr.read().decode())
                    mixtures += 1
            database.execute("UPDATE t SET a = a + 1")
            database.commit()
            running[which] = subprocess.Popen(command, env=user, stdout=subprocess.DEVNULL,
                                              stderr=subprocess.PIPE)
        state = consistent(snapshot)
        looks += state is not None
        if state is False:
            print("a manifest lies beside other bytes")
            mixtures += 1
    for process in running:
        process.wait()
    mixtures += consistent(snapshot) is not True
    left = [name for name in os.listdir(os.path.dirname(snapshot)) if name.startswith(".~")]
    print(f"{published} published, {looks} looks, {mixtures} mixtures, left over: {left}")
    shutil.rmtree(folder)
    return 1 if mixtures or left or published < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
