"""Runs inside cron_box.sh: installs schedules in a real crontab and lets the real cron fire them.

libfaketime shifts the time of cron, of its jobs and of the program by the same number of seconds,
so that a night passes in no time. Jobs get it through the crontab, where lines above ours set their
environment: such foreign lines must survive everything."""
import calendar
import contextlib
import glob
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time

from common import (HARD, Program, check_snapshot, covers_a_folder, environment, make_database,
                    runs_of, tree, wait_until)

FOLDER = pathlib.Path(sys.argv[1])
HOME = FOLDER / "home"
STATE = HOME / ".local/state"
MAIL = FOLDER / "box/mail"
PRELOAD = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0]
NAME = "global"
SHIFT = 0


def seconds_of(text):
    """Of YYYY-MM-DD HH:MM:SS, UTC."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


def at(text, lead=0):
    """Sets the time, less `lead` seconds, that everything started from now on will see."""
    global SHIFT
    SHIFT = seconds_of(text) - lead - int(time.time())


def shifted_now():
    return time.time() + SHIFT


def env():
    return environment(HOME=HOME, TZ="UTC", LD_PRELOAD=PRELOAD, FAKETIME=f"{SHIFT:+d}",
                       FAKETIME_DONT_RESET="1", DONT_FAKE_MONOTONIC="1")


def foreign():
    return (f"LD_PRELOAD={PRELOAD}\nFAKETIME={SHIFT:+d}\nDONT_FAKE_MONOTONIC=1\nTZ=UTC\n"
            f"HOME={HOME}\n# mine: 100% of it, \t and trailing  \n"
            f"1 2 3 4 * echo '100\\%' >/dev/null  \n"
            f"2 2 3 4 * printf 'a\\r\\b' >/dev/null\n# CRLF, \b\r\n\n")


def crontab():
    """Byte for byte: `crontab -l` spells some control characters out, an editor sees them."""
    if subprocess.run(["crontab", "-l"], capture_output=True).returncode != 0:
        return None
    shown = subprocess.run(["crontab", "-e"], env={**os.environ, "EDITOR": "cat", "VISUAL": "cat"},
                           capture_output=True, check=True)
    return shown.stdout.decode()


def set_crontab(text):
    subprocess.run(["crontab", "-"], input=text.encode(), check=True)


class Cron:
    """The daemon, started at the time that at() set; ready when it has read the crontabs."""

    def __init__(self, boots=False):
        pathlib.Path("/run/crond.pid").unlink(missing_ok=True)
        if boots:  # what tells cron that it has run the @reboot lines
            pathlib.Path("/run/crond.reboot").unlink(missing_ok=True)
        else:
            pathlib.Path("/run/crond.reboot").touch()

    def __enter__(self):
        self.process = subprocess.Popen(["/usr/sbin/cron", "-f"], env=env(),
                                        stdin=subprocess.DEVNULL)
        wait_until("cron is up", pathlib.Path("/run/crond.pid").exists)
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


@contextlib.contextmanager
def cron_before(text):
    """cron, up shortly before that time; on a slow machine with a longer run-up."""
    for lead in (6, 15, 45):
        move_clock(text, lead)
        with Cron():
            if shifted_now() < seconds_of(text) - 0.5:
                yield
                return
    raise AssertionError("cron takes too long to start")


def program(path=None):
    return Program(path or HOME / ".local/share/backup-plugin-db/bin/backup-plugin-db", env())


def hour_of(run):
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(run[0] / 1000))


def runs():
    return runs_of(STATE, NAME)


def move_clock(text, lead=0):
    """The foreign lines carry the shift, so they change with it."""
    before = foreign()
    at(text, lead)
    table = crontab()
    assert table.startswith(before), table
    set_crontab(foreign() + table[len(before):])
    time.sleep(1.1)  # cron misses a table that changes in the second in which it looks


def running_jobs():
    """What cron started and has not ended: its living children, by proc(5)."""
    cron = pathlib.Path("/run/crond.pid").read_text().strip()
    jobs = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if parent == cron and state != "Z":
                jobs.append(stat.parent.name)
    return jobs


def settle():
    """Until no job runs that might yet do what it should not; cron starts a minute's jobs at once."""
    time.sleep(2)
    wait_until("cron's jobs end", lambda: not running_jobs())


def install(source, destination):
    set_crontab(foreign())
    before = tree(HOME)
    cached = program(FOLDER / "cache/backup-plugin-db")
    arguments = dict(source=str(source), destination=str(destination), name=NAME, time="03:30",
                     scheduler="cron")
    cached.call("install_schedule", dry_run=True, **arguments)
    assert tree(HOME) == before and crontab() == foreign()
    result = cached.call("install_schedule", **arguments)
    assert result["run"]["verdict"] == "verified", result
    assert any("No cron daemon" in w for w in result["warnings"]), result["warnings"]
    check_snapshot(result["run"]["snapshot"])
    assert crontab().startswith(foreign())
    first = crontab()
    assert cached.call("install_schedule", **arguments)["updated"]
    assert crontab() == first, "an update must not change the table"
    auto = cached.refused("install_schedule", **{**arguments, "scheduler": "auto"})
    assert "no cron daemon" in auto and "systemd" in auto, auto


def fires_at_night():
    before = len(runs())
    with cron_before("2031-03-05 03:30:00"):
        wait_until("the entry of 03:30 fires", lambda: len(runs()) == before + 1)
        settle()
    assert len(runs()) == before + 1
    assert hour_of(runs()[-1]) == "2031-03-05 03:30" and runs()[-1][1] == 1, runs()[-1]
    assert MAIL.read_text() == "", MAIL.read_text()


def catches_up_once():
    """Off at 03:30, booted at 09:59: the line for the boot runs, the hourly one finds nothing due."""
    before = len(runs())
    move_clock("2031-03-06 10:00:00", lead=25)
    with Cron(boots=True):
        wait_until("the boot catches up", lambda: len(runs()) == before + 1)
        wait_until("the hour passes",
                   lambda: shifted_now() > seconds_of("2031-03-06 10:00:02"))
        settle()
    assert len(runs()) == before + 1, runs()[before:]
    assert hour_of(runs()[-1]) == "2031-03-06 09:59"
    # Asleep over 03:30, no boot: the hourly line catches up.
    with cron_before("2031-03-07 07:00:00"):
        wait_until("the hour catches up", lambda: len(runs()) == before + 2)
        settle()
    assert hour_of(runs()[-1]) == "2031-03-07 07:00"
    # And the next night is an ordinary one.
    with cron_before("2031-03-08 03:30:00"):
        wait_until("the next night fires", lambda: len(runs()) == before + 3)
        settle()
    assert len(runs()) == before + 3
    assert MAIL.read_text() == "", MAIL.read_text()


def fails_loudly(destination):
    before = len(runs())
    destination.rename(f"{destination}.away")
    with cron_before("2031-03-09 03:30:00"):
        wait_until("the failed run is recorded", lambda: len(runs()) == before + 1)
        wait_until("cron mails it", lambda: "not_found" in MAIL.read_text())
        listed = program().schedule(NAME)
        assert listed["last_result"] == "failed" and "not_found" in str(listed["problems"])
    pathlib.Path(f"{destination}.away").rename(destination)
    log = (STATE / "backup-plugin-db/logs/global.log").read_text()
    assert "failed: not_found" in log and "wrote " in log, log
    with cron_before("2031-03-09 04:00:00"):
        wait_until("the next hour makes up for it", lambda: len(runs()) == before + 2)
        assert program().schedule(NAME)["problems"] == [], program().schedule(NAME)


def by_the_hour(source, destination):
    """Hourly, beside the nightly one: at its minute, and a quarter later where that was missed."""
    name = "e"  # its second within the minute is an early one
    database = source.with_name("hours.db")
    make_database(database)

    def hourly_runs():
        return runs_of(STATE, name)

    def names():
        return sorted(p.name for p in destination.rglob("hours-*.db"))

    def write():
        with sqlite3.connect(database) as db:
            db.execute("INSERT INTO notes SELECT 'more' || count(*), 'text' FROM notes")

    before = crontab()[len(foreign()):]
    move_clock("2031-03-10 13:30:00")
    result = program().call("install_schedule", source=str(database), destination=str(destination),
                            name=name, scheduler="cron", every="hour", between="08:00-20:00",
                            keep_hourly=24)
    assert result["when"] == "every hour, 08:00-20:00", result
    assert "\n7,22,37,52 * * * * " in crontab()
    assert names() == ["hours-2031-03-10T1307.db"], names()
    for number, (time_of_day, runs_by_then, hour) in enumerate(
            [("14:07", 1, "14"), ("15:22", 2, "15"), ("15:37", 2, "15")]):
        write()
        with cron_before(f"2031-03-10 {time_of_day}:00"):
            if number < 2:
                wait_until(f"the run of {time_of_day} is there",
                           lambda: len(hourly_runs()) == 1 + runs_by_then)
            else:
                wait_until("the quarter passes",
                           lambda: shifted_now() > seconds_of("2031-03-10 15:37:02"))
            settle()
        assert len(hourly_runs()) == 1 + runs_by_then, hourly_runs()
        assert hour_of(hourly_runs()[-1]) == ("2031-03-10 14:07" if hour == "14" else
                                              "2031-03-10 15:22")
        assert names()[-1] == f"hours-2031-03-10T{hour}07.db", names()
    assert len(names()) == 3
    assert program().schedule(name)["problems"] == [], program().schedule(name)
    program().call("remove_schedule", name=name, confirm=True)
    assert crontab() == foreign() + before, crontab()


def side_by_side(source, destination):
    one = crontab()
    other = source.with_name("other.db")
    make_database(other)
    program().call("install_schedule", source=str(other), destination=str(destination),
                   name="other", scheduler="cron")
    assert crontab().startswith(one)
    later = foreign() + crontab()[len(foreign()):] + "# a line of mine, after theirs\n"
    set_crontab(later)
    program().call("install_schedule", source=str(source), destination=str(destination), name=NAME,
                   scheduler="cron", time="23:59")
    changed = crontab().splitlines()
    assert len(changed) == len(later.splitlines())
    differing = [(a, b) for a, b in zip(later.splitlines(), changed) if a != b]
    assert len(differing) == 1 and differing[0][1].startswith("59 23 * * * "), differing
    program().call("remove_schedule", name="other", confirm=True)
    saved = FOLDER / "saved"
    shutil.copy(HOME / ".local/share/backup-plugin-db/bin/backup-plugin-db", saved)
    removed = program(saved).call("remove_schedule", name=NAME, confirm=True)
    assert crontab() == foreign() + "# a line of mine, after theirs\n", crontab()
    assert str(HOME / ".local/share/backup-plugin-db/bin/backup-plugin-db") in removed["removed"]
    left = [p for p in tree(HOME, STATE) if "backup-plugin-db" in p]
    assert not left, left
    assert list(destination.rglob("*.db")), "the snapshots must stay"


def hard_strings_arrive():
    """Every hard string, as an argument and as the folder of a program, through the real cron."""
    out = FOLDER / "dumped"
    probe = str(FOLDER / "probe")

    def render(*words):
        return subprocess.run([probe, "crontab", *words], text=True, capture_output=True,
                              check=True).stdout

    at("2031-05-01 12:00:54")
    table = ""
    for number, text in enumerate(HARD):
        file = f"{out}.{number}"
        table += "* * * * * " + render(probe, "dump", file, text, "end")
        if text:
            copy = FOLDER / "programs" / text
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(probe, copy)
            table += "* * * * * " + render(str(copy), "dump", f"{file}.program", "there")
    # cronie reads a backslash before `%` in another way than Debian's cron: neither must see one.
    assert "%" not in table and "\\%" not in table.replace("\\045", "").replace("\\134", "")
    set_crontab(table)
    time.sleep(1.1)
    expected = {f"{out}.{n}": [text, "end"] for n, text in enumerate(HARD)}
    expected.update({f"{out}.{n}.program": ["there"] for n, text in enumerate(HARD) if text})

    def arrived():
        return {str(p): p.read_bytes().decode().split("\0")[:-1] for p in FOLDER.glob("dumped.*")}

    with Cron():
        wait_until("all strings arrive", lambda: len(arrived()) == len(expected), 90)
        time.sleep(0.5)
    assert arrived() == expected, {k: v for k, v in arrived().items() if v != expected[k]}
    subprocess.run(["crontab", "-r"], check=True)


def weird_homes(source, destination):
    data = FOLDER / "we ird 100% $HOME é;x (p) & # 'q' \"d\" \\b <t>"
    original = FOLDER / "again"
    original.mkdir()
    shutil.copy(FOLDER / "saved", original / "backup-plugin-db")
    at("2031-06-01 12:00:00")
    set_crontab(foreign())
    weird = Program(original / "backup-plugin-db", {**env(), "XDG_DATA_HOME": str(data)})
    result = weird.call("install_schedule", source=str(source), destination=str(destination),
                        name="weird", scheduler="cron", time="03:30")
    check_snapshot(result["run"]["snapshot"])
    before = len(runs_of(STATE, "weird"))
    with cron_before("2031-06-02 03:30:00"):
        wait_until("the program in the weird folder runs",
                   lambda: len(runs_of(STATE, "weird")) == before + 1)
    assert runs_of(STATE, "weird")[-1][1] == 1
    weird.env = {**env(), "XDG_DATA_HOME": str(data)}
    weird.call("remove_schedule", name="weird", confirm=True)
    assert crontab() == foreign()


def main():
    HOME.mkdir()
    source = FOLDER / "sources/My \"App\" 100% $HOME é/global.db"
    destination = FOLDER / "Back ups 100% 'x' $HOME"
    make_database(source)
    destination.mkdir()
    at("2031-03-04 12:00:00")
    install(source, destination)
    shutil.rmtree(FOLDER / "cache")
    fires_at_night()
    catches_up_once()
    fails_loudly(destination)
    by_the_hour(source, destination)
    side_by_side(source, destination)
    covers_a_folder(program(FOLDER / "saved"), FOLDER / "code", destination, "cron")
    hard_strings_arrive()
    weird_homes(source, destination)
    print("cron: all is well")


main()
