#!/usr/bin/env python3
"""Copies off this machine under faults, with the real rclone on loopback.

Usage: faults.py PROGRAM [KILLS [SEED [FAULT…]]]      (FAULT: a function below, or killed)

Each of them ends as docs/DESIGN.md says: nothing here is spoilt, nothing there is told as a copy
that is none, what may pass is owed, and the rest is told at once. Then KILLS (default 9, in turn
over WebDAV, SFTP and a crypt remote) at random moments: a manifest never stands beside other bytes,
and the next run makes it good.
"""
import contextlib
import datetime
import http.client
import http.server
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

from box import Box, descendants, free_port, kill_all, need_rclone

LIAR = pathlib.Path(__file__).resolve().parent / "liar.py"
# Exit codes by kind (README).
OK, NOT_FOUND, DENIED, CONFLICT, DAMAGED, IO = 0, 3, 5, 7, 9, 14


class Scene:
    """A box whose schedule has a copy on `remote` already, and something new to send."""

    def __init__(self, program, remote="cryptdav:claude"):
        self.folder = tempfile.TemporaryDirectory(prefix="offsite-")
        self.box = Box(program, self.folder.name)
        self.remote = remote

    def __enter__(self):
        box = self.box
        box.snapshot("--date", "2026-01-01")
        box.rclone("copy", str(box.destination), self.remote)
        box.change()
        box.env["BPD_RCLONE"] = str(box.quick)
        box.env["FAILURES"] = str(box.base / "failures")
        box.install(self.remote, "--on-failure",
                    'echo "$BACKUP_PLUGIN_DB_LEG $BACKUP_PLUGIN_DB_ERROR" >>"$FAILURES"')
        box.change()
        return self

    def __exit__(self, *_):
        self.box.close()
        self.folder.cleanup()

    def failures(self):
        path = self.box.base / "failures"
        text = path.read_text() if path.exists() else ""
        path.write_text("")
        return text

    @contextlib.contextmanager
    def through(self, rclone):
        """Another program in the place of the schedule's rclone."""
        job = self.box.home / ".config/backup-plugin-db/jobs/global.json"
        before = job.read_text()
        text = json.loads(before)
        text["offsite"]["program"] = str(rclone)
        job.write_text(json.dumps(text))
        yield
        job.write_text(before)

    def script(self, text):
        path = self.box.base / "rclone-other"
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run(self, check=OK):
        """A scheduled run: snapshot, then the leg off this machine."""
        return self.box.run("run", "global", check=check)

    def status(self):
        told = json.loads(self.box.run("status", "--json").stdout)
        return next(entry for entry in told["databases"]
                    if entry["source"] == str(self.box.database))

    def local_is_good(self):
        verdict = self.box.json("verify", "--source", self.box.database, "--destination",
                                self.box.destination)
        assert verdict["verdict"] == "verified", verdict

    def mends(self, what=("sent",)):
        copies = self.box.offsite()["copies"]
        assert [copy["what"] for copy in copies] == list(what), copies
        assert self.box.check_marks(self.remote) >= 1
        assert "last_error" not in self.status()["offsite"], self.status()


def check_owed(scene, words):
    """The run is good, nobody is alarmed, and the status says what is owed and why."""
    scene.run(check=OK)
    assert scene.failures() == "", "an alarm within two days"
    scene.local_is_good()
    entry = scene.status()
    assert words in entry["offsite"]["last_error"], entry
    assert entry["status"] == "attention", entry
    assert any("offsite" in problem or "off-site" in problem for problem in entry["problems"])


def check_alarm(scene, code, words):
    done = scene.run(check=code)
    assert words in done.stderr, done.stderr
    failures = scene.failures()
    assert failures.startswith("offsite ") and words in failures, failures
    scene.local_is_good()
    assert scene.status()["status"] == "failing", scene.status()


def server_killed(program):
    with Scene(program) as scene:
        scene.box.dav.stop()
        check_owed(scene, "no connection")
        scene.box.dav.start()
        scene.mends()


def server_killed_midway(program):
    with Scene(program, "dav:claude") as scene:
        box = scene.box
        box.fill(20_000)
        box.env["BPD_RCLONE"] = str(slow_rclone(box))
        run = subprocess.Popen([box.program, "run", "global"], env=box.env, cwd=box.base,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: any(path.stat().st_size > 1_000_000
                             for path in box.dav.folder.rglob("global-*.db")), run)
        box.dav.stop()
        assert run.wait(120) == OK
        box.env["BPD_RCLONE"] = str(box.quick)
        box.dav.start()
        box.check_marks(scene.remote)
        scene.mends()


def slow_rclone(box):
    path = box.base / "rclone-slow"
    path.write_text(f"#!/bin/sh\nexec '{box.quick}' \"$@\" --bwlimit 3M\n")
    path.chmod(0o755)
    return path


def wait_for(done, process, timeout=60):
    deadline = time.monotonic() + timeout
    while not done():
        assert process.poll() is None, "it ended too soon"
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def server_frozen(program):
    with Scene(program) as scene:
        scene.box.dav.signal(signal.SIGSTOP)
        began = time.monotonic()
        check_owed(scene, "in time")
        print(f"    a frozen server held the run for {time.monotonic() - began:.0f} s")
        scene.box.dav.signal(signal.SIGCONT)
        scene.mends()


def server_full(program):
    with Scene(program, "dav:claude") as scene:
        box = scene.box
        box.dav.stop()
        box.dav.size = "300k"
        try:
            box.dav.start()
        except AssertionError:
            print("    not tried: no tmpfs of our own here")
            return
        box.run("run", "global")
        assert box.check_marks(scene.remote) == 0
        scene.local_is_good()
        box.dav.stop()
        box.dav.size = None
        box.dav.start()
        scene.mends()


class Front(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """rclone closes its connections when it ends."""


class NoDelete(http.server.BaseHTTPRequestHandler):
    """In front of a WebDAV server: hands everything on but DELETE."""

    protocol_version = "HTTP/1.1"
    behind = None

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self.read_chunks()
        if self.command == "DELETE":
            return self.answer(403, {}, b"")
        link = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=60)
        headers = {k: v for k, v in self.headers.items()
                   if k.lower() not in ("transfer-encoding", "content-length", "host")}
        link.request(self.command, self.path, body, headers)
        reply = link.getresponse()
        self.answer(reply.status, dict(reply.getheaders()), reply.read())
        link.close()
        return None

    def read_chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status, headers, body):
        self.send_response(status)
        for key, value in headers.items():
            if key.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


for verb in ("GET", "HEAD", "PUT", "DELETE", "PROPFIND", "MKCOL", "MOVE", "OPTIONS"):
    setattr(NoDelete, f"do_{verb}", NoDelete.handle_any)


def delete_refused(program):
    with Scene(program, "dav:claude") as scene:
        box = scene.box
        front = Front(("127.0.0.1", free_port()), NoDelete)
        NoDelete.behind = box.dav.port
        threading.Thread(target=front.serve_forever, daemon=True).start()
        for day in ("2026-01-02", "2026-01-03"):
            box.snapshot("--date", day)
        box.rclone("copy", str(box.destination), scene.remote)
        tomorrow = datetime.date.today() + datetime.timedelta(days=1)
        box.change()
        box.snapshot("--date", str(tomorrow))  # a name that is free: to replace one takes a DELETE
        box.write_config(dav_port=front.server_port)
        job = box.home / ".config/backup-plugin-db/jobs/global.json"
        text = json.loads(job.read_text())
        text["offsite"]["keep"] = {"keep_last": 1}
        job.write_text(json.dumps(text))
        copy = box.json("offsite", check=None)
        assert any("Older copies stay" in warning for warning in copy["warnings"]), copy
        assert copy["copies"][0]["what"] == "sent", copy
        assert box.check_marks(scene.remote) == 5
        front.shutdown()


def wrong_password(program):
    with Scene(program) as scene:
        scene.box.write_config(password="another")
        check_alarm(scene, CONFLICT, "is not there any more")
        scene.run(check=OK)  # told once
        scene.box.write_config()
        names = scene.box.names(scene.remote)
        assert scene.box.check_marks(scene.remote) == 2, f"under the right password: {names}"


def wrong_login(program):
    for remote in ("cryptdav:claude", "sftp:claude"):
        with Scene(program, remote) as scene:
            scene.box.write_config(login="wrong")
            check_alarm(scene, DENIED, "login was refused")
            scene.box.write_config()
            scene.mends()


def folder_deleted(program):
    with Scene(program, "folder:claude") as scene:
        scene.box.rclone("purge", scene.remote)
        check_alarm(scene, CONFLICT, "is not there any more")
        assert scene.box.check_marks(scene.remote) == 1, "the new copy"
        scene.mends(("unchanged",))


def flip(path, at=20_000):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def byte_flipped(program):
    for remote in ("dav:claude", "cryptdav:claude"):
        with Scene(program, remote) as scene:
            box = scene.box
            for path in box.dav.folder.rglob("*"):
                if path.is_file() and path.stat().st_size > 30_000:
                    flip(path)
            newest = box.json("list", "--destination", remote)["snapshots"][0]["path"]
            done = box.run("verify", "--snapshot", newest)
            assert done.returncode == DAMAGED and "damaged" in done.stderr, done.stderr
            target = box.base / "x.db"
            done = box.run("restore", "--snapshot", newest, "--target", target)
            assert done.returncode == DAMAGED and not target.exists(), done.stderr
            # The look of each month comes at once where nothing is noted of the last one.
            for note in (box.home / ".local/state/backup-plugin-db/offsite").iterdir():
                note.unlink()
            found = box.offsite()
            assert [copy["what"] for copy in found["copies"]] == ["sent"], found
            assert any("did not read back" in warning for warning in found["warnings"]), found
            newest = box.json("list", "--destination", remote)["snapshots"][0]["path"]
            assert box.json("verify", "--snapshot", newest)["verdict"] == "verified"


def check_found_out(scene, liar):
    with scene.through(liar):
        scene.box.change()
        done = scene.box.run("run", "global")
        assert done.returncode in (DAMAGED, NOT_FOUND), done
        assert scene.failures().startswith("offsite "), "no alarm"
        scene.box.check_marks(scene.remote)


def lying_rclone(program):
    """One that says 0 whatever it does: of what it stores half is lacking, or it stores nothing."""
    with Scene(program, "folder:claude") as scene:
        box = scene.box
        for lie in ('truncate -s 1000 "$served"/claude/laptop/"$name"', ":"):
            liar = scene.script(f"""#!/bin/sh
served='{box.base}/served/folder'
case " $* " in
  *" rcat "*) exit 1 ;;
  *" copyto "*" folder:"*)
    for last in "$@"; do :; done
    name=${{last##*/}}
    if [ {1 if "truncate" in lie else 0} = 1 ]; then '{box.quick}' "$@"; fi
    {lie}
    exit 0 ;;
esac
exec '{box.quick}' "$@"
""")
            check_found_out(scene, liar)
        scene.mends()


def lying_session(program):
    """The same of one that is asked by its remote control."""
    with Scene(program, "folder:claude") as scene:
        box = scene.box
        for lie in ("half", "nothing"):
            liar = scene.script(f"#!/bin/sh\nexec python3 '{LIAR}' '{box.quick}' {lie} \"$@\"\n")
            check_found_out(scene, liar)
        scene.mends()


def session_lost(program):
    """Without a session, or with one that is gone in the middle, commands do the same."""
    with Scene(program) as scene:
        box = scene.box
        for how in ("exit 1", "sleep 60 & exec sleep 60", f"exec timeout -s KILL 0.4 '{box.quick}' \"$@\"",
                    f"exec timeout -s KILL 0.8 '{box.quick}' \"$@\""):
            other = scene.script(
                f"#!/bin/sh\ncase \" $* \" in *' rcat '*) {how} ;; esac\nexec '{box.quick}' \"$@\"\n")
            with scene.through(other):
                box.change()
                scene.run(check=OK)
                assert scene.failures() == "", how
                assert box.offsite()["copies"][0]["what"] == "unchanged", how
                assert box.check_marks(scene.remote) == 2, how


def killed_alone(program):
    """Nothing of what it started outlives it."""
    with Scene(program, "dav:claude") as scene:
        box = scene.box
        box.fill(20_000)
        box.snapshot()
        with scene.through(slow_rclone(box)):
            process = subprocess.Popen([box.program, "offsite"], env=box.env, cwd=box.base,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            wait_for(lambda: any(path.stat().st_size > 1_000_000
                                 for path in box.dav.folder.rglob("global-*.db")), process)
            started = descendants(process.pid)
            assert started, "nothing was started"
            process.kill()
            process.wait()
            deadline = time.monotonic() + 5
            while any(pathlib.Path(f"/proc/{pid}").exists() for pid in started):
                assert time.monotonic() < deadline, f"{started} go on"
                time.sleep(0.05)
        scene.mends()


def rclone_gone(program):
    with Scene(program) as scene:
        with scene.through("/nowhere/rclone"):
            check_alarm(scene, NOT_FOUND, "/nowhere/rclone is gone")
        scene.mends()


def refused_at_installation(program):
    with tempfile.TemporaryDirectory(prefix="offsite-") as base:
        box = Box(program, base)
        try:
            job = box.home / ".config/backup-plugin-db/jobs/global.json"
            for remote, words in (("claude/backups", "without a colon"), ("nosuch:x", "no such"),
                                  (":local:/tmp", "written out"), ("dav:", "no folder"),
                                  (f"folder:../../{box.destination.name}", "..")):
                done = box.install(remote, check=None)
                assert done.returncode != 0 and words in done.stderr, (remote, done.stderr)
            box.destination.joinpath("inside").mkdir()
            config = box.config.read_text()
            box.config.write_text(config + f"[here]\ntype = alias\nremote = {box.destination}\n")
            done = box.install("here:inside", check=None)
            assert done.returncode != 0 and "where the snapshots" in done.stderr, done.stderr
            box.config.write_text("# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nxx\n")
            done = box.install("dav:x", check=None)
            assert done.returncode != 0 and "locked by a password" in done.stderr, done.stderr
            box.config.write_text(config)
            done = box.install("dav:x", check=None, env={"BPD_RCLONE": "/nowhere/rclone"})
            assert done.returncode != 0, done
            box.dav.stop()
            done = box.install("dav:x", check=None, env={"BPD_RCLONE": str(box.quick)})
            assert done.returncode != 0 and "as it was before" in done.stderr, done.stderr
            assert not job.exists() and not (box.base / "crontab.txt").exists() or \
                "backup-plugin-db" not in (box.base / "crontab.txt").read_text()
        finally:
            box.close()


def secrets_stay(program):
    """What rclone prints goes nowhere: here it prints a secret whatever it is asked."""
    with Scene(program, "folder:claude") as scene:
        box = scene.box
        teller = scene.script("#!/bin/sh\necho hunter2\necho 'cannot: http://u:hunter2@x/' >&2\n"
                              "exit 1\n")
        with scene.through(teller):
            told = box.run("run", "global")
            shown = told.stdout + told.stderr + box.run("status", "--json").stdout
            shown += box.run("offsite").stderr
        assert "hunter2" not in shown, shown
        for path in box.home.rglob("*"):
            if path.is_file():
                assert b"hunter2" not in path.read_bytes(), path


def killed(program, count, seed):
    random.seed(seed)
    backends = ("dav:claude", "sftp:claude", "cryptdav:claude")
    moments, ended = {}, 0
    for which, remote in enumerate(backends):
        with Scene(program, remote) as scene:
            box = scene.box
            box.fill(3_000)
            box.snapshot()
            began = time.monotonic()
            box.offsite()
            moments[remote] = time.monotonic() - began
            for round_number in range(which, count, len(backends)):
                box.change()
                box.snapshot()
                process = subprocess.Popen([box.program, "offsite"], env=box.env, cwd=box.base,
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
                time.sleep(random.uniform(0.02, moments[remote] * 1.1))
                ended += process.poll() is not None
                kill_all(process)
                time.sleep(0.2)  # what the server has still to write
                box.check_marks(remote)
                copies = box.offsite()["copies"]
                assert copies[0]["what"] in ("sent", "unchanged"), copies
                assert box.check_marks(remote) == 2, f"{remote}, round {round_number}"
                listed = box.json("list", "--destination", remote)["snapshots"][0]
                box.json("verify", "--snapshot", listed["path"])
    print(f"  {count} kills, {ended} of them too late: none left a manifest beside other bytes, "
          f"{count} of {count} were made good")


FAULTS = (refused_at_installation, server_killed, server_killed_midway, server_frozen, server_full,
          delete_refused, wrong_password, wrong_login, folder_deleted, byte_flipped, lying_rclone,
          lying_session, session_lost, killed_alone, rclone_gone, secrets_stay)


def main():
    need_rclone()
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    only = sys.argv[4:]
    for fault in FAULTS:
        if only and fault.__name__ not in only:
            continue
        began = time.monotonic()
        fault(program)
        print(f"  {fault.__name__.replace('_', ' ')}: as it should be "
              f"({time.monotonic() - began:.0f} s)", flush=True)
    if not only or "killed" in only:
        print(f"  seed {seed}")
        killed(program, count, seed)
    print("faults: all as they should be")


main()
