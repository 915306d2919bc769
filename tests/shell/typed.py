"""What the tests of the command line share: a home, and commands as people type them in a terminal."""

import os
import pty
import re
import select
import sqlite3
import subprocess
import tempfile
import time

PATIENCE_S = 60


class Home:
    """A home with a global database, a project and a folder for backups."""

    def __init__(self, program, zone="UTC"):
        self.program = os.path.realpath(program)
        self.held = tempfile.TemporaryDirectory()
        self.path = os.path.realpath(self.held.name)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.path, "TZ": zone, "TERM": "xterm",
            **{f"XDG_{name}_HOME": f"{self.path}/.{name.lower()}"
               for name in ("CONFIG", "STATE", "DATA")}}
        self.database(".claude/orchestrator/global.db")
        self.database("code/app/.orchestrator/project.db")
        os.makedirs(f"{self.path}/code/app/src")
        os.makedirs(f"{self.path}/Backups")

    def database(self, name, rows=20):
        path = f"{self.path}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE notes(id TEXT PRIMARY KEY, content TEXT)")
            connection.executemany("INSERT INTO notes VALUES(?, ?)",
                                   [(f"n{i}", f"note {i}") for i in range(rows)])
        connection.close()
        return path

    def run(self, *words, where=""):
        """Without a terminal: exit code, standard output, standard error."""
        done = subprocess.run([self.program, *words], env=self.environment, text=True,
                              cwd=f"{self.path}/{where}", stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=PATIENCE_S)
        return done.returncode, done.stdout, done.stderr

    def type(self, *words, where="", answers=(), columns=80, **environment):
        """In a terminal of that width: exit code, and all that it shows. Each answer is typed when a
        line ends in what it is to: (what, answer)."""
        master, slave = pty.openpty()
        os.set_blocking(master, False)
        set_columns(slave, columns)
        process = subprocess.Popen([self.program, *words], stdin=slave, stdout=slave, stderr=slave,
                                   env={**self.environment, **environment},
                                   cwd=f"{self.path}/{where}", start_new_session=True)
        os.close(slave)
        shown, open_answers = "", list(answers)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    shown += os.read(master, 65536).decode().replace("\r\n", "\n")
                except OSError:
                    break
            elif process.poll() is not None:
                break
            if open_answers and plain(shown).rstrip().endswith(open_answers[0][0]):
                os.write(master, (open_answers.pop(0)[1] + "\n").encode())
        os.close(master)
        assert process.wait(PATIENCE_S) is not None
        assert not open_answers, f"{words}: never asked for {open_answers}:\n{shown}"
        return process.returncode, shown


def set_columns(terminal, columns):
    import fcntl
    import struct
    import termios
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))


def plain(text):
    """Without colours and the bar of progress."""
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", re.sub(r"\r[^\n]*\x1b\[K", "", text))
