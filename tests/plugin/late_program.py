#!/usr/bin/env python3
"""late_program.py LAUNCHER PROGRAM: a session that begins before the program is there gets answers, and
the tools as soon as it is. HOME must be empty."""

import json
import os
import subprocess
import sys

launcher, program = sys.argv[1:]
GREETING = {"protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "client", "version": "1"}}


class Session:
    def __init__(self):
        self.server = subprocess.Popen([launcher, "serve"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def send(self, **message):
        self.server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.server.stdin.flush()

    def hear(self):
        return json.loads(self.server.stdout.readline())

    def ask(self, number, method, **params):
        # In the order of the TypeScript SDK.
        self.send(method=method, params=params, id=number)
        reply = self.hear()
        assert reply["id"] == number, reply
        return reply

    def end(self):
        self.server.stdin.close()
        assert self.server.stdout.read() == b""
        self.server.wait(10)


session = Session()
greeted = session.ask(0, "initialize", **GREETING)["result"]
assert greeted["protocolVersion"] == "2025-06-18", greeted
assert greeted["capabilities"] == {"tools": {"listChanged": True}}, greeted
assert "bootstrap.sh' install" in greeted["instructions"], greeted
session.send(method="notifications/initialized")
assert session.ask("a", "ping")["result"] == {}
assert session.ask(1, "tools/list")["result"] == {"tools": []}
assert session.ask(2, "tools/call", name="backup_status", arguments={})["error"]["code"] == -32601
session.end()

session = Session()
session.ask(0, "initialize", **GREETING)
folder = os.path.join(os.environ["HOME"], ".local/bin")
os.makedirs(folder)
os.symlink(program, os.path.join(folder, "backup-plugin-db"))
assert session.hear()["method"] == "notifications/tools/list_changed"
tools = session.ask(1, "tools/list")["result"]["tools"]
assert any(tool["name"] == "backup_status" for tool in tools), tools
status = session.ask(2, "tools/call", name="backup_status", arguments={})["result"]
assert status["structuredContent"]["status"] == "attention", status
session.end()
os.remove(os.path.join(folder, "backup-plugin-db"))
os.rmdir(folder)
