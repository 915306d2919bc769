#!/usr/bin/env python3
"""A life of copies off this machine, with the real rclone on loopback.

Usage: life.py PROGRAM [BACKEND…]     (of dav sftp folder cryptdav cryptsftp cryptfolder)

For each: a schedule is installed and proves itself, the copy is listed, verified, left alone when
nothing changed, kept by rules, restored, and brought home on a machine that has nothing.
"""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from box import BACKENDS, Box, need_rclone, sha256


def rows(path):
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", path
        return db.execute("SELECT count(*) FROM notes").fetchone()[0]
    finally:
        db.close()


def tree(folder):
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size)
            for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def status_of(box):
    status = json.loads(box.run("status", "--json").stdout)
    return next(entry for entry in status["databases"] if entry["source"] == str(box.database))


def check_installed(box, remote):
    told = box.install(remote, "--keep-last", "5").stdout
    assert "Copied off this machine and read back: " + remote in told, told
    job = json.loads((box.home / ".config/backup-plugin-db/jobs/global.json").read_text())
    assert job["offsite"]["remote"] == remote
    for path in (job["offsite"]["program"], job["offsite"]["config"]):
        assert os.path.isabs(path) and os.path.exists(path), path
    assert "pass" not in json.dumps(job), "a secret in the job"
    assert box.check_marks(remote) == 1
    offsite = status_of(box)["offsite"]
    assert offsite["remote"] == remote and offsite["copies"] == 1, offsite
    assert offsite["encrypted"] == remote.startswith("crypt"), offsite
    assert offsite["age_hours"] < 1 and "last_error" not in offsite, offsite


def check_unchanged(box, remote):
    before = tree(box.base / "served")
    copies = box.offsite()["copies"]
    assert [copy["what"] for copy in copies] == ["unchanged"], copies
    assert tree(box.base / "served") == before, "an unchanged database sent something"
    encrypted = remote.startswith("crypt")
    names = " ".join(before)
    assert ("global-" in names) != encrypted, names


def check_kept(box, remote):
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        box.snapshot("--date", day)
    box.rclone("copy", str(box.destination), remote)
    assert box.check_marks(remote) == 4
    box.change()
    box.snapshot("--label", "")
    shown = box.offsite("--dry-run")["copies"][0]
    assert shown["what"] == "sent", shown
    copy = box.offsite()["copies"][0]
    assert copy["what"] == "sent" and copy["copies"] == 4, copy
    box.run("install-schedule", "--name", "global", "--offsite-keep", "last=3", check=10)
    assert box.check_marks(remote) == 4, "removed without a yes"
    box.run("install-schedule", "--name", "global", "--offsite-keep", "last=3", "--confirm", check=0)
    assert box.check_marks(remote) == 3
    pruned = box.json("prune", "--destination", remote, "--source", box.database, "--hostname",
                      box.host, "--keep-last", "2")
    assert len(pruned["expired"]) == 1 and pruned["dry_run"], pruned
    assert box.check_marks(remote) == 3
    box.json("prune", "--destination", remote, "--source", box.database, "--hostname", box.host,
             "--keep-last", "2", "--no-dry-run")
    assert box.check_marks(remote) == 2


def check_read(box, remote):
    listed = box.json("list", "--destination", remote)
    assert listed["total"] == 2, listed
    newest = listed["snapshots"][0]["path"]
    assert newest.startswith(remote + "/" + box.host + "/global-"), newest
    assert box.json("verify", "--snapshot", newest)["verdict"] == "verified"
    latest = box.json("verify", "--destination", remote, "--source", box.database)
    assert latest["snapshot"] == newest, latest
    target = box.base / "restored.db"
    box.run("restore", "--snapshot", newest, "--target", target, check=0)
    assert rows(target) == rows(box.database)
    target.unlink()
    with sqlite3.connect(box.database) as db:
        db.execute("DELETE FROM notes WHERE id = 1")
    db.close()
    lost = box.json("lost", "--source", box.database, "--destination", remote)
    assert "notes" in json.dumps(lost), lost
    left = [path for path in (box.home / ".local/state/backup-plugin-db/fetched").rglob("*")
            if path.is_file()]
    assert not left, f"left behind: {left}"


def check_nothing_lacks(box, remote):
    result = box.json("restore-all", "--destination", remote, "--dry-run")
    assert result["databases"] == [] and len(result["left"]) == 1, result
    empty = box.run("restore-all", "--destination", remote + "/none", "--dry-run")
    assert empty.returncode == 3 and "no snapshot with a manifest" in empty.stderr, empty


def check_stolen_laptop(box, remote):
    """The commands of the sheet, as they stand there, on a home with nothing in it."""
    sheet = box.base / "sheet.txt"
    told = box.json("offsite", "--recovery-sheet", sheet)
    assert sheet.stat().st_mode & 0o777 == 0o600
    assert any("away from" in warning for warning in told["warnings"]), told
    refused = box.run("offsite", "--recovery-sheet", box.destination / "sheet.txt")
    assert refused.returncode != 0 and not (box.destination / "sheet.txt").exists()
    wanted = rows(box.database) + 1  # the one that was deleted comes back
    commands = "\n".join(line for line in sheet.read_text().splitlines()
                         if not line.startswith("#"))
    shutil.move(box.home, box.base / "stolen")
    try:
        box.home.mkdir()
        bin_folder = box.base / "bin"
        bin_folder.mkdir(exist_ok=True)
        (bin_folder / "backup-plugin-db").unlink(missing_ok=True)
        (bin_folder / "backup-plugin-db").symlink_to(box.program)
        began = time.monotonic()
        env = {**box.env, "PATH": f"{bin_folder}:{box.env['PATH']}"}
        # In a terminal it asks; here the yes is given beforehand.
        commands = commands.replace(f"--destination {remote}", f"--destination {remote} --confirm")
        done = subprocess.run(["sh", "-euc", commands], env=env, text=True, capture_output=True,
                              cwd=box.base, stdin=subprocess.DEVNULL, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        assert rows(box.database) == wanted
        print(f"  stolen laptop: all back after {time.monotonic() - began:.1f} s")
        # The copies are older than the schedule: its rules ask before the first of them goes.
        asked = box.run("install-schedule", "--name", "again", "--source", box.database,
                        "--destination", box.destination, "--hostname", box.host, "--scheduler",
                        "cron", "--offsite", remote, "--offsite-keep", "last=1", check=10)
        assert asked.stderr.count(f"{remote}/{box.host}/global-") >= 1, asked.stderr
        assert box.check_marks(remote) == 2, "removed without a yes"
    finally:
        shutil.rmtree(box.home)
        shutil.move(box.base / "stolen", box.home)


def live(program, backend):
    with tempfile.TemporaryDirectory(prefix="offsite-") as base:
        box = Box(program, base)
        try:
            remote = f"{backend}:claude"
            check_installed(box, remote)
            check_unchanged(box, remote)
            check_kept(box, remote)
            check_read(box, remote)
            check_nothing_lacks(box, remote)
            check_stolen_laptop(box, remote)
        finally:
            box.close()
    print(f"{backend}: installed, unchanged, kept, listed, verified, restored, brought home")


def live_as_folder(program):
    """One schedule for a folder of projects: each has its own series there, and its own word."""
    with tempfile.TemporaryDirectory(prefix="offsite-") as base:
        box = Box(program, base)
        try:
            projects = [box.home / f"code/{name}/.orchestrator/project.db" for name in "ab"]
            for project in projects:
                project.parent.mkdir(parents=True)
                shutil.copy(box.database, project)
            box.run("install-schedule", "--name", "code", "--folder", box.home / "code",
                    "--destination", box.destination, "--hostname", box.host, "--scheduler", "cron",
                    "--offsite", "cryptfolder:claude", check=0)
            assert box.check_marks("cryptfolder:claude") == 2
            names = box.names("cryptfolder:claude")
            assert [name.rsplit("/", 1)[0] for name in names if name.endswith(".db")] == \
                [f"{box.host}/a", f"{box.host}/b"], names
            copies = box.offsite("code")["copies"]
            assert [copy["what"] for copy in copies] == ["unchanged"] * 2, copies
            with sqlite3.connect(projects[1]) as db:
                db.execute("INSERT INTO notes(body) VALUES('later')")
            db.close()
            told = json.loads(box.run("status", "--json").stdout)["databases"]
            assert all(entry["offsite"]["copies"] == 1 for entry in told
                       if entry["source"] in map(str, projects)), told
            box.config.write_text(box.config.read_text().replace("[cryptfolder]", "[other]"))
            done = box.run("offsite", "code")
            assert done.returncode == 9 and done.stdout.count("no such remote") == 2, done
        finally:
            box.close()
    print("a folder's schedule: each of its databases has a series there")


def main():
    need_rclone()
    for backend in sys.argv[2:] or BACKENDS:
        live(sys.argv[1], backend)
    live_as_folder(sys.argv[1])


main()
