#!/usr/bin/env python3
"""soak.py PROGRAM [REQUESTS [SEED]]: eight clients at once, over stdio and HTTP, of both protocol eras.

They abort, cancel, reconnect and use ids again at random. Each request bears a word of its own that the
right answer repeats, so that no answer can pass for another one. At the end every request has its
answer, and memory and descriptors of the servers are what they were after a tenth of the requests.
"""

import collections
import http.client
import json
import multiprocessing
import os
import queue
import random
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

program = os.path.realpath(sys.argv[1])
REQUESTS = int(sys.argv[2]) if len(sys.argv) > 2 else 8_000
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
CLIENTS = 8
PATIENCE_S = 30
MAX_UNDER_WAY = 12
MAX_GROWTH_KIB = 8 * 1024
IDS = [0, 1, 2, 3, "0", "1", "a", "b", "", 2**53, -1, 7, "ü", 4, 5, 6]  # more than are under way at once
MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {}}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {},
              "clientInfo": {"name": "soak", "version": "1"}}
home = tempfile.TemporaryDirectory()
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": home.name}


def figures(pid):
    """Resident KiB, descriptors."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        resident = int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))
    return resident, len(os.listdir(f"/proc/{pid}/fd"))


def final_figures(pid, before):
    """Once the calls that were cancelled have let go of what they had open, or it is clear that they
    do not."""
    end = time.monotonic() + PATIENCE_S
    while figures(pid)[1] > before[1] and time.monotonic() < end:
        time.sleep(0.05)
    return figures(pid)


def some_request(rng, word, modern):
    """A method, its parameters, and what the answer must hold."""
    path = f"{home.name}/{word}"
    method, params = rng.choice([
        ("tools/call", {"name": word}),
        ("tools/call", {"name": "list_snapshots", "arguments": {"destination": path}}),
        ("tools/call", {"name": "verify_snapshot", "arguments": json.dumps({"snapshot": path})}),
        ("resources/read", {"uri": f"backup://{word}"}),
        ("prompts/get", {"name": "restore_drill", "arguments": {"source": path}}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": word},
                                 "argument": {"name": "a", "value": "b"}}),
    ])
    return method, {**params, "_meta": META} if modern else params


def holds(answer, word):
    return re.search(re.escape(word) + r"(?!\d)", json.dumps(answer)) is not None


class Wrong(Exception):
    pass


class StdioClient:
    """Many requests under way. After a cancellation its id is used again at once, so the answer that was
    already written may still come, and then the new one."""

    def __init__(self, rng, modern, restarts):
        self.rng, self.modern, self.restarts = rng, modern, restarts
        self.count = self.cancelled = self.reconnects = 0
        self.start()

    def start(self):
        self.server = subprocess.Popen([program, "serve"], env=ENVIRONMENT, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.waiting = collections.defaultdict(collections.deque)  # id -> [(word, cancelled)]
        self.buffer = b""
        if not self.modern:
            self.write({"id": "start", "method": "initialize", "params": INITIALIZE})
            if self.read()["id"] != "start":
                raise Wrong("no answer to initialize")

    def write(self, message):
        self.server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.server.stdin.flush()

    def read(self):
        while b"\n" not in self.buffer:
            if not select.select([self.server.stdout], [], [], PATIENCE_S)[0]:
                raise Wrong(f"no answer within {PATIENCE_S} s to {dict(self.waiting)}")
            more = os.read(self.server.stdout.fileno(), 1 << 16)
            if not more:
                raise Wrong("the server ended")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def under_way(self):
        return [key for key, calls in self.waiting.items() if calls and not calls[-1][1]]

    def take(self, answer):
        calls = self.waiting[(type(answer.get("id")), answer.get("id"))]
        while calls:
            word, cancelled = calls.popleft()
            if holds(answer, word):
                return
            if not cancelled:
                break
        raise Wrong(f"{answer} is no answer to {word if 'word' in locals() else 'anything'}")

    def ask(self, word):
        free = [one for one in IDS if (type(one), one) not in self.under_way()]
        used = self.rng.choice(free)
        method, params = some_request(self.rng, word, self.modern)
        self.waiting[(type(used), used)].append((word, False))
        self.write({"id": used, "method": method, "params": params})

    def cancel(self):
        kind, used = self.rng.choice(self.under_way())
        self.waiting[(kind, used)][-1] = (self.waiting[(kind, used)][-1][0], True)
        self.write({"method": "notifications/cancelled", "params": {"requestId": used}})
        self.cancelled += 1

    def step(self, word):
        while len(self.under_way()) >= MAX_UNDER_WAY:
            self.take(self.read())
        if self.restarts and self.rng.random() < 0.001:
            self.stop(aborted=self.rng.random() < 0.5)
            self.start()
            self.reconnects += 1
        self.ask(word)
        if self.under_way() and self.rng.random() < 0.1:
            self.cancel()
        while self.under_way() and self.rng.random() < 0.5:
            self.take(self.read())

    def settle(self):
        while self.under_way():
            self.take(self.read())

    def stop(self, aborted=False):
        if aborted:
            self.server.kill()
        else:
            self.settle()
        self.server.stdin.close()
        self.server.stdout.close()
        self.server.wait(PATIENCE_S)


class HttpClient:
    """Two connections, so that one id may be under way twice."""

    def __init__(self, rng, modern, port):
        self.rng, self.modern, self.port = rng, modern, port
        self.count = self.cancelled = self.reconnects = 0
        self.connections = [None, None]
        self.session = {}
        self.start()

    def start(self):
        if self.modern:
            return
        reply = self.exchange(0, {"id": 0, "method": "initialize", "params": INITIALIZE})
        self.session = {"Mcp-Session-Id": reply.headers["Mcp-Session-Id"]}

    def headers(self, message):
        accepted = ["application/json", "text/event-stream"]
        self.rng.shuffle(accepted)
        headers = {"Content-Type": "application/json", "Accept": ", ".join(accepted), **self.session}
        if not self.modern:
            return headers
        headers.update({"MCP-Protocol-Version": MODERN, "Mcp-Method": message["method"]})
        named = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
        if message["method"] in named:
            headers["Mcp-Name"] = message["params"][named[message["method"]]]
        return headers

    def connect(self, which):
        if self.connections[which] is None:
            self.connections[which] = http.client.HTTPConnection("127.0.0.1", self.port,
                                                                 timeout=PATIENCE_S)
        return self.connections[which]

    def send(self, which, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        chunked = self.rng.random() < 0.2
        self.connect(which).request("POST", "/mcp", iter([body[:9], body[9:]]) if chunked else body,
                                    self.headers(message), encode_chunked=chunked)

    def exchange(self, which, message):
        self.send(which, message)
        return self.reply(which)

    def reply(self, which):
        reply = self.connections[which].getresponse()
        reply.text = reply.read().decode()
        return reply

    def answer(self, which, used, word, cancelled=False):
        reply = self.reply(which)
        texts = [reply.text]
        if reply.headers.get_content_type() == "text/event-stream":
            texts = re.findall(r"^data: *(\S.*)$", reply.text, re.M)
        answers = [json.loads(text) for text in texts if text]
        if cancelled and not answers:
            return
        answer = answers[-1] if answers else None
        if answer is None or type(answer.get("id")) is not type(used) or answer["id"] != used or \
           not holds(answer, word):
            raise Wrong(f"{reply.status} {reply.text} is no answer to {used!r} {word}")

    def abort(self, which):
        self.connections[which].sock.shutdown(socket.SHUT_RDWR)
        self.connections[which].close()
        self.connections[which] = None

    def ask(self, which, word):
        used = self.rng.choice(IDS)
        method, params = some_request(self.rng, word, self.modern)
        self.send(which, {"id": used, "method": method, "params": params})
        return used

    def step(self, word):
        chance = self.rng.random()
        if chance < 0.05:
            self.ask(0, word)
            self.abort(0)
            self.cancelled += 1
        elif chance < 0.10 and not self.modern:
            used = self.ask(0, word)
            self.exchange(1, {"method": "notifications/cancelled", "params": {"requestId": used}})
            self.answer(0, used, word, cancelled=True)
            self.cancelled += 1
        elif chance < 0.30:
            first, second = self.ask(0, word + "1"), self.ask(1, word + "2")
            self.answer(1, second, word + "2")
            self.answer(0, first, word + "1")
            self.count += 1
        else:
            self.answer(0, self.ask(0, word), word)
        if self.rng.random() < 0.003:
            self.reconnect()

    def reconnect(self):
        self.reconnects += 1
        if not self.modern and self.rng.random() < 0.7:  # others forget their session
            self.connect(0).request("DELETE", "/mcp", headers=self.session)
            if self.reply(0).status != 204:
                raise Wrong("DELETE was refused")
        for which in (0, 1):
            if self.connections[which] is not None:
                self.connections[which].close()
                self.connections[which] = None
        self.session = {}
        self.start()

    def settle(self):
        pass

    def stop(self):
        for connection in self.connections:
            if connection is not None:
                connection.close()


def run_client(number, port, requests, news):
    rng = random.Random(SEED * 1000 + number)
    modern = number % 2 == 1
    result = {"client": f"{'HTTP' if number >= 4 else 'stdio'} {MODERN if modern else '2025-11-25'}"}
    try:
        client = HttpClient(rng, modern, port) if number >= 4 else \
            StdioClient(rng, modern, restarts=number >= 2)
        samples = []
        while client.count < requests:
            client.count += 1
            client.step(f"word-{number}-{client.count}-")
            if not samples and client.count >= requests // 10:
                client.settle()
                news.put("warm")
                if number < 2:
                    samples.append(figures(client.server.pid))
        client.settle()
        if number < 2:
            samples.append(final_figures(client.server.pid, samples[0]))
            result["samples"] = samples
        client.stop()
        result.update(count=client.count, cancelled=client.cancelled, reconnects=client.reconnects)
    except Exception as error:  # pylint: disable=broad-exception-caught
        result["wrong"] = f"{type(error).__name__}: {error}"
    news.put(result)


def start_http():
    server = subprocess.Popen([program, "serve", "--http", "127.0.0.1:0", "--no-token"],
                              env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    port = int(re.search(r":(\d+)/mcp", server.stderr.readline()).group(1))
    return server, port


def told(name, samples):
    (first, first_open), (last, last_open) = samples
    print(f"{name}: {first} KiB, {first_open} descriptors after a tenth; {last} KiB, {last_open} at the end")
    return last - first <= MAX_GROWTH_KIB and last_open <= first_open


def main():
    server, port = start_http()
    multiprocessing.Process(target=lambda: [None for _ in server.stderr], daemon=True).start()
    news = multiprocessing.Queue()
    clients = [multiprocessing.Process(target=run_client, args=(i, port, REQUESTS // CLIENTS, news))
               for i in range(CLIENTS)]
    for client in clients:
        client.start()
    results, http_samples, warm = [], [], 0
    while len(results) < CLIENTS:
        try:
            one = news.get(timeout=PATIENCE_S * 20)
        except queue.Empty:
            sys.exit("a client says nothing any more")
        if one == "warm":
            warm += 1
            if warm == CLIENTS:
                http_samples.append(figures(server.pid))
        else:
            results.append(one)
    for client in clients:
        client.join()
    http_samples.append(final_figures(server.pid, http_samples[0]))
    good = True
    for one in sorted(results, key=lambda result: result["client"]):
        good = good and "wrong" not in one
        print(one["client"] + ":", one.get("wrong") or
              f"{one['count']} requests, {one['cancelled']} cancelled or aborted, "
              f"{one['reconnects']} new connections")
        if "samples" in one:
            good = told("  its server", one["samples"]) and good
    good = len(http_samples) == 2 and told("HTTP server", http_samples) and good
    server.terminate()
    ended = server.wait(PATIENCE_S)
    print(f"{sum(one.get('count', 0) for one in results)} requests, seed {SEED}: "
          f"{sum('wrong' in one for one in results)} clients met something wrong")
    sys.exit(0 if good and ended == 0 else 1)


main()
