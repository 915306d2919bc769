#!/usr/bin/env python3
"""Unfriendly disks, mounts and limits: each works, or is refused with the next step before anything
changed.

Usage: rough_spots.py PROGRAM [NAME…]

Ends with 77 where nothing of this can be tried; single ones that cannot are named and passed over.
"""
import ctypes
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from scene import (DAYS, LIVE_ROWS, NEW_DAY, OLD_ROWS, OTHER_ENTRIES, SOURCE_ROWS, Scene,
                   content_of_copy, fill, sha256)

CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_BIND, MS_PRIVATE_REC = 0x20000, 1, 32, 4096, 0x44000
NOBODY = 65534
libc = ctypes.CDLL(None, use_errno=True)


class CannotTry(Exception):
    pass


def mount(source, target, kind, flags, data=None):
    done = libc.mount(str(source).encode(), str(target).encode(), kind and kind.encode(), flags,
                      data and data.encode())
    if done != 0:
        raise CannotTry(f"mount: {os.strerror(ctypes.get_errno())}")


def strace(*expressions):
    if shutil.which("strace") is None:
        raise CannotTry("no strace")
    return ["strace", "-f", "-qq", "-o", "/dev/null", *expressions]


def snapshot_words(scene, source=None, day=NEW_DAY):
    return ["snapshot", "--source", str(source or scene.source), "--destination",
            str(scene.destination), "--hostname", "h", "--date", day]


def restore_words(scene):
    return ["restore", "--snapshot", str(scene.snapshot(DAYS[1])), "--target", str(scene.live),
            "--in-place", "--confirm"]


def succeeds(done):
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def refused(done, *words):
    assert 0 < done.returncode < 126, f"{done.returncode}: {done.stdout}{done.stderr}"
    for word in words:
        assert word in done.stderr, f"no '{word}' in: {done.stderr}"


def read_only_media(scene):
    """A WAL database on media that nobody can write: with what is in its -wal, and without one."""
    folder = scene.base / "media"
    folder.mkdir()
    mount("none", folder, "tmpfs", 0)
    shutil.copy(scene.source, folder / "with.db")
    shutil.copy(f"{scene.source}-wal", folder / "with.db-wal")
    fill(folder / "without.db", 5, "alone").close()
    db = fill(folder / "rollback.db", 6, "alone")
    db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    before = {path: sha256(path) for path in folder.iterdir()}
    mount("none", folder, None, MS_REMOUNT | MS_RDONLY)
    for name, expected in (("with", ("source", SOURCE_ROWS)), ("without", ("alone", 5)),
                           ("rollback", ("alone", 6))):
        succeeds(scene.run(snapshot_words(scene, folder / f"{name}.db")))
        copy = scene.destination / "h" / f"{name}-{NEW_DAY}.db"
        assert content_of_copy(copy, scene.base / "look") == expected, name
    assert before == {path: sha256(path) for path in folder.iterdir()}


def read_only_here(scene):
    """Read-only by its mount alone: others may write there, so a WAL without -shm is refused."""
    folder = scene.source.parent
    mount(folder, folder, None, MS_BIND)
    mount(folder, folder, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    refused(scene.run(snapshot_words(scene)), "is in WAL mode", "mounted read-only here")
    scene.check_guarded()


def no_writable_descriptor(scene):
    """Opening for reading and writing is refused, reading is not: a rollback database still works."""
    db = fill(scene.work / "source/r.db", 9, "plain")
    db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    for error in ("EROFS", "EACCES", "EPERM"):
        wrap = strace("-P", str(scene.work / "source/r.db"), "-e", "trace=openat", "-e",
                      f"inject=openat:error={error}:when=1")
        succeeds(scene.run(snapshot_words(scene, scene.work / "source/r.db"), wrap))
        copy = scene.destination / "h" / f"r-{NEW_DAY}.db"
        assert content_of_copy(copy, scene.base / "look") == ("plain", 9)


def without_flock(scene):
    """A home whose file system knows no flock: runs go on, and still exclude each other."""
    words = ["install-schedule", "--source", str(scene.source), "--destination",
             str(scene.destination), "--hostname", "h", "--name", "n", "--scheduler", "cron"]
    succeeds(scene.run(words))
    for error in ("ENOLCK", "EOPNOTSUPP", "ENOSYS"):
        wrap = strace("-e", "trace=flock", "-e", f"inject=flock:error={error}")
        succeeds(scene.run(snapshot_words(scene), wrap))
    key = hashlib.sha256(b"schedule n").hexdigest()[:32]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as holder:
        holder.bind(f"\0backup-plugin-db.{os.geteuid()}.{key}")
        busy = scene.run(["run", "n"], wrap)
    refused(busy, "busy: ", "is in the way of")
    succeeds(scene.run(["run", "n"], wrap))


def one_mounted_file(scene):
    """A database that is a mount of its own, as in containers: refused before anything changed."""
    elsewhere = scene.base / "elsewhere.db"
    shutil.copy(scene.live, elsewhere)
    mount(elsewhere, scene.live, None, MS_BIND)
    before = sorted(path.name for path in scene.live.parent.iterdir())
    refused(scene.run(restore_words(scene)), "unsupported: ", "mounted on its own", "cp NEW_FILE")
    refused(scene.run(restore_words(scene) + ["--dry-run"]), "mounted on its own")
    assert before == sorted(path.name for path in scene.live.parent.iterdir())
    assert content_of_copy(scene.live, scene.base / "look") == ("live", LIVE_ROWS)


def locked_for_hours(scene):
    """Firefox holds its databases as long as it runs: who does is named."""
    holder = subprocess.Popen(
        [sys.executable, "-c",
         "import sqlite3,sys\ndb=sqlite3.connect(sys.argv[1],isolation_level=None)\n"
         "db.execute('PRAGMA locking_mode=EXCLUSIVE');db.execute('BEGIN EXCLUSIVE');"
         "db.execute('COMMIT')\nprint(flush=True);sys.stdin.read()", str(scene.live)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        preview = succeeds(scene.run(restore_words(scene) + ["--dry-run"]))
        assert f"(process {holder.pid}" in preview, preview
        refused(scene.run(snapshot_words(scene, scene.live)), "busy: ", f"(process {holder.pid}",
                "close it")
    finally:
        holder.stdin.close()
        holder.wait()


def hanging_destination(scene):
    """A file server that is gone: the status says so in seconds, and a signal ends it at once."""
    succeeds(scene.run(["install-schedule", "--source", str(scene.source), "--destination",
                        str(scene.destination), "--name", "n", "--scheduler", "cron"]))
    try:
        fuse = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        raise CannotTry(f"/dev/fuse: {error.strerror}") from error
    try:
        # Nobody ever answers, not even to FUSE_INIT.
        mount("hangs", scene.destination, "fuse", 0,
              f"fd={fuse},rootmode=40000,user_id=0,group_id=0")
        begun = time.monotonic()
        done = scene.run(["status"], timeout=60)
        took = time.monotonic() - begun
        assert took < 8, f"the status took {took:.1f} s"
        assert f"{scene.destination} does not answer" in done.stdout, done.stdout + done.stderr
        assert str(scene.source) in done.stdout
        assert 0 < done.returncode < 126, done.returncode
        server = subprocess.Popen([scene.program, "status"], env=scene.env,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        begun = time.monotonic()
        server.send_signal(signal.SIGTERM)
        server.wait(10)
        assert time.monotonic() - begun < 1, "deaf to SIGTERM"
    finally:
        libc.umount2(str(scene.destination).encode(), 2)
        os.close(fuse)


def failing_disk(scene):
    """A snapshot that cannot be read is not a damaged one."""
    snapshot = scene.snapshot(DAYS[1])
    failed = 0
    for number in range(1, 60, 3):
        wrap = strace("-P", str(snapshot), "-e", "trace=pread64", "-e",
                      f"inject=pread64:error=EIO:when={number}")
        done = scene.run(["verify", "--snapshot", str(snapshot), "--level", "full"], wrap)
        assert "damaged" not in done.stdout + done.stderr, done.stdout + done.stderr
        if done.returncode != 0:
            refused(done, "io: ")
            failed += 1
    assert failed > 0, "nothing failed"
    scene.check_listed(DAYS)


def crontab_breaks_off(scene):
    """What cannot be read of `crontab -l` is not its end: the entries of others stay."""
    for number in range(1, 16):
        scene.take()
        words = ["install-schedule", "--source", str(scene.source), "--destination",
                 str(scene.destination), "--name", "n", "--scheduler", "cron", "--no-run-now"]
        scene.run(words, strace("-e", "trace=read", "-e", f"inject=read:error=EIO:when={number}"))
        text = (scene.work / "crontab.txt").read_text()
        assert OTHER_ENTRIES in text, f"read #{number}: {text!r}"


def long_names(scene):
    """As long as SQLite can have one (NAME-journal is 255 bytes): it is cut for the snapshots, which are found again."""
    for name in ("y" * 244 + ".db", "é" * 122 + ".db"):
        source = scene.work / "source" / name
        fill(source, 3, "long").close()
        succeeds(scene.run(snapshot_words(scene, source, DAYS[0])))
        succeeds(scene.run(snapshot_words(scene, source, DAYS[1])))
        listed = succeeds(scene.run(["list", "--destination", str(scene.destination), "--source",
                                     str(source)]))
        assert listed.count("-2026-01-0") >= 2, listed
    target = scene.work / "live" / ("z" * 252 + ".db")
    words = ["restore", "--snapshot", str(scene.snapshot(DAYS[1])), "--target", str(target)]
    refused(scene.run(words), "invalid_argument: ", "File name too long", "shorter")


def few_descriptors(scene):
    """With too few descriptors a run fails with an error; with enough it works."""
    for limit in range(4, 40, 3):
        scene.take()
        done = scene.run(snapshot_words(scene), ["sh", "-c", f"ulimit -n {limit}; exec \"$@\"", "-"])
        assert 0 <= done.returncode < 128, f"{limit}: {done.returncode} {done.stderr}"
        scene.check_guarded()
        if done.returncode == 0:
            scene.check_snapshot(NEW_DAY, "source", SOURCE_ROWS)
        else:
            assert not scene.snapshot(NEW_DAY).exists()
            assert "damaged" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


def small_files(scene):
    """Where files may not grow beyond a limit, a run fails with an error that names the file."""
    for kibibytes in (4, 8, 16, 24, 32):
        scene.take()
        done = scene.run(snapshot_words(scene),
                         ["bash", "-c", f"ulimit -f {kibibytes}; exec \"$@\"", "-"])
        scene.check_guarded()
        assert 0 < done.returncode < 128, f"{kibibytes}: {done.returncode} {done.stderr}"
        assert "File too large" in done.stderr or "ulimit -f" in done.stderr, done.stderr
        assert not scene.snapshot(NEW_DAY).exists()


def full_output(scene):
    """What could not be told is no success, though what was asked for is done."""
    succeeds(scene.run(["install-schedule", "--source", str(scene.source), "--destination",
                        str(scene.destination), "--name", "n", "--scheduler", "cron"]))
    for words in (["run", "n"], ["self-test"], ["list"], ["--help"]):
        done = scene.run(words, ["sh", "-c", "exec \"$@\" >/dev/full", "-"])
        refused(done, "io: ", "could not be written")


def no_threads(scene):
    """A user at the limit of processes: one thread does all, and nothing aborts."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        raise CannotTry("not root")
    scene.base.chmod(0o755)
    program = scene.base / "program"
    shutil.copy(scene.program, program)
    program.chmod(0o755)
    for path in [scene.work, *scene.work.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "sh", "-c",
                 "ulimit -u 1; shift; exec \"$@\"", "-"]
    named = scene.program
    wrap = [*as_nobody, named, str(program)]
    for words in (snapshot_words(scene), restore_words(scene),
                  ["verify", "--snapshot", str(scene.snapshot(NEW_DAY)), "--level", "full"]):
        done = subprocess.run([*wrap, *words], env=scene.env, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60, cwd=scene.base)
        succeeds(done)
    scene.check_snapshot(NEW_DAY, "source", SOURCE_ROWS)
    assert content_of_copy(scene.live, scene.base / "look") == ("old", OLD_ROWS)


SPOTS = [read_only_media, read_only_here, no_writable_descriptor, without_flock, one_mounted_file,
         locked_for_hours, hanging_destination, failing_disk, crontab_breaks_off, long_names, few_descriptors, small_files,
         full_output, no_threads]


def try_spot(program, spot):
    """In a process with mounts of its own, so that nothing of them stays."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        if libc.unshare(CLONE_NEWNS) == 0:
            mount("none", "/", None, MS_PRIVATE_REC)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
            scene = Scene(program, base)
            scene.take()
            try:
                spot(scene)
                code = 0
            except CannotTry as why:
                print(f"{spot.__name__} cannot be tried: {why}")
                code = 77
    except AssertionError as problem:
        print(f"BAD {spot.__name__}: {problem}")
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    spots = [spot for spot in SPOTS if len(sys.argv) < 3 or spot.__name__ in sys.argv[2:]]
    codes = [try_spot(program, spot) for spot in spots]
    print(f"{codes.count(0)} of {len(codes)} tried and right")
    if all(code == 77 for code in codes):
        return 77
    return 0 if all(code in (0, 77) for code in codes) else 1


if __name__ == "__main__":
    sys.exit(main())
