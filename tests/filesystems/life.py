"""The life of a database's backups, done by the program in any folder, and looked at."""
import json
import os
import sqlite3
import subprocess

ROWS = 600
COMMAND_SECONDS = 120
CONFLICT = 7
TRIES_WHERE_FILES_MOVE = 5
# In another process than the one that mounts: SQLite's locks are a process's own.
COUNT = ("import sqlite3, sys; print(sqlite3.connect('file:%s?immutable=1' % sys.argv[1], uri=True)"
         ".execute('SELECT count(*) FROM notes').fetchone()[0])")


class Fault(Exception):
    """What the program did wrong."""


def expect(right, what):
    if not right:
        raise Fault(what)


def make_database(path, rows=ROWS):
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=wal")
    db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    db.executemany("INSERT INTO notes(text) VALUES (?)", ((f"note {i} " * 40,) for i in range(rows)))
    db.commit()
    db.close()


def change(path, sql):
    db = sqlite3.connect(path)
    db.execute(sql)
    db.commit()
    db.close()


class Program:
    """Runs the program with a home of its own; `wrap` is a command to put before it, `settle` is
    called before each run: given where files change their identity by themselves."""

    def __init__(self, path, home, wrap=(), user=None, settle=None):
        self.path, self.home, self.wrap, self.user = path, home, list(wrap), user
        self.settle = settle
        os.makedirs(home, exist_ok=True)
        if user is not None:
            os.chown(home, user, user)
        self.environment = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
                            "HOME": home, "LC_ALL": "C.UTF-8"}

    def start(self, *arguments):
        if self.settle:
            self.settle()
        return subprocess.Popen([*self.wrap, self.path, *arguments, "--json"], cwd="/",
                                env=self.environment, user=self.user, group=self.user,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *arguments):
        """Exit code, output and errors."""
        with self.start(*arguments) as child:
            try:
                output, errors = child.communicate(timeout=COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                raise Fault(f"{arguments[0]} does not end")
        return child.returncode, output, errors

    def ask(self, *arguments):
        code, output, errors = self.run(*arguments)
        for _ in range(TRIES_WHERE_FILES_MOVE if self.settle else 0):
            if code != CONFLICT or "try again" not in errors:
                break
            code, output, errors = self.run(*arguments)
        expect(code == 0, f"{' '.join(arguments)} ended with {code}: {output} {errors}")
        return json.loads(output)


class Life:
    """Snapshots of a database in `home` go to `place`, a folder of the file system in question."""

    def __init__(self, program, home, place):
        self.program = program
        self.source = os.path.join(home, "app", "notes.db")
        self.destination = os.path.join(place, "backups")
        self.place = place
        os.makedirs(os.path.dirname(self.source))
        for folder in (self.destination, os.path.join(place, "work")):
            os.mkdir(folder)
        make_database(self.source)
        if program.user is not None:
            for folder, _, files in os.walk(os.path.dirname(self.source)):
                for path in [folder, *(os.path.join(folder, name) for name in files)]:
                    os.chown(path, program.user, program.user)

    def call(self, command, *arguments):
        return self.program.ask(command, "--source", self.source, "--destination",
                                self.destination, *arguments)

    def snapshot(self, *arguments):
        return self.call("snapshot", "--hostname", "h", *arguments)

    def rows_of(self, path):
        done = subprocess.run(["/usr/bin/python3", "-c", COUNT, path], capture_output=True,
                              text=True, user=self.program.user, timeout=COMMAND_SECONDS)
        expect(done.returncode == 0, f"{path} cannot be read: {done.stderr}")
        return int(done.stdout)

    def names(self, folder):
        return sorted(os.listdir(folder))

    def live(self):
        """All of it; the warnings of the first snapshot."""
        first = self.snapshot()
        path = first["snapshot"]
        expect(self.rows_of(path) == ROWS, "the first snapshot lacks rows")
        self.again(path)
        self.list_and_verify()
        self.restore_new(path)
        self.restore_in_place(path)
        self.retention()
        self.loss()
        return first.get("warnings", [])

    def again(self, path):
        change(self.source, "INSERT INTO notes(text) VALUES ('one more')")
        second = self.snapshot()
        expect(second["snapshot"] == path, "the second snapshot of the day has another name")
        expect(self.rows_of(path) == ROWS + 1, "the second snapshot of the day did not replace")

    def loss(self):
        change(self.source, "DELETE FROM notes WHERE id > 5")
        taken = self.snapshot()
        folder = os.path.dirname(taken["snapshot"])
        kept = [name for name in self.names(folder)
                if "before-loss" in name and name.endswith(".db")]
        expect(len(kept) == 1, f"the snapshot before the loss was not kept: {kept}")
        expect(self.rows_of(os.path.join(folder, kept[0])) == ROWS + 1,
               "the kept snapshot lacks rows")
        expect(self.rows_of(taken["snapshot"]) == 5, "the snapshot after the loss has other rows")

    def list_and_verify(self):
        listed = self.program.ask("list", "--destination", self.destination)["snapshots"]
        expect(len(listed) == 1, f"list shows {len(listed)} snapshots")
        verified = self.program.ask("verify", "--snapshot", listed[0]["path"], "--level", "full")
        expect(verified["verdict"] == "verified", f"verify says {verified['verdict']}")

    def restore_new(self, snapshot):
        target = os.path.join(self.place, "work", "new.db")
        self.program.ask("restore", "--snapshot", snapshot, "--target", target)
        expect(self.rows_of(target) == ROWS + 1, "the restored file lacks rows")
        code, _, _ = self.program.run("restore", "--snapshot", snapshot, "--target", target)
        expect(code == CONFLICT, f"a restore over a new file's name ended with {code}")
        away = os.path.join(os.path.dirname(self.source), "away.db")
        self.program.ask("restore", "--snapshot", snapshot, "--target", away)
        expect(self.rows_of(away) == ROWS + 1, "what was restored elsewhere lacks rows")

    def restore_in_place(self, snapshot):
        target = os.path.join(self.place, "work", "new.db")
        arguments = ("restore", "--snapshot", snapshot, "--target", target, "--in-place",
                     "--confirm")
        done = self.program.ask(*arguments)
        expect(self.rows_of(target) == ROWS + 1, "the database restored in place lacks rows")
        expect(self.rows_of(done["safety_copy"]) == ROWS + 1, "the safety copy lacks rows")
        os.remove(target)
        self.program.ask(*arguments)
        expect(self.rows_of(target) == ROWS + 1, "the lost database did not come back")
        left = [name for name in self.names(os.path.dirname(target)) if name.startswith(".")]
        expect(not left, f"left beside the target: {left}")

    def retention(self):
        for day in ("2020-01-01", "2020-01-02", "2020-01-03"):
            self.snapshot("--date", day)
        self.call("prune", "--hostname", "h", "--keep-last", "1", "--no-dry-run")
        folder = os.path.join(self.destination, "h")
        snapshots = [name for name in self.names(folder) if name.endswith(".db")]
        expect(len(snapshots) < 4, f"nothing was pruned: {snapshots}")
        expect(len(self.names(folder)) == 2 * len(snapshots),
               f"left in the destination: {self.names(folder)}")
