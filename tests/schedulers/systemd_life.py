"""Runs inside systemd_box.sh: installs, fires, catches up, fails and removes schedules for real."""
import http.server
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

from common import (HARD, Program, check_snapshot, covers_a_folder, environment, make_database,
                    runs_of, tree, wait_until)

FOLDER = pathlib.Path(sys.argv[1])
HOME = FOLDER / "home"
UNITS = HOME / ".config/systemd/user"
STATE = HOME / ".local/state"
STAMP = HOME / ".local/share/systemd/timers/stamp-backup-plugin-db-global.timer"
ENV = environment(HOME=HOME, XDG_RUNTIME_DIR=FOLDER / "run", TZ="UTC", LC_ALL="C.UTF-8")
UNIT = "backup-plugin-db-global"


def systemctl(*words, check=True):
    done = subprocess.run(["systemctl", "--user", *words], env=ENV, text=True, capture_output=True)
    assert not check or done.returncode == 0, (words, done)
    return done.stdout


class Manager:
    """The user's systemd."""

    def __enter__(self):
        log = open(FOLDER / "systemd.log", "a")
        self.process = subprocess.Popen(["/lib/systemd/systemd", "--user"], env=ENV,
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("systemd is up", lambda: systemctl("is-system-running", check=False).strip() in
                   ("running", "degraded"))
        return self

    def __exit__(self, *_):
        systemctl("exit", check=False)
        self.process.wait(20)


class Monitor:
    """A healthchecks.io that remembers which paths were called."""

    def __init__(self):
        paths = self.paths = []
        self.answers_at_once = threading.Event()
        self.answers_at_once.set()
        answers_at_once = self.answers_at_once

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                paths.append(self.path)
                answers_at_once.wait(20)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/uuid"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def often(unit=UNIT):
    """Makes the timer fire each three seconds, by a drop-in as a user would write one. More often
    would run into the limit of five starts in ten seconds."""
    folder = UNITS / f"{unit}.timer.d"
    folder.mkdir()
    (folder / "zz-test.conf").write_text(
        "[Timer]\nOnCalendar=\nOnCalendar=*-*-* *:*:0/3\nAccuracySec=50ms\n")
    systemctl("daemon-reload")
    systemctl("restart", f"{unit}.timer")


def seldom(unit=UNIT):
    shutil.rmtree(UNITS / f"{unit}.timer.d")
    systemctl("daemon-reload")
    systemctl("restart", f"{unit}.timer")


def two_days_pass():
    """What is known of the past is moved back: a run is due."""
    with sqlite3.connect(STATE / "backup-plugin-db/history.db") as db:
        db.execute("UPDATE runs SET started_ms = started_ms - 172800000, "
                   "finished_ms = finished_ms - 172800000")
    path = HOME / ".config/backup-plugin-db/jobs/global.json"
    job = json.loads(path.read_text())
    job["scheduled_since"] = "2026-01-01T00:00:00Z"
    path.write_text(json.dumps(job, indent=2, ensure_ascii=False) + "\n")


def count():
    return len(runs_of(STATE, "global"))


def install(source, destination, cached):
    before = tree(HOME)
    plan = cached.call("install_schedule", source=str(source), destination=str(destination),
                       name="global", dry_run=True)
    assert tree(HOME) == before, "a dry run touched something"
    result = cached.call("install_schedule", source=str(source), destination=str(destination),
                         name="global")
    assert result["scheduler"] == "systemd" and result["run"]["verdict"] == "verified", result
    check_snapshot(result["run"]["snapshot"])
    for file in plan["files"]:
        if file["path"].endswith((".service", ".timer")):
            assert pathlib.Path(file["path"]).read_text() == file["text"]
    assert any("linger" in w for w in result["warnings"]), result["warnings"]
    again = cached.call("install_schedule", source=str(source), destination=str(destination),
                        name="global")
    assert again["updated"] and len(list(UNITS.glob("*.timer"))) == 1


def stays_at(number):
    time.sleep(7)
    assert count() == number, runs_of(STATE, "global")


def asks_every_hour(program):
    timers = json.loads(systemctl("list-timers", "--all", "--output=json", f"{UNIT}.timer"))
    wait = timers[0]["next"] / 1e6 - time.time()
    assert wait < 3600 + 60, timers
    calendar = systemctl("show", f"{UNIT}.timer", "-p", "TimersCalendar")
    assert "04:07:00" in calendar and "*:00:00" in calendar, calendar
    # What people hear of is when a run is due, not when systemd asks.
    assert program.schedule("global")["next_run"].endswith("T04:07:00Z")


def fires_by_itself(program):
    before = count()
    often()
    stays_at(before)
    two_days_pass()
    wait_until("the timer fires by itself", lambda: count() == before + 1)
    stays_at(before + 1)
    assert runs_of(STATE, "global")[-1][1] == 1
    listed = program.schedule("global")
    assert listed["last_result"] == "unchanged" and listed["problems"] == [], listed
    seldom()


def makes_up(program, monitor, destination):
    """A night that failed, and one that was cut short in the middle of its run."""
    often()
    two_days_pass()
    before = count()
    destination.rename(f"{destination}.away")
    wait_until("it is tried again", lambda: count() >= before + 2)
    assert not any(ok for _, ok in runs_of(STATE, "global")[before:])
    pathlib.Path(f"{destination}.away").rename(destination)
    wait_until("it is made up", lambda: runs_of(STATE, "global")[-1][1] == 1)
    stays_at(count())

    two_days_pass()
    before = count()
    monitor.answers_at_once.clear()
    pings = len(monitor.paths)
    wait_until("a run has begun", lambda: len(monitor.paths) > pings)
    systemctl("kill", "--signal=KILL", f"{UNIT}.service")
    monitor.answers_at_once.set()
    wait_until("it is made up", lambda: count() == before + 1)
    assert runs_of(STATE, "global")[-1][1] == 1
    stays_at(before + 1)
    seldom()
    assert program.schedule("global")["problems"] == []


def fails_loudly(program, source, destination):
    (UNITS / "told.service").write_text(
        f"[Service]\nType=oneshot\nExecStart=/bin/touch {FOLDER}/told\n")
    own = UNITS / f"{UNIT}.service.d"
    own.mkdir()
    (own / "alert.conf").write_text("[Unit]\nOnFailure=told.service\n")
    systemctl("daemon-reload")
    monitor = Monitor()
    program.call("install_schedule", source=str(source), destination=str(destination),
                 name="global", ping_url=monitor.url,
                 on_failure=f'echo "$BACKUP_PLUGIN_DB_ERROR" >"{FOLDER}/on_failure"')
    assert monitor.paths == ["/uuid/start", "/uuid"], monitor.paths
    destination.rename(f"{destination}.away")
    text = program.refused("run_schedule", name="global")
    assert "not_found" in text, text
    pathlib.Path(f"{destination}.away").rename(destination)
    assert monitor.paths[2:] == ["/uuid/start", "/uuid/fail"], monitor.paths
    assert "not_found" in (FOLDER / "on_failure").read_text()
    wait_until("the user's OnFailure= is called", (FOLDER / "told").exists)
    listed = program.schedule("global")
    assert listed["last_result"] == "failed" and "not_found" in str(listed["problems"]), listed
    assert any("ended with exit-code" in p for p in listed["problems"]), listed
    program.call("run_schedule", name="global")
    assert program.schedule("global")["problems"] == []
    return monitor


def by_the_hour(program, destination):
    """Hourly, beside the nightly one: its timer is one that systemd takes, and fires."""
    name = "e"  # its second within the minute is an early one
    unit = f"backup-plugin-db-{name}"
    database = FOLDER / "sources/hours.db"
    make_database(database)
    result = program.call("install_schedule", source=str(database), destination=str(destination),
                          name=name, every="hour", keep_hourly=24)
    assert result["when"] == "every hour" and result["run"]["verdict"] == "verified", result
    assert re.search(r"hours-\d{4}-\d\d-\d\dT\d\d07\.db$", result["run"]["snapshot"]), result
    calendar = "*-*-* *:07,22,37,52:00"
    assert f"OnCalendar={calendar}\n" in (UNITS / f"{unit}.timer").read_text()
    shown = subprocess.run(["systemd-analyze", "calendar", "--iterations=4", calendar], env=ENV,
                           text=True, capture_output=True, check=True).stdout
    assert {shown.count(f":{minute}:00 UTC") > 0 for minute in ("07", "22", "37", "52")} == {True}
    listed = program.schedule(name)
    assert listed["problems"] == [] and listed["next_run"].endswith(":07:00Z"), listed
    timers = json.loads(systemctl("list-timers", "--all", "--output=json", f"{unit}.timer"))
    assert timers[0]["next"] / 1e6 - time.time() < 15 * 60 + 60, timers

    before = len(runs_of(STATE, name))
    with sqlite3.connect(STATE / "backup-plugin-db/history.db") as db:
        db.execute("UPDATE runs SET started_ms = started_ms - 7200000, "
                   "finished_ms = finished_ms - 7200000 WHERE schedule = ?", (name,))
    path = HOME / f".config/backup-plugin-db/jobs/{name}.json"
    job = json.loads(path.read_text())
    assert job["format_version"] == 2 and job["every"] == "hour", job
    job["scheduled_since"] = "2026-01-01T00:00:00Z"
    path.write_text(json.dumps(job, indent=2, ensure_ascii=False) + "\n")
    often(unit)
    wait_until("the hour is made up", lambda: len(runs_of(STATE, name)) == before + 1, 60)
    time.sleep(4)
    assert len(runs_of(STATE, name)) == before + 1 or time.gmtime().tm_min in (7, 8), "made up twice"
    assert runs_of(STATE, name)[-1][1] == 1
    seldom(unit)
    program.call("remove_schedule", name=name, confirm=True)
    assert unit not in systemctl("list-unit-files")


def notices_edits(program):
    timer = UNITS / f"{UNIT}.timer"
    text = timer.read_text()
    timer.write_text(text + "# mine\n")
    assert any("not as it was written" in p for p in program.schedule("global")["problems"])
    timer.write_text(text)
    systemctl("disable", "--now", timer.name)
    assert any("inactive" in p for p in program.schedule("global")["problems"])
    systemctl("enable", "--now", timer.name)


def replaces_old_units(program):
    """Those of the version that asked once a day."""
    timer, service = UNITS / f"{UNIT}.timer", UNITS / f"{UNIT}.service"
    new = timer.read_text(), service.read_text()
    lines = [line for line in new[0].splitlines() if line != "OnCalendar=*-*-* *:00:00"]
    timer.write_text("\n".join("# Runs missed while the machine was off are caught up."
                               if "made up" in line else line for line in lines) + "\n")
    service.write_text(new[1].replace(' "--if-due"', ""))
    assert (timer.read_text(), service.read_text()) != new
    systemctl("daemon-reload")
    assert "of an earlier version" in str(program.schedule("global")["problems"])
    assert program.call("install_schedule", name="global")["changed"] == []
    assert (timer.read_text(), service.read_text()) == new
    assert program.schedule("global")["problems"] == []


def failed_update_is_undone(program, source, destination):
    before = {p: p.read_bytes() for p in UNITS.glob(f"{UNIT}.*") if p.is_file()}
    empty = FOLDER / "sources/empty.db"
    make_database(empty)
    # The dry check passes, then the run through the scheduler finds no program that works.
    env = environment(HOME=HOME, XDG_RUNTIME_DIR=FOLDER / "run", TZ="UTC")
    broken = FOLDER / "broken"
    broken.mkdir()
    shutil.copy(program.path, broken / "started")
    (broken / "backup-plugin-db").write_text("#!/bin/sh\nexit 7\n")
    (broken / "backup-plugin-db").chmod(0o755)
    text = Program(broken / "started", env).refused(
        "install_schedule", source=str(empty), destination=str(destination), name="global",
        time="21:30")
    assert "as it was before" in text, text
    assert {p: p.read_bytes() for p in UNITS.glob(f"{UNIT}.*") if p.is_file()} == before
    program.call("run_schedule", name="global")


def catches_up(program):
    """The machine was off at the scheduled time: the stamp is two days old when it comes back."""
    two_days_pass()
    before = count()
    old = time.time() - 2 * 86400
    os.utime(STAMP, (old, old))
    with Manager():
        wait_until("the missed run is caught up", lambda: count() == before + 1)
        time.sleep(2)
        assert count() == before + 1, "caught up more than once"
        assert program.schedule("global")["problems"] == []


def switches_scheduler(program, source, destination):
    """To cron and back, with a crontab that is only a file."""
    table = FOLDER / "table"
    fake = FOLDER / "crontab"
    fake.write_text(f'#!/bin/sh\ncase $1 in -l) cat "{table}" 2>/dev/null || '
                    '{ echo "no crontab for me" >&2; exit 1; };;\n'
                    f'-r) rm "{table}";; -) cat >"{table}";; esac\n')
    fake.chmod(0o755)
    with_fake = Program(program.path, {**ENV, "BPD_CRONTAB": str(fake)})
    arguments = dict(source=str(source), destination=str(destination), name="global")
    moved = with_fake.call("install_schedule", scheduler="cron", **arguments)
    assert "systemd" in str(moved["removed"]), moved
    assert "run 'global' --scheduled" in table.read_text()
    assert not list(UNITS.glob(f"{UNIT}.timer")) and not list(UNITS.glob(f"{UNIT}.service"))
    assert UNIT not in systemctl("list-timers", "--all")
    back = with_fake.call("install_schedule", scheduler="auto", **arguments)
    assert back["scheduler"] == "systemd" and "cron" in str(back["removed"]), back
    assert not table.exists()


def hard_strings_arrive(probe):
    """Every hard string as an argument, as a folder of the program, and in Environment=."""
    out = FOLDER / "dumped"

    def render(*words):
        return subprocess.run([probe, *words], text=True, capture_output=True, check=True).stdout

    def words_in(file):
        return file.read_bytes().decode("utf-8", "surrogateescape").split("\0")[:-1]

    def start(name, service):
        (UNITS / name).write_text("[Service]\nType=oneshot\n" + service)
        verify = subprocess.run(["systemd-analyze", "--user", "verify", UNITS / name], env=ENV,
                                text=True, capture_output=True)
        assert name not in verify.stderr and verify.returncode == 0, verify
        systemctl("daemon-reload")
        out.unlink(missing_ok=True)
        systemctl("start", name)
        (UNITS / name).unlink()
        return words_in(out)

    hard = HARD + ["line\nbreak", "\udcff\udcfe"]  # the last are the bytes FF and FE
    seen = start("probe.service", "ExecStart=" + render("systemd", probe, "dump", str(out), *hard))
    assert seen == hard, seen
    for number, text in enumerate(hard):
        if text in ("", "line\nbreak", "\udcff\udcfe"):
            continue
        copy = FOLDER / "programs" / (text.replace("/", "_") + "x") / text.replace("/", "_")
        copy.parent.mkdir(parents=True)
        shutil.copy(probe, copy)
        seen = start(f"probe{number}.service",
                     "ExecStart=" + render("systemd", str(copy), "dump", str(out), "there"))
        assert seen == ["there"], (text, seen)


def weird_homes(source, destination):
    """The whole program, installed under a data folder with every awkward character."""
    data = FOLDER / "we ird 100% $HOME é;x (p) & # 'q' \"d\" \\b <t>"
    env = {**ENV, "XDG_DATA_HOME": str(data)}
    original = FOLDER / "again"
    original.mkdir()
    shutil.copy(FOLDER / "saved", original / "backup-plugin-db")
    program = Program(original / "backup-plugin-db", env)
    result = program.call("install_schedule", source=str(source), destination=str(destination),
                          name="weird")
    assert result["run"]["verdict"] == "verified", result
    check_snapshot(result["run"]["snapshot"])
    program.call("remove_schedule", name="weird", confirm=True)


def main():
    for folder in (HOME, UNITS):
        folder.mkdir(parents=True)
    (FOLDER / "run").mkdir(mode=0o700)
    source = FOLDER / "sources/My \"App\" 100% $HOME é/global.db"
    destination = FOLDER / "Back ups 100% 'x' $HOME"
    make_database(source)
    destination.mkdir()
    shutil.copy(FOLDER / "cache/backup-plugin-db", FOLDER / "saved")
    pristine = tree(HOME)
    copy = HOME / ".local/share/backup-plugin-db/bin/backup-plugin-db"
    program = Program(copy, ENV)
    with Manager():
        install(source, destination, Program(FOLDER / "cache/backup-plugin-db", ENV))
        shutil.rmtree(FOLDER / "cache")
        asks_every_hour(program)
        fires_by_itself(program)
        monitor = fails_loudly(program, source, destination)
        makes_up(program, monitor, destination)
        by_the_hour(program, destination)
        notices_edits(program)
        replaces_old_units(program)
        failed_update_is_undone(program, source, destination)
    catches_up(program)
    with Manager():
        switches_scheduler(program, source, destination)
        saved = Program(FOLDER / "saved", ENV)
        removed = saved.call("remove_schedule", name="global", confirm=True)
        assert any("drop-in" in w for w in removed["warnings"]), removed
        shutil.rmtree(UNITS / f"{UNIT}.service.d")
        (UNITS / "told.service").unlink()
        systemctl("daemon-reload")
        assert UNIT not in systemctl("list-units", "--all"), systemctl("list-units", "--all")
        assert UNIT not in systemctl("list-unit-files")
        assert saved.call("list_schedules")["schedules"] == []
        left = set(tree(HOME, STATE)) - set(pristine)
        assert not any("backup-plugin-db" in path for path in left), left
        assert list(destination.rglob("*.db")), "the snapshots must stay"
        covers_a_folder(saved, FOLDER / "code", destination, "systemd")
        hard_strings_arrive(str(FOLDER / "probe"))
        weird_homes(source, destination)
    print("systemd: all is well")


main()
