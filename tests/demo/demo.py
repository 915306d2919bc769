#!/usr/bin/env python3
"""Shows the whole way once: a live database, the server on stdio, three tool calls.

Usage: demo.py PROGRAM. Everything lies in a fresh folder under the system's temporary folder.
"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

WRITER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=10)
while True:
    with db:
        db.execute("INSERT INTO notes(content) VALUES (hex(randomblob(200)))")
    time.sleep(0.01)
"""


class Client:
    """As much of an MCP client as three calls need: one JSON message a line."""

    def __init__(self, program, environment):
        self.server = subprocess.Popen([program, "serve"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True, env=environment)
        self.last_id = 0

    def send(self, message):
        self.server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.server.stdin.flush()

    def request(self, method, params):
        self.last_id += 1
        self.send({"id": self.last_id, "method": method, "params": params})
        for line in self.server.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.last_id:
                if "error" in answer:
                    sys.exit(f"{method} failed: {answer['error']['message']}")
                return answer["result"]
        sys.exit("The server ended before it answered.")

    def call(self, tool, arguments):
        result = self.request("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            sys.exit(f"{tool} failed: {result['content'][0]['text']}")
        return result["structuredContent"]

    def close(self):
        self.server.stdin.close()
        return self.server.wait(timeout=5)


def make_live_database(path):
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=wal")
    db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, content TEXT NOT NULL)")
    with db:
        db.executemany("INSERT INTO notes(content) VALUES (?)",
                       ((f"note {i}: something worth keeping",) for i in range(2000)))
    db.close()
    return subprocess.Popen([sys.executable, "-c", WRITER, path])


def run(program, folder):
    source = os.path.join(folder, "home", "global.db")
    destination = os.path.join(folder, "backups")
    os.makedirs(os.path.dirname(source))
    os.makedirs(destination)
    print(f"Live database      {source}")
    writer = make_live_database(source)
    print("                   (another process commits to it every 10 ms)")
    environment = {**os.environ, "XDG_STATE_HOME": os.path.join(folder, "state")}
    try:
        time.sleep(0.3)
        client = Client(program, environment)
        hello = client.request("initialize", {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "demo", "version": "1"}})
        client.send({"method": "notifications/initialized"})
        info = hello["serverInfo"]
        print(f"Server             {info['name']} {info['version']}, MCP {hello['protocolVersion']}")

        taken = client.call("snapshot_db", {"source": source, "destination": destination})
        print(f"snapshot_db        {taken['snapshot']}")
        print(f"                   {taken['bytes']} bytes, {taken['rows']['notes']} notes, "
              f"{taken['verdict']}, {taken['timings_ms']['total']} ms")
        listed = client.call("list_snapshots", {"destination": destination})
        for entry in listed["snapshots"]:
            print(f"list_snapshots     {entry['date']}  {entry['bytes']} bytes  "
                  f"verified: {entry['verified']}")
        checked = client.call("verify_snapshot", {"snapshot": taken["snapshot"], "level": "full"})
        for check in checked["checks"]:
            print(f"verify_snapshot    {check['outcome']:8} {check['name']}")
        print(f"                   verdict: {checked['verdict']}")
        if client.close() != 0:
            sys.exit("The server did not end cleanly.")
    finally:
        writer.terminate()
        writer.wait()
    db = sqlite3.connect(source)
    live = db.execute("SELECT count(*) FROM notes").fetchone()[0]
    db.close()
    print(f"Meanwhile          the live database has grown to {live} notes")
    print(f"Files              {folder}  (remove it when you have looked)")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    run(os.path.abspath(sys.argv[1]), tempfile.mkdtemp(prefix="backup-plugin-db-demo."))
