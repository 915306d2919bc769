#!/bin/sh
# Looks at the dashboard as a browser does, and as a host of MCP Apps.
#   run.sh PROGRAM [FOLDER]
# Screenshots and figures go to FOLDER. Exits 77 (skipped) without npm or Chromium, 1 where
# BPD_NO_SKIPS is set.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../conformance/node.sh"
install_packages "$here"
if ! command -v chromium >/dev/null; then
  echo "chromium is missing: skipped" >&2
  [ -z "${BPD_NO_SKIPS:-}" ] || exit 1
  exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
shots=${2:-$scratch/shots}
mkdir -p "$shots"
"$node" --no-warnings "$here/app.mjs" "$1" "$scratch" "$shots"
