#!/bin/sh
# Tries the built programs with other people's clients over stdio and HTTP: the TypeScript SDK v1 and
# v2, the Inspector, Claude Code; then those of the folder more.
#   run.sh PROGRAM
# Installs the pinned clients when they are missing (2 GB). Exits 77 (skipped) without npm.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../conformance/node.sh"
install_packages "$here"
install_packages "$here/more"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/first" "$scratch/more"
"$node" --no-warnings "$here/interop.mjs" "$1" "$scratch/first"
"$node" --no-warnings "$here/more/more_clients.mjs" "$1" "$scratch/more"
