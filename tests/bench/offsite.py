#!/usr/bin/env python3
"""What a copy off this machine costs beside rclone alone.

Usage: offsite.py PROGRAM [ROUNDS]        (default 5)

Over WebDAV and crypt on loopback, a database of about 10 MB, the median of each: ours for a database
that changed, and for one that did not; against `rclone copyto` and `rclone hashsum --download` of the
same file one after the other. Also the most memory that our own process had, and the bytes that
came to the server's disk on an unchanged night. Ours starts rclone once and asks it for everything; the
other starts it twice, and neither lists nor keeps rules. So the rates are told for a larger database as well.
"""
import contextlib
import datetime
import itertools
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "offsite"))
from box import Box, need_rclone  # noqa: E402

REMOTE = "cryptdav:claude"


def peak_kb(process):
    """Of that process alone: what it starts is rclone."""
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError, IndexError, ValueError):
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))
        time.sleep(0.005)
    return peak


def timed_offsite(box):
    began = time.monotonic()
    process = subprocess.Popen([box.program, "offsite"], env=box.env, cwd=box.base,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    peak = peak_kb(process)
    took = time.monotonic() - began
    assert process.returncode == 0, process.stderr.read()
    return took, peak


def timed_rclone(box, file):
    began = time.monotonic()
    box.rclone("copyto", "--ignore-times", str(file), "cryptdav:alone/x.db")
    box.rclone("hashsum", "sha256", "--download", "cryptdav:alone/x.db")
    return time.monotonic() - began


def served_bytes(box):
    return sum(path.stat().st_size for path in (box.base / "served").rglob("*") if path.is_file())


def main():
    need_rclone()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory(prefix="offsite-bench-") as base:
        box = Box(os.path.abspath(sys.argv[1]), base)
        try:
            box.snapshot("--date", "2026-01-01")
            box.rclone("copy", str(box.destination), REMOTE)
            box.fill(9_000)
            box.install(REMOTE)
            first = datetime.date(2026, 2, 1)  # each night has a name of its own
            nights = (first + datetime.timedelta(days=n) for n in itertools.count())
            measure(box, nights, rounds)
            box.fill(90_000)
            measure(box, nights, max(rounds // 2, 1))
        finally:
            box.close()


def measure(box, nights, rounds):
    changed, unchanged, alone, peaks = [], [], [], []
    for night in itertools.islice(nights, rounds):
        box.change()
        box.snapshot("--date", str(night))
        file = box.destination / box.host / f"global-{night}.db"
        took, peak = timed_offsite(box)
        changed.append(took)
        peaks.append(peak)
        alone.append(timed_rclone(box, file))
        before = served_bytes(box)
        unchanged.append(timed_offsite(box)[0])
        sent = served_bytes(box) - before
        assert sent == 0, f"{sent} bytes on an unchanged night"
    ours, theirs = statistics.median(changed), statistics.median(alone)
    print(f"database {file.stat().st_size / 1e6:.1f} MB, {rounds} rounds, medians")
    print(f"changed    {ours:.2f} s; copyto and hashsum alone {theirs:.2f} s: "
          f"{ours / theirs:.2f} times")
    print(f"unchanged  {statistics.median(unchanged):.2f} s, 0 bytes sent")
    print(f"memory     {max(peaks) / 1024:.1f} MiB of ours")


main()
