#!/bin/sh
# npm_install.sh FOLDER: puts the pinned packages of FOLDER/package-lock.json into its node_modules,
# once. Ends with 77 (skipped) where there is no npm, which CI (BPD_NO_SKIPS) takes as a failure.
set -eu
cd "$1"
! cmp -s package-lock.json node_modules/.installed || exit 0
if ! command -v npm >/dev/null; then
  echo "npm is missing: skipped" >&2
  [ -z "${BPD_NO_SKIPS:-}" ] || exit 1
  exit 77
fi
exec 9<package-lock.json
flock 9
cmp -s package-lock.json node_modules/.installed && exit 0
npm ci --no-audit --no-fund --loglevel=error >&2
cp package-lock.json node_modules/.installed
