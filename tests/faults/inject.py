#!/usr/bin/env python3
"""Lets system calls of the program fail, one in each run, and looks at what is left.

Usage: inject.py PROGRAM [COUNT [SEED [CALL…]]]

Of every (operation, call, error, N) a random sample of COUNT runs is made (all with 0). N is the
call's number in its thread, as strace counts. CALL: these system calls only. After each run: it ended by itself and by no signal;
0 only where what was promised is there and whole; no word of damage where there is none; the source
byte for byte as it was; older snapshots whole and listed as good; a database that was to be
replaced is the old one or the new one, whole. Ends with 77 where strace cannot be used.
"""
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

from scene import (DAYS, LIVE_ROWS, NEW_DAY, OLD_ROWS, OTHER_ENTRIES, SOURCE_ROWS, Scene,
                   content_of_copy)

MAX_NUMBER = 40
TIMEOUT_S = 100
DAMAGED, PROGRAM_MISSING = 9, 127
READS = ("openat openat2 read pread64 getdents64 statfs fstatfs newfstatat statx lseek "
         "readlink").split()
WRITES = ("write pwrite64 pwritev fsync fdatasync ftruncate rename renameat renameat2 link linkat "
          "unlink unlinkat rmdir mkdir mkdirat fchmod chmod fchown chown flock fcntl mmap "
          "sync_file_range fallocate pipe pipe2 poll socket bind close").split()
THREADS = "clone clone3 vfork".split()
ERRORS = {call: ["EIO", "ENOSPC", "EINTR", "EINVAL", "EMFILE"] for call in WRITES}
ERRORS.update({call: ["EIO", "EINTR", "EINVAL", "EMFILE"] for call in READS})
ERRORS.update({call: ["EAGAIN", "ENOMEM"] for call in THREADS})
ERRORS["read"] = ERRORS["pread64"] = ["EIO", "EINTR", "ENOMEM"]
ERRORS["mmap"] = ["ENOMEM", "EINVAL"]
ERRORS["poll"] = ["EINTR", "EINVAL"]
ERRORS["close"] = ["EIO", "EINTR"]
ERRORS["flock"] = ["ENOLCK", "EOPNOTSUPP", "EINTR", "EIO"]
ERRORS["fcntl"] = ["ENOLCK", "EIO", "EINTR", "EINVAL"]


def operations(scene):
    snapshot = ["snapshot", "--source", str(scene.source), "--destination", str(scene.destination),
                "--hostname", "h"]
    restore = ["restore", "--snapshot", str(scene.snapshot(DAYS[1]))]
    return {
        "snapshot": snapshot + ["--date", NEW_DAY, "--keep-last", "9"],
        "same-day": snapshot + ["--date", DAYS[1]],
        "restore-new": restore + ["--target", str(scene.work / "live/new.db")],
        "restore-in-place": restore + ["--target", str(scene.live), "--in-place", "--confirm"],
        "verify": ["verify", "--snapshot", str(scene.snapshot(DAYS[1]))],
        "prune": ["prune", "--source", str(scene.source), "--destination", str(scene.destination),
                  "--hostname", "h", "--keep-last", "1", "--no-dry-run"],
        "install": ["install-schedule", "--source", str(scene.source), "--destination",
                    str(scene.destination), "--hostname", "h", "--name", "n", "--scheduler", "cron"],
    }


def check_snapshot(scene, ok):
    scene.check_guarded()
    new = scene.snapshot(NEW_DAY)
    if ok or new.exists():
        scene.check_snapshot(NEW_DAY, "source", SOURCE_ROWS)
    scene.check_listed(DAYS)
    if ok:
        scene.check_listed([NEW_DAY])


def check_same_day(scene, ok):
    replaced = scene.snapshot(DAYS[1])
    scene.before = {path: digest for path, digest in scene.before.items()
                    if not str(path).startswith(str(replaced))}
    scene.check_guarded()
    found = content_of_copy(replaced, scene.base / "look")
    assert found == ("source", SOURCE_ROWS) or (not ok and found == ("old", OLD_ROWS)), found
    scene.check_snapshot(DAYS[1], *found)
    scene.check_listed(DAYS)


def check_restore_new(scene, ok):
    scene.check_guarded()
    new = scene.work / "live/new.db"
    if ok or new.exists():
        assert content_of_copy(new, scene.base / "look") == ("old", OLD_ROWS)
    scene.check_listed(DAYS)


def check_in_place(scene, ok):
    scene.check_guarded()
    found = content_of_copy(scene.live, scene.base / "look")
    assert found == ("old", OLD_ROWS) or (not ok and found == ("live", LIVE_ROWS)), found
    if found[0] == "old":
        kept = [path for path in scene.live.parent.glob("y.before-restore-*.db")]
        assert len(kept) == 1, f"kept: {kept}"
        assert content_of_copy(kept[0], scene.base / "look") == ("live", LIVE_ROWS), "kept one"
    scene.check_listed(DAYS)


def check_verify(scene, ok):
    scene.check_guarded()
    scene.check_listed(DAYS)


def check_prune(scene, ok):
    first = scene.snapshot(DAYS[0])
    scene.check_guarded(gone=(first, pathlib.Path(f"{first}.manifest.json")))
    assert not ok or not first.exists(), "not removed"
    scene.check_listed([DAYS[1]])


def check_install(scene, ok):
    scene.check_guarded()
    tab = scene.work / "crontab.txt"
    text = tab.read_text() if tab.exists() else ""
    assert OTHER_ENTRIES in text, f"entries of others: {text!r}"
    entry = "backup-plugin-db" in text
    job = (scene.work / "home/.config/backup-plugin-db/jobs/n.json").exists()
    if ok:
        assert entry and job, "installed, and not there"
        assert len(list((scene.destination / "h").glob("x-*.db"))) > len(DAYS), "no proof of it"
    scene.check_listed(DAYS)


CHECKS = {"snapshot": check_snapshot, "same-day": check_same_day, "restore-new": check_restore_new,
          "restore-in-place": check_in_place, "verify": check_verify, "prune": check_prune,
          "install": check_install}


def strace(trace, expression=(), log="/dev/null"):
    return ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={trace}", *expression]


def count_calls(scene, words):
    """How often one thread makes each call, at most."""
    scene.take()
    log = scene.base / "trace"
    done = scene.run(words, strace(",".join(f"?{call}" for call in ERRORS), log=log))
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {}
    for line in log.read_text(errors="replace").splitlines():
        made = re.match(r"(\d+) +(\w+)\(", line)
        if made:
            counts[made.groups()] = counts.get(made.groups(), 0) + 1
    most = {}
    for (_, call), count in counts.items():
        most[call] = max(most.get(call, 0), count)
    return most


def first_after_loader(scene):
    """mmap calls before it are the dynamic loader's, which does not survive each failure."""
    log = scene.base / "trace"
    scene.run(["--version"], strace("mmap", log=log))
    return len(log.read_text().splitlines())


def inject(scene, name, words, call, error, number):
    scene.take()
    try:
        done = scene.run(words, strace(call, ["-e", f"inject={call}:error={error}:when={number}"]),
                         TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "it hangs"
    code = done.returncode
    said = (done.stderr.strip().splitlines() or [""])[0]
    if code < 0 or code >= 128:
        return f"ended by a signal: {code}: {said}"
    if "internal:" in done.stderr:
        return f"an error of ours: {said}"
    # A job file that cannot be opened for an argument that is none is called so, too.
    if (code == DAMAGED or "damaged" in done.stderr) and "The job file" not in done.stderr:
        return f"false word of damage: {said}"
    if code == PROGRAM_MISSING:  # the loader gave up
        said = ""
    try:
        # What could not be looked at stays, and is told as kept.
        kept = name == "prune" and f"kept  {scene.snapshot(DAYS[0])}" in done.stdout
        CHECKS[name](scene, code == 0 and not kept)
    except AssertionError as problem:
        return f"exit code {code} ({said}): {problem}"
    return ""


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    if shutil.which("strace") is None or subprocess.run(
            strace("close") + ["true"], capture_output=True).returncode != 0:
        print("strace cannot be used here")
        return 77
    calls = sys.argv[4:] or ERRORS
    bad = 0
    with tempfile.TemporaryDirectory() as base:
        scene = Scene(program, base)
        plan = []
        first = {"mmap": first_after_loader(scene)}
        for name, words in operations(scene).items():
            for call, most in count_calls(scene, words).items():
                plan += [(name, words, call, error, number) for error in ERRORS[call]
                         for number in range(first.get(call, 1), min(most, MAX_NUMBER) + 1)
                         if call in calls]
        chosen = plan if count == 0 else chance.sample(plan, min(count, len(plan)))
        for name, words, call, error, number in chosen:
            problem = inject(scene, name, words, call, error, number)
            if problem:
                bad += 1
                print(f"BAD {name}: {call} #{number} {error}: {problem}", flush=True)
    print(f"{len(chosen)} of {len(plan)} possible faults, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
