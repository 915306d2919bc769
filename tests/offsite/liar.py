#!/usr/bin/env python3
"""An rclone that lies by its remote control: it says that it stored what it did not, or not whole.

Usage: liar.py RCLONE half|nothing WORD…        in the place of `RCLONE WORD…`
"""
import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.parse

RCLONE, LIE, WORDS = sys.argv[1], sys.argv[2], sys.argv[3:]
COMMON = WORDS[:WORDS.index("--rc")] if "--rc" in WORDS else []


def honestly(*words):
    return subprocess.run([RCLONE, *COMMON, *words], stdin=subprocess.DEVNULL, capture_output=True)


class Control(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        remote, _, path = urllib.parse.unquote(self.path)[2:].partition("]/")
        done = honestly("cat", f"{remote}/{path}")
        self.answer(200 if done.returncode == 0 else 404, done.stdout)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/operations/list":
            listed = honestly("lsjson", "--files-only", asked["fs"])
            return self.answer(200, b'{"list":' + (listed.stdout or b"[]") + b"}")
        if self.path == "/operations/copyfile" and LIE == "half":
            whole = os.path.join(asked["srcFs"], asked["srcRemote"])
            with open(whole, "rb") as file:
                part = file.read(1000)
            subprocess.run([RCLONE, *COMMON, "rcat", f"{asked['dstFs']}/{asked['dstRemote']}"],
                           input=part, capture_output=True)
        if self.path == "/operations/deletefile":
            honestly("deletefile", f"{asked['fs']}/{asked['remote']}")
        return self.answer(200, b"{}")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if not COMMON:
    os.execv(RCLONE, [RCLONE, *WORDS])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Control)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"level": "notice", "msg": "Serving remote control on "
                  f"http://127.0.0.1:{server.server_port}/"}), file=sys.stderr, flush=True)
sys.stdin.read()
