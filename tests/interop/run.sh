#!/bin/sh
# Tries the built programs with other people's clients: the TypeScript SDK v1 and v2, the Inspector,
# Claude Code; over stdio and HTTP.
#   run.sh PROGRAM [SCRIPT]
# SCRIPT is interop.mjs, or another one that lies here. Installs the pinned clients when they are
# missing. Exits 77 (skipped) without npm.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../conformance/node.sh"
install_packages "$here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$node" --no-warnings "$here/${2:-interop.mjs}" "$1" "$scratch"
