#!/usr/bin/env bash
# systemd_box.sh UID COMMAND…: runs COMMAND as that user where `systemd --user` may be started: in
# mount, pid and cgroup namespaces of its own. The machine's processes are not touched (a bare
# `systemd --user` of root would move every one of them into its cgroup), and nothing stays behind.
set -euo pipefail
. "$(dirname "$0")/needs.sh"
need systemctl systemd-analyze dbus-daemon setpriv /usr/bin/python3
[ -x /lib/systemd/systemd ] || skip "systemd is missing"
uid=$1
shift
cgroups=
for folder in /sys/fs/cgroup /sys/fs/cgroup/unified; do
  if [ "$(stat -fc %T "$folder" 2>/dev/null)" = cgroup2fs ]; then cgroups=$folder; fi
done
[ -n "$cgroups" ] || skip "there is no cgroup2 hierarchy"
export BOX_UID=$uid BOX_CGROUP=$cgroups/schedule-test.$$
mkdir "$BOX_CGROUP" 2>/dev/null || skip "cgroups cannot be made here"
leave() {
  if [ -e "$BOX_CGROUP/cgroup.kill" ]; then echo 1 >"$BOX_CGROUP/cgroup.kill" || true; fi
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    find "$BOX_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null && return
    sleep 0.1
  done
}
trap leave EXIT
chown -R "$uid" "$BOX_CGROUP"

enter='
echo $$ >"$BOX_CGROUP/cgroup.procs"
exec unshare --mount --pid --cgroup --fork --kill-child --mount-proc --propagation private \
  bash -euc "$inside" box "$@"'
# The check for systemd (sd_booted) is for a folder; the namespace sees its own cgroup as the root.
export inside='
mount -t tmpfs -o mode=755 tmpfs /run/systemd 2>/dev/null ||
  { mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/systemd; }
mkdir /run/systemd/system
umount -R -l /sys/fs/cgroup 2>/dev/null || true
if mountpoint -q /sys/fs/cgroup; then mount -t tmpfs tmpfs /sys/fs/cgroup; fi
mount -t cgroup2 cgroup2 /sys/fs/cgroup
if [ "$BOX_UID" = 0 ]; then exec "$@"; fi
exec setpriv --reuid="$BOX_UID" --regid="$BOX_UID" --clear-groups --inh-caps=-all "$@"'
bash -euc "$enter" box "$@"
