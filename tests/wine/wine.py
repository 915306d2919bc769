"""Windows programs under Wine, as the scripts beside this start them. The prefix is build/wine, made by
the first of them."""
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREFIX = ROOT / "build" / "wine"
TIMEOUT_S = 120
SKIPPED = 77


def find_wine():
    for name in ("wine64", "wine64-stable", "wine", "/usr/lib/wine/wine64"):
        found = shutil.which(name)
        if found:
            return found
    print("Wine is missing: on Debian install the package wine64 (./bootstrap.sh test windows does).",
          file=sys.stderr)
    sys.exit(SKIPPED)


def windows_path(path):
    """Wine shows the whole of the file system as drive Z."""
    return "Z:" + str(path).replace("/", "\\")


class Wine:
    def __init__(self, programs):
        self.loader = find_wine()
        self.programs = programs
        self.environment = {
            key: value for key, value in os.environ.items()
            if key in ("PATH", "HOME", "LANG", "USER", "TMPDIR")}
        self.environment.update(WINEPREFIX=str(PREFIX), WINEDEBUG="-all", LANG="C.UTF-8",
                                WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe,winedbg.exe=d")
        self.environment.pop("DISPLAY", None)

        PREFIX.mkdir(parents=True, exist_ok=True)
        with open(PREFIX.with_suffix(".lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.keeper = self.keep()
            self.make_prefix()

    def make_prefix(self):
        done = PREFIX / "made-for-backup-plugin-db"
        if done.exists():
            return
        print("making the prefix …", flush=True)
        self.wine("wineboot", "-u")
        # It plays Windows 7 unless told.
        self.wine("reg", "add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f")
        done.touch()

    def end(self):
        """Ends whatever still runs in the prefix, and waits for it."""
        server = next(path for path in ("/usr/lib/wine/wineserver64", "/usr/lib/wine/wineserver",
                                        shutil.which("wineserver")) if path and os.path.exists(path))
        subprocess.run([server, "-k"], env=self.environment, timeout=TIMEOUT_S, check=False)
        self.keeper.wait(timeout=TIMEOUT_S)

    def keep(self):
        """A program that lasts as long as we do, and runs already: Wine's server goes as soon as no
        program is left, and takes with it whoever comes then. The first program starts Wine's services,
        which keep its output open: nobody may wait for the end of that one."""
        keeper = subprocess.Popen([self.loader, "cmd"], env=self.environment, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        alarm = threading.Timer(10 * TIMEOUT_S, keeper.kill)
        alarm.start()
        prompt = keeper.stdout.read(1)
        alarm.cancel()
        assert prompt, "Wine does not start"
        return keeper

    def wine(self, *words):
        return subprocess.run([self.loader, *words], env=self.environment, timeout=10 * TIMEOUT_S,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=True)

    def command(self, *words):
        """cmd /c WORDS: how it ended, and all that it said."""
        done = subprocess.run([self.loader, "cmd", "/c", *words], env=self.environment, check=False,
                              timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode(errors="replace")

    def start(self, program, *words, **options):
        return subprocess.Popen([self.loader, str(self.programs / (program + ".exe")), *words],
                                env={**self.environment, **options.pop("variables", {})},
                                stdin=options.pop("stdin", subprocess.DEVNULL),
                                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})

    def run(self, *words, code=0, **options):
        """backup-plugin-db WORDS: its standard output, after its exit code was compared."""
        process = self.start("backup-plugin-db", *words, **options)
        output, errors = process.communicate(timeout=TIMEOUT_S)
        text = output.decode()
        if process.returncode != code:
            raise AssertionError(f"{' '.join(words)}\n  ended with {process.returncode}, not {code}"
                                 f"\n{text}\n{errors.decode(errors='replace')}")
        assert "\r" not in text, f"a carriage return in the output: {text!r}"
        return text if code == 0 else errors.decode(errors="replace")

    def json(self, *words, **options):
        return json.loads(self.run(*words, "--json", **options))
