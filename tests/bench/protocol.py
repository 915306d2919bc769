#!/usr/bin/env python3
"""Measures our server beside npm's @modelcontextprotocol/server-everything, in one run.

usage: protocol.py PROTOCOL_BENCH PROGRAM NODE EVERYTHING_JS
"""
import os
import re
import subprocess
import sys
import tempfile
import time

bench, program, node, everything = sys.argv[1:5]
CLIENTS = 8
SECONDS = 5
MANY_CLIENTS = 64
SEQUENTIAL_CALLS = 10_000
ours = [program, "serve"]
theirs = [node, everything, "stdio"]


def measure(*arguments, cores=None):
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    result = subprocess.run([bench, *map(str, arguments)], capture_output=True, text=True,
                            preexec_fn=pin)
    if result.returncode != 0:
        sys.exit(f"protocol_bench {arguments}: {result.stderr}")
    return float(result.stdout)


def median(values):
    return sorted(values)[len(values) // 2]


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def start_ours():
    process = subprocess.Popen([program, "serve", "--http", "127.0.0.1:0", "--no-token"],
                               stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        found = re.search(r"Listening on http://127.0.0.1:(\d+)", line)
        if found:
            return process, int(found.group(1))
    sys.exit("our HTTP server did not start")


def start_theirs():
    port = 38765
    process = subprocess.Popen([node, everything, "streamableHttp"],
                               env={**os.environ, "PORT": str(port)},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    return process, port


def row(name, mine, other, unit, lower_is_better=True):
    ratio = other / mine if lower_is_better else mine / other
    print(f"{name:44} {mine:>10.4g} {other:>10.4g} {unit:5} {ratio:6.1f}x")


with tempfile.TemporaryDirectory() as home:
    os.environ["HOME"] = home
    print(f"{'':44} {'ours':>10} {'theirs':>10}")
    row("start to the reply to initialize", measure("start", 21, *ours),
        measure("start", 7, *theirs), "ms")
    row("resident after tools/list", measure("memory", *ours) / 1024,
        measure("memory", *theirs) / 1024, "MiB")
    # Across cores a virtual machine mostly measures how fast it wakes an idle core.
    for name, cores in (("ping on stdio, one core", {0}), ("ping on stdio, any core", None)):
        mine, other = [], []
        for _ in range(5):
            mine.append(measure("ping", 5000, *ours, cores=cores))
            other.append(measure("ping", 5000, *theirs, cores=cores))
        row(name, median(mine), median(other), "us")
    server, port = start_ours()
    other, other_port = start_theirs()
    try:
        for clients in (1, CLIENTS):
            mine = median([measure("http", port, clients, SECONDS, "legacy", "/mcp")
                           for _ in range(3)])
            other_rate = median([measure("http", other_port, clients, SECONDS, "legacy", "/mcp")
                                 for _ in range(3)])
            row(f"HTTP tools/list, 2025-11-25, {clients} clients", mine, other_rate, "1/s", False)
        modern = measure("http", port, CLIENTS, SECONDS, "modern", "/mcp")
        print(f"{f'HTTP tools/list, 2026-07-28, {CLIENTS} clients':44} {modern:>10.4g}"
              f" {'-':>10} 1/s")

        warm = resident_kib(server.pid)
        done = 0
        while done < SEQUENTIAL_CALLS:
            done += measure("http", port, 1, SECONDS, "modern", "/mcp") * SECONDS
        after_calls = resident_kib(server.pid)
        measure("http", port, MANY_CLIENTS, SECONDS, "modern", "/mcp")
        first = resident_kib(server.pid)
        for _ in range(3):
            measure("http", port, MANY_CLIENTS, SECONDS, "modern", "/mcp")
        last = resident_kib(server.pid)
        print(f"resident KiB of our HTTP server: {warm} warm, {after_calls} after {done:.0f} more "
              f"calls, {first} after {MANY_CLIENTS} clients, {last} after three more such rounds")
    finally:
        for process in (server, other):
            process.terminate()
            process.wait()
