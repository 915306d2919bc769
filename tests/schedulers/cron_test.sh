#!/usr/bin/env bash
# cron_test.sh PROGRAM ESCAPE_PROBE: the whole life of a schedule under the real cron, with nights
# that pass in seconds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/needs.sh"
need cron crontab faketime /usr/bin/python3
folder=$(mktemp -d /tmp/schedule-cron.XXXXXX)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/cache"
cp "$1" "$folder/cache/backup-plugin-db"
cp "$2" "$folder/probe"
"$here/cron_box.sh" "$folder/box" /usr/bin/python3 "$here/cron_life.py" "$folder"
