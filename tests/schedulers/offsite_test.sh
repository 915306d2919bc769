#!/usr/bin/env bash
# offsite_test.sh cron|systemd PROGRAM: copies off this machine under a real scheduler, as root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/needs.sh"
need rclone /usr/bin/python3
folder=$(mktemp -d /tmp/schedule-offsite.XXXXXX)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/cache" "$folder/run"
chmod 700 "$folder/run"
cp "$2" "$folder/cache/backup-plugin-db"
cp "$here"/*.py "$folder"
case $1 in
  cron) box=("$here/cron_box.sh" "$folder/box") ;;
  systemd) box=("$here/systemd_box.sh" 0) ;;
esac
"${box[@]}" /usr/bin/python3 "$folder/offsite_life.py" "$folder" "$1"
