#!/usr/bin/env bash
# twice.sh [PRESET…]: builds the committed state in two new folders, one after the other, and compares the
# programs byte by byte. Without PRESET: all five, and then every package that is made of them.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
with_packages=
if [ $# -eq 0 ]; then
  with_packages=yes
  set -- linux-x64 linux-arm64 macos-arm64 macos-x64 windows-x64
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
here=$scratch/here elsewhere="$scratch/elsewhere/and a longer way"
# quietly COMMAND…: shows what it said only where it fails.
quietly() {
  "$@" >"$scratch/log" 2>&1 && return
  tail -n 40 "$scratch/log"
  echo "This failed in $PWD: $*"
  exit 1
}
commit=$(git -C "$root" rev-parse --short=12 HEAD)

for place in "$here" "$elsewhere"; do
  git clone -q "$root" "$place"
  mkdir "$place/build"
  # The compiler and the sources are the same for both.
  ln -s "$root/build/cross" "$place/build/cross"
  for preset; do
    cd "$place"
    echo "Building for $preset in $place …"
    quietly cmake --preset "$preset" -DBPD_COMMIT="$commit" -DBPD_TESTS=OFF
    quietly cmake --build --preset "$preset" --target all_programs
  done
done
different=0
for preset; do
  for program in backup-plugin-db backup-plugin-db-http; do
    case $preset in windows*) program=$program.exe ;; esac
    if cmp "$here/build/$preset/$program" "$elsewhere/build/$preset/$program"; then
      echo "the same: $preset/$program"
    else
      different=1
    fi
  done
done
if [ -n "$with_packages" ]; then
  version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
  for place in "$here" "$elsewhere"; do
    cd "$place"
    quietly packaging/release "$version"
  done
  if diff -r "$here/build/release-$version" "$elsewhere/build/release-$version"; then
    echo "the same: every package"
  else
    different=1
  fi
fi
exit "$different"
