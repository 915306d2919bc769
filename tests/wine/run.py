#!/usr/bin/env python3
"""Runs the programs for Windows under Wine: what people do with them, and what must not go wrong.

    tests/wine/run.py FOLDER [WORD…]     FOLDER: where the programs were built (build/windows-x64)

With WORDs only the checks whose names hold one of them. Ends with 77, and says what is missing, where
Wine is not installed. Wine is not Windows: what it
lets pass, and what it cannot do, stands in docs/ROUGH_EDGES.md.
"""
import json
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

from house import House, expect_manifest, rows_of
from wine import ROOT, TIMEOUT_S, Wine, windows_path

USAGE, NOT_FOUND = 2, 3


def check_exit_codes(house):
    assert house.run("--version").startswith("backup-plugin-db ")
    assert "snapshot" in house.run("--help")
    house.run("nonsense", code=USAGE)
    house.run("snapshot", "--source", windows_path(house.folder / "none.db"), "--destination",
              windows_path(house.backups), code=NOT_FOUND)


def check_the_launcher(house):
    """The plugin's, in a folder with a blank: it finds the program beside it, or says what to do."""
    launcher = house.folder / "plug in/bin/backup-plugin-db.cmd"
    launcher.parent.mkdir(parents=True)
    shutil.copy(ROOT / "bin/backup-plugin-db.cmd", launcher)
    code, text = house.wine.command(windows_path(launcher), "--version")
    assert code == 127 and "docs\\CHECKLIST.md" in text, (code, text)
    shutil.copy(house.wine.programs / "backup-plugin-db.exe", launcher.parent)
    code, text = house.wine.command(windows_path(launcher), "--version")
    assert code == 0 and text.startswith("backup-plugin-db "), (code, text)
    code, text = house.wine.command(windows_path(launcher), "nonsense")
    assert code == USAGE and "nonsense" in text, (code, text)


def check_self_test(house):
    print(house.run("self-test", windows_path(house.folder)))
    left = [path.name for path in house.folder.iterdir() if "self-test" in path.name]
    assert not left, left


def check_snapshot_of_a_wal(house):
    taken = house.snapshot(house.database("live.db"))
    snapshot = house.unix(taken["snapshot"])
    assert rows_of(snapshot) == 200
    expect_manifest(snapshot)
    assert taken["verdict"] == "verified"
    listed = house.run("list", "--destination", windows_path(house.backups))
    assert snapshot.name in listed, listed
    house.run("verify", "--snapshot", windows_path(snapshot))
    assert not house.temporaries()


def check_names_in_other_scripts(house):
    house.backups = house.folder / "Löwe 備份"
    house.backups.mkdir()
    taken = house.snapshot(house.database("src Ünï/日本/プラグ イン.db", rows=17), "--label", "nächtlich")
    snapshot = house.unix(taken["snapshot"])
    assert rows_of(snapshot) == 17
    target = house.folder / "zurück geholt.db"
    house.run("restore", "--snapshot", windows_path(snapshot), "--target", windows_path(target))
    assert rows_of(target) == 17
    house.run("restore", "--snapshot", windows_path(snapshot), "--target", windows_path(target),
              code=7)  # conflict: its name is taken


def check_a_writing_program(house):
    database = house.database("busy.db")
    for number in range(3):
        writer = house.wine.start("wine_writer", windows_path(database), "4")
        assert writer.stdout.read(1) == b"+"
        taken = house.snapshot(database, "--label", f"n{number}")
        output, errors = writer.communicate(timeout=TIMEOUT_S)
        commits, failures = map(int, output.split())
        assert writer.returncode == 0 and failures == 0 and commits > 20, (output, errors)
        snapshot = house.unix(taken["snapshot"])
        assert taken["verdict"] == "verified"
        assert rows_of(snapshot) == rows_of(snapshot, "copies") > 200


def check_restore_in_place(house):
    database = house.database("live.db", rows=50)
    taken = house.snapshot(database)
    writer = house.wine.start("wine_writer", windows_path(database), "2")
    writer.communicate(timeout=TIMEOUT_S)
    rows = rows_of(database)
    assert rows > 50
    words = ["restore", "--target", windows_path(database), "--in-place", "--confirm", "--json"]
    restored = json.loads(house.run(*words, "--snapshot", taken["snapshot"]))
    assert rows_of(database) == 50
    safety_copy = restored["safety_copy"]
    assert rows_of(house.unix(safety_copy)) == rows
    house.run(*words, "--snapshot", safety_copy)
    assert rows_of(database) == rows


def check_kill_in_mid_copy(house):
    database = house.database("large.db", rows=40_000, blob=700)
    for _ in range(5):
        process = house.wine.start("backup-plugin-db", "snapshot", "--source",
                                   windows_path(database), "--destination",
                                   windows_path(house.backups), variables=house.variables)
        deadline = time.monotonic() + TIMEOUT_S
        while not house.temporaries() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.kill()
        process.communicate()
        if house.temporaries():
            break
    assert house.temporaries(), "it was too fast to be killed in the middle"
    assert not list(house.backups.rglob("*.db")), "half a snapshot has its name"
    taken = house.snapshot(database)
    assert rows_of(house.unix(taken["snapshot"])) == 40_000
    assert not house.temporaries(), "what the killed run left lies there still"


class Server:
    """As much of an MCP client as a check needs. Lines end as Windows programs end them."""

    def __init__(self, house):
        self.process = house.wine.start("backup-plugin-db", "serve", stdin=subprocess.PIPE,
                                        variables=house.variables)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.last_id = 0

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\r\n")
        self.process.stdin.flush()

    def request(self, method, params):
        self.last_id += 1
        self.send({"id": self.last_id, "method": method, "params": params})
        while True:
            line = self.lines.get(timeout=TIMEOUT_S)
            assert line is not None, "the server ended: " + self.process.stderr.read().decode()
            assert b"\r" not in line, line
            answer = json.loads(line)
            if answer.get("id") == self.last_id:
                return answer["result"]

    def close(self):
        begin = time.monotonic()
        self.process.stdin.close()
        assert self.process.wait(timeout=TIMEOUT_S) == 0
        return time.monotonic() - begin


HELLO = {"protocolVersion": "2025-06-18", "capabilities": {},
         "clientInfo": {"name": "wine", "version": "1"}}


def check_mcp_over_stdio(house):
    database = house.database("live.db")
    begin = time.monotonic()
    server = Server(house)
    assert server.request("initialize", HELLO)["serverInfo"]["name"]
    connected = time.monotonic() - begin
    server.send({"method": "notifications/initialized"})
    tools = [tool["name"] for tool in server.request("tools/list", {})["tools"]]
    assert "snapshot_db" in tools, tools
    result = server.request("tools/call", {"name": "snapshot_db", "arguments": {
        "source": windows_path(database), "destination": windows_path(house.backups)}})
    assert not result.get("isError"), result
    assert rows_of(house.unix(result["structuredContent"]["snapshot"])) == 200
    begin = time.monotonic()
    for _ in range(200):
        server.request("ping", {})
    ping = (time.monotonic() - begin) / 200
    print(f"connected in {connected * 1000:.0f} ms, ping {ping * 1000:.2f} ms, "
          f"closed in {server.close() * 1000:.0f} ms, {len(tools)} tools")


def sdk(house, way, calls=20):
    """What the TypeScript SDK says of the server that `way` leads to (sdk/client.mjs)."""
    folder = ROOT / "tests" / "wine" / "sdk"
    subprocess.run([ROOT / "tests" / "support" / "npm_install.sh", folder], check=True)
    database = house.database("live.db")
    words = ["node", folder / "client.mjs", json.dumps(way), windows_path(database),
             windows_path(house.backups), str(calls)]
    said = subprocess.run(words, capture_output=True, timeout=TIMEOUT_S, check=False)
    assert said.returncode == 0, said.stderr.decode()
    answer = json.loads(said.stdout)
    print(answer)
    assert rows_of(house.unix(answer["snapshot"])) == 200
    assert answer["verified"] == "verified" and answer["refused"] and answer["progress"] > 0
    assert answer["snapshots"] == 1 and len(answer["tools"]) > 8


def check_sdk_over_stdio(house):
    program = str(house.wine.programs / "backup-plugin-db.exe")
    sdk(house, {"command": house.wine.loader, "args": [program, "serve"],
                "env": {**house.wine.environment, **house.variables}})


def check_sdk_over_http(house):
    process, url = start_http(house)
    try:
        sdk(house, {"url": url})
    finally:
        process.kill()
        process.communicate()


def start_http(house):
    process = house.wine.start("backup-plugin-db", "serve", "--http", "127.0.0.1:0", "--no-token",
                               "--allow", windows_path(house.folder), variables=house.variables)
    line = process.stderr.readline().decode()
    while line and "Listening on" not in line:
        line = process.stderr.readline().decode()
    assert line, "the server ended before it listened"
    return process, line.split("Listening on ")[1].split()[0]


def check_http(house):
    process, url = start_http(house)
    try:
        with urllib.request.urlopen(url.replace("/mcp", "/health"), timeout=TIMEOUT_S) as answer:
            assert json.load(answer) == {"status": "ok"}
        request = urllib.request.Request(url, method="POST", headers={
            "Content-Type": "application/json", "Accept": "application/json, text/event-stream"},
            data=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize",
                             "params": HELLO}).encode())
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            assert "serverInfo" in answer.read().decode()
    finally:
        process.kill()
        process.communicate()
    # The one that serves ends with the one that was started.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1)
        except urllib.error.HTTPError:
            time.sleep(0.1)
        except OSError:
            return
    raise AssertionError("the server outlives the program that was started")


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return USAGE
    wine = Wine(pathlib.Path(arguments[0]).resolve())
    failed = []
    checks = [(name[len("check_"):].replace("_", " "), function)
              for name, function in globals().items() if name.startswith("check_")]
    for name, function in checks:
        if arguments[1:] and not any(word in name for word in arguments[1:]):
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(House(wine, pathlib.Path(folder)))
                print(f"ok      {name} ({time.monotonic() - begin:.1f} s)", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed.append(name)
                print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
    wine.end()
    print("failed: " + ", ".join(failed) if failed else "Everything that was tried works.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
