#!/usr/bin/env bash
# systemd_test.sh UID PROGRAM ESCAPE_PROBE: the whole life of a schedule under a real user instance
# of systemd, for that user.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d /tmp/schedule-systemd.XXXXXX)
trap 'rm -rf "$folder"' EXIT
# A plugin's cache, which will be swept away.
mkdir "$folder/cache"
cp "$2" "$folder/cache/backup-plugin-db"
cp "$3" "$folder/probe"
cp "$here"/*.py "$folder"  # that user may not be let into the folder of the sources
chmod 755 "$folder" "$folder/cache"
chown -R "$1:$1" "$folder"
"$here/systemd_box.sh" "$1" /usr/bin/python3 "$folder/systemd_life.py" "$folder"
