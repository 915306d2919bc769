#!/usr/bin/env bash
# cron_box.sh FOLDER COMMAND…: runs COMMAND where crontabs are its own: an empty spool, no system
# crontabs, no running cron, and mail that ends in FOLDER/mail. Nothing stays behind.
set -euo pipefail
. "$(dirname "$0")/needs.sh"
need cron crontab /usr/bin/python3
getent group crontab >/dev/null || skip "there is no group crontab"
export BOX_FOLDER=$1
shift
mkdir -p "$BOX_FOLDER/empty"
: >"$BOX_FOLDER/mail"
chmod 666 "$BOX_FOLDER/mail"
printf '#!/bin/sh\ncat >>"%s/mail"\n' "$BOX_FOLDER" >"$BOX_FOLDER/sendmail"
chmod 755 "$BOX_FOLDER/sendmail"
# cron mails only where there is a sendmail: /usr/sbin gets ours on top, in here.
inside='
mount -t tmpfs -o mode=1730,gid="$(getent group crontab | cut -d: -f3)" tmpfs \
  /var/spool/cron/crontabs
mount -t tmpfs -o mode=755 tmpfs /run
if [ -d /etc/cron.d ]; then mount --bind "$BOX_FOLDER/empty" /etc/cron.d; fi
if [ -e /etc/crontab ]; then mount --bind /dev/null /etc/crontab; fi
mkdir -p "$BOX_FOLDER/sbin"
cp -a /usr/sbin/cron "$BOX_FOLDER/sbin/"
if [ -e /usr/sbin/sendmail ]; then
  mount --bind "$BOX_FOLDER/sendmail" "$(readlink -f /usr/sbin/sendmail)"
else
  mount -t tmpfs tmpfs /usr/sbin
  cp -a "$BOX_FOLDER/sbin/cron" /usr/sbin/cron
  cp -a "$BOX_FOLDER/sendmail" /usr/sbin/sendmail
fi
exec "$@"'
exec unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
  bash -euc "$inside" box "$@"
