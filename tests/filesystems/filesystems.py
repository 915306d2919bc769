#!/usr/bin/env python3
"""Backups on file systems that lack much: real ones where they can be mounted, and by injection.

Usage: filesystems.py PROGRAM [WORD]    WORD: only what has it in its name

Each gets a whole life: a snapshot, a second one of the day, one after a loss, list, verify, restore
to a new file, in place and of a lost database, retention. As root in namespaces of its own all that
can be mounted here is; the injection part (strace) runs always. Says at the end which ran, and ends
with 77 only where not even strace can be used and BPD_NO_SKIPS is not set.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import injected  # noqa: E402
import mounts  # noqa: E402
from life import Fault  # noqa: E402

INSIDE = "BPD_FILESYSTEMS_INSIDE"
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
              "--propagation", "private"]


def enter_namespaces():
    """So that no mount, and no server of one, outlives the test. Returns where they cannot be."""
    if os.environ.get(INSIDE) or os.geteuid() != 0 or shutil.which("unshare") is None:
        return
    if subprocess.run([*NAMESPACES, "true"], capture_output=True).returncode != 0:
        return
    os.environ[INSIDE] = "1"
    os.execvp(NAMESPACES[0], [*NAMESPACES, sys.executable, *sys.argv])


def in_folder(scene, *arguments):
    folder = tempfile.mkdtemp(prefix="filesystems.")
    try:
        os.chmod(folder, 0o755)  # for the user without rights
        scene(*arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Report:
    def __init__(self):
        self.faults, self.lines = 0, []

    def note(self, name, how):
        self.lines.append(f"{how:>9}: {name}")
        print(self.lines[-1], flush=True)

    def run(self, name, scene, *arguments):
        try:
            in_folder(scene, *arguments)
            self.note(name, "ran")
        except Fault as fault:
            self.faults += 1
            self.note(f"{name}: {fault}", "FAULT")
        except mounts.NotHere as why:
            self.note(f"{name} ({why}); replaced by injection", "not here")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    enter_namespaces()
    program, word = os.path.abspath(sys.argv[1]), (sys.argv[2:] or [""])[0]
    report = Report()
    print("By injection:")
    why_not = injected.missing()
    for name, scene in injected.SCENES.items():
        if why_not:
            report.note(f"{name} ({why_not})", "skipped")
        elif word in name:
            report.run(name, lambda *a, s=scene: s(injected.Injection(*a)), program)
    print("On real file systems:")
    for name, scene in mounts.SCENES.items():
        if word in name:
            report.run(name, scene, program)
    if report.faults:
        sys.exit(f"{report.faults} of {len(report.lines)} at fault")
    if why_not:
        sys.exit(1 if os.environ.get("BPD_NO_SKIPS") else 77)


if __name__ == "__main__":
    main()
