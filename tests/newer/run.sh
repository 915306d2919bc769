#!/bin/sh
# Backs up and restores databases that the newest SQLite of npm wrote, each with a feature that older
# ones do not know.
#   run.sh PROGRAM
# Installs the pinned package when it is missing. Exits 77 (skipped) without npm.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../conformance/node.sh"
install_packages "$here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$node" --no-warnings "$here/newer.mjs" "$1" "$scratch"
