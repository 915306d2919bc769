#!/usr/bin/env bash
# check_package.sh BUILD_FOLDER: packs the .deb, installs it with dpkg into a root of its own, uses
# what is in it, and removes it again. Ends with 77 (skipped) where dpkg is missing, which CI
# (BPD_NO_SKIPS) takes as a failure.
set -euo pipefail
build=$1
missing=
for tool in dpkg dpkg-deb dpkg-shlibdeps man bash; do
  command -v "$tool" >/dev/null || missing+=" $tool"
done
if [ -n "$missing" ]; then
  echo "missing for the check of the package:$missing" >&2
  [ -z "${BPD_NO_SKIPS:-}" ] || exit 1
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

cpack --config "$build/CPackConfig.cmake" -G DEB -B "$scratch/packages" >"$scratch/log" 2>&1 ||
  fail "cpack: $(cat "$scratch/log")"
package=$(echo "$scratch"/packages/*.deb)
dpkg-deb --info "$package"
dpkg-deb --contents "$package"

# This machine's list of packages, so that dependencies are checked in earnest; files go elsewhere,
# and other packages' triggers, which would have to run there, are left alone.
root=$scratch/root
mkdir -p "$root/var/lib"
cp -r /var/lib/dpkg "$root/var/lib"
rm -f "$root"/var/lib/dpkg/lock*
: >"$root/var/lib/dpkg/statoverride"
dpkg_here() { dpkg --force-not-root --no-triggers --root="$root" "$@"; }
dpkg_here -i "$package"

program=$root/usr/bin/backup-plugin-db
"$program" --version
"$program" --help >/dev/null
[ ! -e "$root/usr/bin/backup-plugin-db-http" ] || "$root/usr/bin/backup-plugin-db-http" --version
[ -s "$root/usr/share/doc/backup-plugin-db/copyright" ] || fail "no licence"
export HOME=$scratch/home XDG_STATE_HOME=$scratch/state
mkdir -p "$HOME/Backups" "$HOME/data"
sqlite3 "$HOME/data/x.db" 'CREATE TABLE t(a); INSERT INTO t VALUES (1)'
"$program" snapshot --source "$HOME/data/x.db" --destination "$HOME/Backups"

page=$root/usr/share/man/man1/backup-plugin-db.1.gz
LC_ALL=C.UTF-8 man --warnings -l "$page" >"$scratch/page" 2>"$scratch/complaints"
[ ! -s "$scratch/complaints" ] || fail "man: $(cat "$scratch/complaints")"
grep -q -- '--destination' "$scratch/page" || fail "the man page lacks --destination"

# complete WORD...: what bash offers after these words.
complete_words() {
  bash -c 'source "$1"; shift; COMP_WORDS=(backup-plugin-db "$@"); COMP_CWORD=$#
    _backup_plugin_db; printf "%s\n" "${COMPREPLY[@]}"' bash \
    "$root/usr/share/bash-completion/completions/backup-plugin-db" "$@"
}
complete_words sn | grep -x snapshot >/dev/null || fail "bash does not complete snapshot"
complete_words snapshot --verify '' | grep -x full >/dev/null || fail "bash does not complete --verify"
zsh=$root/usr/share/zsh/vendor-completions/_backup-plugin-db
fish=$root/usr/share/fish/vendor_completions.d/backup-plugin-db.fish
[ -s "$zsh" ] && [ -s "$fish" ] || fail "no completions for zsh or fish"
if command -v zsh >/dev/null; then zsh -n "$zsh"; fi
if command -v fish >/dev/null; then fish -n "$fish"; fi

# The same without a package, as `bootstrap.sh install` does it.
cmake --install "$build" --prefix "$scratch/prefix" --strip >"$scratch/log"
"$scratch/prefix/bin/backup-plugin-db" --version
[ -s "$scratch/prefix/share/man/man1/backup-plugin-db.1.gz" ] || fail "no manual page"
touch "$scratch/prefix/bin/other"
"$(dirname "$0")/../../bootstrap.sh" uninstall "$scratch/prefix"
left=$(find "$scratch/prefix" -not -type d -print)
[ "$left" = "$scratch/prefix/bin/other" ] || fail "uninstall: not one file is left, but: $left"
[ ! -e "$scratch/prefix/share/doc/backup-plugin-db" ] || fail "uninstall leaves its folder"

dpkg_here --purge backup-plugin-db
left=$(find "$root" -path "$root/var" -prune -o -not -type d -print)
[ -z "$left" ] || fail "left behind: $left"
