"""Places off this machine, on this machine: rclone's own servers on loopback, and a user with a
database and a home of their own. What rclone says of a remote is asked of rclone here, too, and of
the server's folder, which it cannot gloss over."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "faults"))
from scene import FAKE_CRONTAB, sha256  # noqa: E402

# In place of minutes: what a test waits for a server that says nothing.
QUICK = ["--timeout", "3s", "--contimeout", "3s", "--retries", "1", "--low-level-retries", "1"]
START_TIMEOUT_S = 20
BACKENDS = ("dav", "sftp", "folder", "cryptdav", "cryptsftp", "cryptfolder")


def need_rclone():
    found = shutil.which("rclone")
    if not found:
        if os.environ.get("BPD_NO_SKIPS"):
            sys.exit("rclone is missing: apt install rclone")
        print("skipped: rclone is missing")
        sys.exit(77)
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def obscured(text):
    return subprocess.run(["rclone", "obscure", text], check=True, text=True,
                          capture_output=True).stdout.strip()


class Server:
    """`rclone serve KIND FOLDER`; in a mount namespace of its own where the folder is to be small."""

    def __init__(self, kind, folder, port=None, size=None, log=None):
        self.kind, self.folder, self.size = kind, pathlib.Path(folder), size
        self.port, self.log = port or free_port(), log
        self.process = None

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        words = ["rclone", "serve", self.kind, str(self.folder), "--addr",
                 f"127.0.0.1:{self.port}", "--user", "u", "--pass", "p"]
        if self.size:
            inside = f"mount -t tmpfs -o size={self.size} none '{self.folder}' && exec \"$@\""
            words = ["unshare", "--map-root-user", "--user", "--mount", "sh", "-c", inside, "sh",
                     *words]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            time.sleep(0.05)
        raise AssertionError(f"rclone serve {self.kind} does not start")

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
            self.process.wait()


class Box:
    def __init__(self, program, base):
        self.program, self.base = str(program), pathlib.Path(base)
        self.home = self.base / "home"
        self.config = self.home / ".config/rclone/rclone.conf"
        self.database = self.home / ".claude/orchestrator/global.db"
        self.destination = self.base / "destination"
        self.host = "laptop"
        for folder in (self.config.parent, self.database.parent, self.destination):
            folder.mkdir(parents=True)
        (self.base / "crontab").write_text(FAKE_CRONTAB)
        (self.base / "crontab").chmod(0o755)
        self.quick = self.base / "rclone-quick"
        self.quick.write_text(f"#!/bin/sh\nexec rclone \"$@\" {' '.join(QUICK)}\n")
        self.quick.chmod(0o755)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C",
                    "BPD_CRONTAB": str(self.base / "crontab"),
                    "FAKE_TAB": str(self.base / "crontab.txt"), "BPD_SYSTEMCTL": "/bin/false"}
        self.dav = Server("webdav", self.base / "served/dav").start()
        self.sftp = Server("sftp", self.base / "served/sftp").start()
        (self.base / "served/folder").mkdir()
        self.write_config()
        self.changes = 0
        self.fill()

    def close(self):
        for server in (self.dav, self.sftp):
            server.stop()

    def write_config(self, login="p", password="open sesame", dav_port=None):
        secret, key, salt = obscured(login), obscured(password), obscured("salt")
        sections = {
            "dav": {"type": "webdav", "url": f"http://127.0.0.1:{dav_port or self.dav.port}",
                    "vendor": "other", "user": "u", "pass": secret},
            "sftp": {"type": "sftp", "host": "127.0.0.1", "port": self.sftp.port, "user": "u",
                     "pass": secret},
            "folder": {"type": "alias", "remote": str(self.base / "served/folder")},
        }
        for name in ("dav", "sftp", "folder"):
            sections[f"crypt{name}"] = {"type": "crypt", "remote": f"{name}:enc",
                                        "password": key, "password2": salt}
        text = ""
        for name, values in sections.items():
            text += f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()) + "\n"
        self.config.write_text(text)
        self.config.chmod(0o600)

    def fill(self, rows=400):
        with contextlib.closing(sqlite3.connect(self.database)) as db, db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE IF NOT EXISTS notes(id INTEGER PRIMARY KEY, body TEXT)")
            db.executemany("INSERT INTO notes(body) VALUES(?)",
                           [(random.randbytes(500).hex(),) for _ in range(rows)])

    def change(self):
        self.changes += 1
        with contextlib.closing(sqlite3.connect(self.database)) as db, db:
            db.execute("INSERT INTO notes(body) VALUES(?)", (f"change {self.changes}",))

    def run(self, *words, env=None, timeout=300, check=None):
        done = subprocess.run([self.program, *map(str, words)], env={**self.env, **(env or {})},
                              cwd=self.base, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=timeout)
        if check is not None:
            assert done.returncode == check, \
                f"{words}: {done.returncode}, not {check}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *words, env=None, check=0):
        done = self.run(*words, "--json", env=env, check=check)
        return json.loads(done.stdout)

    def install(self, remote, *more, check=0, env=None):
        return self.run("install-schedule", "--name", "global", "--source", self.database,
                        "--destination", self.destination, "--hostname", self.host, "--scheduler",
                        "cron", "--offsite", remote, *more, check=check, env=env)

    def snapshot(self, *more):
        self.run("snapshot", "--source", self.database, "--destination", self.destination,
                 "--hostname", self.host, *more, check=0)

    def offsite(self, *more, env=None, check=0):
        return self.json("offsite", *more, env=env, check=check)

    # What stands on a remote, by rclone itself.
    def rclone(self, *words, check=True):
        return subprocess.run(["rclone", "--config", str(self.config), "--ask-password=false",
                               *words], text=True, capture_output=True, check=check, timeout=120)

    def names(self, remote):
        done = self.rclone("lsf", "-R", "--files-only", remote, check=False)
        return sorted(done.stdout.split())

    def check_marks(self, remote):
        """How many copies stand. A manifest must never stand beside other bytes; one that is torn
        marks nothing."""
        good = 0
        names = self.names(remote)
        for name in names:
            if not name.endswith(".manifest.json"):
                continue
            text = self.rclone("cat", f"{remote}/{name}", check=False).stdout
            try:
                wanted = json.loads(text)["sha256"]
            except (ValueError, KeyError):
                continue
            data = name[:-len(".manifest.json")]
            assert data in names, f"{name} stands without its data"
            found = self.rclone("hashsum", "sha256", "--download", f"{remote}/{data}").stdout
            assert found.split()[0] == wanted, f"{name} stands beside other bytes"
            good += 1
        return good


def kill_all(process):
    """It and what it started, which has process groups of its own."""
    for pid in [*descendants(process.pid), process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def descendants(pid):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid:
                found += [int(entry.name), *descendants(int(entry.name))]
    return found
