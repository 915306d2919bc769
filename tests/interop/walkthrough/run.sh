#!/usr/bin/env bash
# run.sh PROGRAM walkthrough|skill: walkthrough.mjs, or tests/plugin/follow_skill.py, in a fresh home
# with a cron of its own. Needs root, as private mounts do, and the first one npm; ends with 77
# (skipped) where something is missing, which CI (BPD_NO_SKIPS) takes as a failure.
set -euo pipefail
program=$1 what=$2
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../schedulers/needs.sh"
need cron crontab sqlite3
[ "$what" = skill ] || need npm node
if [ "$what" = skill ]; then
  script=(/usr/bin/python3 "$here/../../plugin/follow_skill.py")
else
  "$here/../../support/npm_install.sh" "$here" || exit $?
  script=(node "$here/walkthrough.mjs")
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/home" "$scratch/empty"
unshare --mount --pid --fork --kill-child --mount-proc --propagation private bash -ec '
  mount -t tmpfs -o mode=1730,gid="$(getent group crontab | cut -d: -f3)" tmpfs \
    /var/spool/cron/crontabs
  mount -t tmpfs -o mode=755 tmpfs /run
  mount --bind "$1" /etc/cron.d
  if [ -e /etc/crontab ]; then mount --bind /dev/null /etc/crontab; fi
  cron
  shift
  "$@"' sandbox "$scratch/empty" "${script[@]}" "$program" "$scratch/home"
