#!/usr/bin/env bash
# run.sh PROGRAM: the walkthrough in a fresh home and a crontab spool of its own. Needs root, as
# private mounts do, and npm; ends with 77 (skipped) where one is missing, which CI (BPD_NO_SKIPS)
# takes as a failure.
set -euo pipefail
program=$1
here=$(cd "$(dirname "$0")" && pwd)
missing=
[ "$(id -u)" = 0 ] || missing=root
for tool in npm node cron crontab sqlite3 unshare; do command -v $tool >/dev/null || missing+=" $tool"; done
if [ -n "$missing" ]; then
  echo "missing for the walkthrough: $missing" >&2
  [ -z "${BPD_NO_SKIPS:-}" ] || exit 1
  exit 77
fi
"$here/../../support/npm_install.sh" "$here" || exit $?
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/home" "$scratch/empty"
unshare --mount --pid --fork --kill-child --mount-proc --propagation private bash -ec '
  mount -t tmpfs -o mode=1730,gid="$(getent group crontab | cut -d: -f3)" tmpfs \
    /var/spool/cron/crontabs
  mount -t tmpfs -o mode=755 tmpfs /run
  mount --bind "$4" /etc/cron.d
  if [ -e /etc/crontab ]; then mount --bind /dev/null /etc/crontab; fi
  cron
  cd "$1" && node walkthrough.mjs "$2" "$3"' \
  walkthrough "$here" "$program" "$scratch/home" "$scratch/empty"
