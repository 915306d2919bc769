#!/bin/sh
# Tries the built programs with other people's clients over stdio and HTTP: the TypeScript SDK v1 and
# v2, the Inspector, Claude Code.
#   run.sh PROGRAM [SCRIPT]
# SCRIPT is interop.mjs, or another one that lies here or in more (more clients and bridges). Installs
# the pinned clients of its folder when they are missing (up to 1 GB). Exits 77 (skipped) without npm.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
script=$here/${2:-interop.mjs}
. "$here/../conformance/node.sh"
install_packages "$(dirname "$script")"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$node" --no-warnings "$script" "$1" "$scratch"
