"""Answers of file systems that cannot do a thing, put in the place of the real ones by strace."""
import os
import shutil
import subprocess
import time

from life import ROWS, Life, Program, change, expect, make_database

# statfs(2)'s answer from its start: f_type, f_bsize, f_blocks, f_bfree, f_bavail.
EXT4, FAT, BLOCK, NOTHING = "53ef000000000000", "444d000000000000", "0010000000000000", "00" * 8

HELD_UP_SECONDS = 3  # the first of two runs

# What strace is to do, per name. A whole life goes on under each.
LIVES = {
    "permissions cannot be set: EPERM": ["fchmod,chmod,fchmodat:error=EPERM"],
    "permissions cannot be set: EOPNOTSUPP": ["fchmod,chmod,fchmodat:error=EOPNOTSUPP"],
    "permissions and owners cannot be set: ENOSYS":
        ["fchmod,chmod,fchmodat,fchown,chown:error=ENOSYS"],
    "no hard links: EPERM, as of FAT": ["link,linkat:error=EPERM", "renameat2:error=EINVAL"],
    "no hard links: EIO, as of rclone": ["link,linkat:error=EIO", "renameat2:error=EINVAL"],
    "a rename fails while the file is carried: EIO, as of rclone":
        ["rename,renameat:error=EIO:when=1+2", "link,linkat:error=EIO", "renameat2:error=EINVAL"],
    "no hard links: EXDEV": ["link,linkat:error=EXDEV", "renameat2:error=ENOSYS"],
    "no rename to new names only: EOPNOTSUPP": ["renameat2:error=EOPNOTSUPP"],
    "size unknown: 0 blocks": ["statfs,fstatfs:poke_exit=@arg2=" + EXT4 + BLOCK + NOTHING * 3],
    "size not told: ENOSYS": ["statfs,fstatfs:error=ENOSYS"],
    "no locks: ENOLCK, as of NFS without lockd": ["flock:error=ENOLCK"],
    "no locks: ENOSYS, as of Lustre": ["flock:error=ENOSYS"],
    "no preallocation: EOPNOTSUPP": ["fallocate:error=EOPNOTSUPP"],
    "no advice: ENOSYS": ["sync_file_range,fadvise64:error=ENOSYS"],
    "no extended attributes: EIO, as of rclone":
        ["llistxattr,lgetxattr,fgetxattr,fsetxattr,fremovexattr:error=EIO"],
}


class Injection:
    def __init__(self, program, folder):
        self.path, self.folder, self.log = program, folder, os.path.join(folder, "trace")
        self.home = os.path.join(folder, "home")

    def program(self, *injections, extra=()):
        if os.path.exists(self.log):
            os.remove(self.log)
        wrap = ["strace", "-f", "-qq", "-A", "-o", self.log, *extra]
        wrap += ["-e", "trace=" + ",".join(marked(i.split(":")[0]) for i in injections)]
        for injection in injections:
            calls, what = injection.split(":", 1)
            wrap += ["-e", f"inject={marked(calls)}:{what}"]
        return Program(self.path, self.home, wrap)

    def life(self, *injections, extra=()):
        life = Life(Program(self.path, self.home), self.folder, self.folder)
        life.program = self.program(*injections, extra=extra)
        return life

    def met(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            expect("INJECTED" in log.read(), "strace met none of these calls")


def marked(calls):
    """Some machines do not have the older ones of these calls: for strace no error with a ?."""
    return ",".join("?" + call for call in calls.split(","))


def files_below(folder):
    return sorted(name for _, _, names in os.walk(folder) for name in names)


def snapshot_of(life):
    return ("snapshot", "--source", life.source, "--destination", life.destination,
            "--hostname", "h")


def whole_life(*injections):
    def scene(injection):
        injection.life(*injections).live()
        injection.met()
    return scene


def file_cannot_be_synced(injection):
    taken = injection.life("fsync,fdatasync:error=EINVAL").snapshot()
    injection.met()
    expect(any("power failure" in warning for warning in taken["warnings"]), "no warning of it")


def refused(code, *injections):
    """A failure stays one: nothing is published, what was there stays."""
    def scene(injection):
        life = Life(Program(injection.path, injection.home), injection.folder, injection.folder)
        life.snapshot()
        before = files_below(life.destination)
        change(life.source, "INSERT INTO notes(text) VALUES ('one more')")
        life.program = injection.program(*injections)
        ended, output, errors = life.program.run(*snapshot_of(life))
        injection.met()
        expect(ended == code, f"ended with {ended}, not {code}: {output} {errors}")
        expect(files_below(life.destination) == before, f"left: {files_below(life.destination)}")
        snapshot = os.path.join(life.destination, "h",
                                [name for name in before if name.endswith(".db")][0])
        expect(life.rows_of(snapshot) == ROWS, "the earlier snapshot was changed")
    return scene


def no_rename_over(injection):
    """The second snapshot of a day where no rename replaces a file, as over SFTP."""
    life = Life(Program(injection.path, injection.home), injection.folder, injection.folder)
    path = life.snapshot()["snapshot"]
    # Of manifest and snapshot the first rename fails, the two of the way round do not.
    life.program = injection.program("rename,renameat:error=EEXIST:when=1+3")
    life.again(path)
    injection.met()
    expect(len(files_below(life.destination)) == 2, f"left: {files_below(life.destination)}")


def locks_without_files(injection):
    """Two runs keep apart where the state folder has no locks."""
    life = Life(Program(injection.path, injection.home), injection.folder, injection.folder)
    life.snapshot()  # the history is there
    slow = injection.program("flock:error=ENOLCK", "fsync:delay_enter="
                             f"{HELD_UP_SECONDS * 1_000_000}:when=1")
    with slow.start(*snapshot_of(life)) as first:
        time.sleep(HELD_UP_SECONDS / 3)
        expect(first.poll() is None, "the first run was not held up")
        injection.log += "2"
        life.program = injection.program("flock:error=ENOLCK")
        life.snapshot()
        expect(first.poll() is not None, "two runs were at work at a time")
        _, errors = first.communicate()
        expect(first.returncode == 0, f"the first run ended with {first.returncode}: {errors}")


def too_large_for_fat(injection):
    """Refused before a byte is written, from what the header says."""
    life = Life(Program(injection.path, injection.home), injection.folder, injection.folder)
    os.remove(life.source)
    make_database(life.source)
    change(life.source, "PRAGMA journal_mode=delete")
    pages = (1 << 32) // 4096
    with open(life.source, "r+b") as file:
        file.seek(28)  # the size in pages: https://www.sqlite.org/fileformat.html
        file.write(pages.to_bytes(4, "big"))
        file.truncate(pages * 4096)  # with holes
    life.program = injection.program("statfs,fstatfs:poke_exit=@arg2=" + FAT)
    code, output, errors = life.program.run(*snapshot_of(life))
    injection.met()
    expect(code == 11 and "FAT" in output + errors, f"ended with {code}: {output} {errors}")
    expect(not files_below(life.destination), f"left: {files_below(life.destination)}")


def leftovers_without_locks(injection):
    """Those of dead runs go by their age; one of a day ago may be at work on another machine."""
    life = Life(Program(injection.path, injection.home), injection.folder, injection.folder)
    folder = os.path.dirname(life.snapshot()["snapshot"])
    paths = [os.path.join(folder, f".~notes-2026-01-01.db.{digit * 16}.tmp") for digit in "ab"]
    for path, days in zip(paths, (1, 3)):
        with open(path, "w", encoding="utf-8") as file:
            file.write("half a copy")
        os.utime(path, (time.time() - days * 86400,) * 2)
    life.program = injection.program("flock:error=ENOLCK")
    life.snapshot()
    there = [os.path.exists(path) for path in paths]
    expect(there == [True, False], f"of 1 and 3 days ago are there: {there}")


def files_that_cannot_be_mapped(injection):
    """SQLite reads them piece by piece instead."""
    life = Life(Program(injection.path, injection.home), injection.folder, injection.folder)
    snapshot = life.snapshot()["snapshot"]
    life.again(snapshot)
    paths = [word for path in (life.source, snapshot) for word in ("-P", path)]
    life.program = injection.program("mmap:error=ENODEV", extra=paths)
    life.list_and_verify()
    injection.met()
    life.restore_new(snapshot)


def new_folders(injection):
    """Each is synced into the one above before the snapshot is told of."""
    life = Life(Program(injection.path, injection.home), injection.folder, injection.folder)
    life.program = injection.program("fsync:delay_enter=1", extra=["-yy"])
    life.snapshot("--label", "l")
    with open(injection.log, encoding="utf-8") as log:
        text = log.read()
    state = os.path.join(injection.home, ".local/state")
    for folder in (life.destination, os.path.join(life.destination, "h"), state):
        expect(f"<{folder}>" in text, f"{folder} got a new entry and was not synced")


def history_without_shared_memory(injection):
    """Told, and no more: https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory"""
    state = os.path.join(injection.home, ".local/state/backup-plugin-db/history.db-shm")
    life = injection.life("mmap:error=ENODEV", extra=["-P", state])
    for _ in range(2):
        warnings = life.snapshot().get("warnings", [])
        expect(len(warnings) == 1 and "recorded" in warnings[0], f"warnings: {warnings}")


SCENES = {name: whole_life(*injections) for name, injections in LIVES.items()} | {
    "files cannot be synced: EINVAL": file_cannot_be_synced,
    "no rename replaces a file: EEXIST, as over SFTP": no_rename_over,
    "no locks, two runs at a time": locks_without_files,
    "no locks, leftovers of dead runs": leftovers_without_locks,
    "files cannot be mapped: ENODEV": files_that_cannot_be_mapped,
    "new folders are synced": new_folders,
    "no shared memory for the history: ENODEV": history_without_shared_memory,
    "FAT's largest file": too_large_for_fat,
    "a failure: the sync of a file, EIO": refused(14, "fsync,fdatasync:error=EIO"),
    "a failure: a full disk, ENOSPC": refused(8, "fallocate:error=ENOSPC"),
    "a failure: a quota, EDQUOT": refused(8, "fallocate:error=EDQUOT"),
    "a failure: a file too large, EFBIG": refused(11, "fallocate:error=EFBIG"),
    "a failure: a disk for reading only, EROFS": refused(5, "rename,renameat:error=EROFS"),
}


def missing():
    """Why strace cannot be used here; empty when it can."""
    if shutil.which("strace") is None:
        return "strace is missing"
    tried = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "inject=chmod:error=EPERM",
                            "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else "strace may not trace here: " + tried.stderr.strip()
