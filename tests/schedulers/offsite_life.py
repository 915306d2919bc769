"""offsite_life.py FOLDER cron|systemd: runs inside cron_box.sh or systemd_box.sh. A schedule whose
snapshots also go off this machine proves itself through the real scheduler, with the bare environment
that it gives; what is owed while the server is away is made up by the scheduler alone."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import time

from common import Program, environment, make_database, wait_until

FOLDER, KIND = pathlib.Path(sys.argv[1]), sys.argv[2]
HOME = FOLDER / "home"
STATE = HOME / ".local/state/backup-plugin-db"
ENV = environment(HOME=HOME, XDG_RUNTIME_DIR=FOLDER / "run", TZ="UTC", LC_ALL="C.UTF-8")
UNIT = "backup-plugin-db-global"
SERVED = FOLDER / "served"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """WebDAV on loopback, by rclone itself."""

    def __init__(self):
        self.port, self.process = free_port(), None
        SERVED.mkdir()

    def start(self):
        self.process = subprocess.Popen(
            ["rclone", "serve", "webdav", str(SERVED), "--addr", f"127.0.0.1:{self.port}"],
            env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def up():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
        wait_until("the server is up", up)

    def stop(self):
        self.process.kill()
        self.process.wait()


def write_config(port):
    obscured = subprocess.run(["rclone", "obscure", "open sesame"], env=ENV, text=True, check=True,
                              capture_output=True).stdout.strip()
    path = HOME / ".config/rclone/rclone.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[dav]\ntype = webdav\nurl = http://127.0.0.1:{port}\nvendor = other\n\n"
                    f"[backup]\ntype = crypt\nremote = dav:enc\npassword = {obscured}\n")
    path.chmod(0o600)


def looks():
    """The looks off this machine, oldest first: (id, ok, error_code)."""
    with contextlib.closing(sqlite3.connect(f"file:{STATE}/history.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT id, ok, error_code FROM runs WHERE kind = 'offsite' "
                          "ORDER BY id").fetchall()


def copies():
    return len([path for path in SERVED.rglob("*") if path.is_file()]) // 2  # each with a manifest


@contextlib.contextmanager
def scheduler():
    if KIND == "systemd":
        log = open(FOLDER / "systemd.log", "a")
        manager = subprocess.Popen(["/lib/systemd/systemd", "--user"], env=ENV,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("systemd is up", lambda: subprocess.run(
            ["systemctl", "--user", "is-system-running"], env=ENV, text=True,
            capture_output=True).stdout.strip() in ("running", "degraded"))
        yield
        subprocess.run(["systemctl", "--user", "exit"], env=ENV)
        manager.wait(20)
    else:
        pathlib.Path("/run/crond.reboot").touch()
        cron = subprocess.Popen(["/usr/sbin/cron", "-f"], env=ENV, stdin=subprocess.DEVNULL)
        wait_until("cron is up", pathlib.Path("/run/crond.pid").exists)
        yield
        cron.terminate()
        cron.wait(10)


def ask_at_once():
    """Makes the scheduler ask within seconds what it asks once an hour."""
    if KIND == "systemd":
        folder = HOME / f".config/systemd/user/{UNIT}.timer.d"
        folder.mkdir()
        (folder / "zz-test.conf").write_text(
            "[Timer]\nOnCalendar=\nOnCalendar=*-*-* *:*:0/4\nAccuracySec=50ms\n")
        for words in (["daemon-reload"], ["restart", f"{UNIT}.timer"]):
            subprocess.run(["systemctl", "--user", *words], env=ENV, check=True)
        return
    table = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=True).stdout
    hourly = next(line for line in table.splitlines() if line.startswith("0 * * * *"))
    often = "* * * * *" + hourly[len("0 * * * *"):]
    time.sleep(1.1)  # cron misses a table that changes in the second in which it looks
    subprocess.run(["crontab", "-"], input=table.replace(hourly, often), text=True, check=True)


def main():
    HOME.mkdir()
    (FOLDER / "run").mkdir(mode=0o700, exist_ok=True)
    source, destination = FOLDER / "live/global.db", FOLDER / "destination"
    make_database(source)
    destination.mkdir()
    server = Server()
    server.start()
    write_config(server.port)
    program = Program(FOLDER / "cache/backup-plugin-db", ENV)
    try:
        with scheduler():
            installed = program.call("install_schedule", source=str(source), name="global",
                                     destination=str(destination), scheduler=KIND,
                                     offsite="backup:claude")
            assert installed["run"]["offsite"][0]["copy"].startswith("backup:claude/"), installed
            assert copies() == 1 and looks()[-1][1] == 1, looks()
            assert program.call("verify_snapshot",
                                snapshot=installed["run"]["offsite"][0]["copy"])["verdict"] == \
                "verified"

            # A day passes, and the server is away: owed, and nobody is told of a failure.
            server.stop()
            with sqlite3.connect(source) as db:
                db.execute("INSERT INTO notes VALUES ('later', 'x')")
            db.close()
            shutil.rmtree(SERVED)
            SERVED.mkdir()
            before = len(looks())
            program.run("call", "run_schedule", json.dumps({"name": "global"}))
            assert len(looks()) > before and not looks()[-1][1], looks()
            assert looks()[-1][2] in ("io", "timed_out"), looks()
            snapshots = len(list(destination.rglob("global-*.db")))
            assert snapshots >= 1

            # It is back: the scheduler makes up what is owed, and that alone.
            server.start()
            ask_at_once()
            wait_until("the scheduler makes it up", lambda: copies() == 1, 150)
            wait_until("it is recorded", lambda: looks()[-1][2] in ("", "conflict"), 30)
            assert len(list(destination.rglob("global-*.db"))) == snapshots
    finally:
        server.stop()
    print(f"{KIND}: proved off this machine, owed while the server was away, made up")


main()
