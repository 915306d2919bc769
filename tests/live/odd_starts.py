#!/usr/bin/env python3
"""odd_starts.py PROGRAM: a server that is started without standard descriptors, from a terminal, or by
a client that is killed."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time

program = os.path.realpath(sys.argv[1])
home = tempfile.TemporaryDirectory()
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": home.name}
PATIENCE_S = 20


def ended(process):
    """Whether it ends by itself, soon."""
    try:
        process.wait(PATIENCE_S)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def without_input():
    server = subprocess.Popen(["sh", "-c", 'exec "$0" serve <&-', program], env=ENVIRONMENT,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert ended(server), "serve without an input stays"


def serves_http(closed):
    server = subprocess.Popen(
        ["sh", "-c", f'exec "$0" serve --http 127.0.0.1:0 --no-token {closed}', program],
        env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        assert server.poll() is None, f"serve --http {closed} ended by itself"
    finally:
        server.terminate()
        assert ended(server), f"serve --http {closed} does not stop"


def killed_client():
    """The client is killed; another child of it goes on to hold both ends of the server's pipes."""
    to_server, from_server = os.pipe(), os.pipe()
    report = os.pipe()
    client = os.fork()
    if client == 0:
        server = subprocess.Popen([program, "serve"], env=ENVIRONMENT, stdin=to_server[0],
                                  stdout=from_server[1], stderr=subprocess.DEVNULL)
        os.write(to_server[1], b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        os.read(from_server[0], 1000)
        os.write(report[1], str(server.pid).encode())
        signal.pause()
    server = int(os.read(report[0], 100))
    os.kill(client, signal.SIGKILL)
    os.waitpid(client, 0)
    # This process is the one that still holds the pipes.
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            with open(f"/proc/{server}/stat", encoding="utf-8") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.1)
    os.kill(server, signal.SIGKILL)
    raise AssertionError("the server outlives its client")


def typed_in_a_terminal():
    parent, child = pty.openpty()
    server = subprocess.Popen([program, "serve"], env=ENVIRONMENT, stdin=child, stdout=child,
                              stderr=child, start_new_session=True)
    os.close(child)
    said = b""
    end = time.monotonic() + PATIENCE_S
    while b"Ctrl-D" not in said and time.monotonic() < end:
        if select.select([parent], [], [], 0.1)[0]:
            said += os.read(parent, 4096)
    assert b"MCP server" in said and b"claude mcp add" in said, said
    os.write(parent, b"\x04")
    assert ended(server), "Ctrl-D does not end it"


def without_reader():
    server = subprocess.Popen([program, "serve"], env=ENVIRONMENT, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode() + b"\n")
    server.stdin.flush()
    assert json.loads(server.stdout.readline())["id"] == 1
    server.stdout.close()
    assert ended(server), "a server that nobody reads stays"


without_input()
for closed in ("<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
    serves_http(closed)
killed_client()
typed_in_a_terminal()
without_reader()
print("each ended when it had to")
