#!/bin/sh
# Runs the official MCP conformance suite against the fixture server, strictly: every requirement
# set, scored and not scored, and the skills scenarios; no failure is expected.
#   run.sh FIXTURE [OUTPUT_FOLDER]
# Installs the pinned suite and its Node when they are missing. Exits 77 (skipped) without npm.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
fixture=$1
out=${2:-}
scratch=
[ -n "$out" ] || { scratch=$(mktemp -d); out=$scratch; }
. "$here/node.sh"

mkdir -p "$out"
"$fixture" 127.0.0.1:0 2>"$out/fixture.log" &
server=$!
clean_up() {
  kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  [ -z "$scratch" ] || rm -rf "$scratch"
}
trap clean_up EXIT
url=
for _ in $(seq 100); do
  url=$(sed -n 's/^Listening on \(http[^ ]*\).*/\1/p' "$out/fixture.log")
  [ -z "$url" ] || break
  sleep 0.1
done
[ -n "$url" ] || { cat "$out/fixture.log"; exit 1; }

"$node" "$here/check.mjs" "$url" "$out"
kill -TERM "$server"
wait "$server" || { echo "The fixture did not stop cleanly on SIGTERM: exit $?"; exit 1; }
