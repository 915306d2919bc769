#!/usr/bin/env bash
# Sets everything up on Debian or Ubuntu and does the main job, or runs the tests:
#   ./bootstrap.sh run [ARGUMENTS…]   build, then run backup-plugin-db (without arguments: a demo)
#   ./bootstrap.sh install [PREFIX]   build, then install below PREFIX (default: ~/.local)
#   ./bootstrap.sh uninstall [PREFIX] remove what install put there
#   ./bootstrap.sh test [PRESET…]     build, then run the tests (release; also dev, tsan, clang;
#                                     windows, windows-units: the programs for Windows, and
#                                     their unit tests, under Wine; packages: makes every
#                                     package, installs and uses each)
#   ./bootstrap.sh build [PRESET…]    build only, the tests too; linux, macos, windows: the programs that
#                                     run on each of these; windows-units: the tests for Windows, too
# A second run installs and builds nothing that is in place. Needs root or sudo only to install.
set -euo pipefail
caller=$PWD  # paths of the command line are relative to it
cd "$(dirname "$(readlink -f "$0")")"

# What building needs, and beyond it what the tests need.
build_packages=(g++ cmake ninja-build pkg-config libsqlite3-dev nlohmann-json3-dev
  libcpp-httplib-dev libspdlog-dev libfmt-dev libcli11-dev libvalijson-dev libexpected-dev
  libssl-dev python3)
test_packages=(catch2 sqlite3 cron curl faketime dbus systemd xz-utils tzdata util-linux dpkg-dev file man-db
  strace rclone)
# File systems to test on; not every release has all of them.
mount_packages=(fuse3 exfatprogs exfat-fuse ntfs-3g dosfstools fusefat bindfs fuse-overlayfs)
browser_packages=(chromium)  # for tests/app
node_packages=(nodejs npm)
clang_packages=(clang libclang-rt-dev)
check_packages=(clang clang-format clang-tidy)
cross_packages=(dpkg-dev tcl catch2)
wine_packages=(wine64)
# What making a release needs beyond that, and what trying its packages does.
release_packages=(rpm)
install_packages=(debootstrap qemu-user-static ruby binutils file wine64 lintian rpmlint makepkg
  libarchive-tools nix-bin)

# What install puts below PREFIX (cmake/packaging.cmake).
installed_files=(bin/backup-plugin-db bin/backup-plugin-db-http
  share/doc/backup-plugin-db/{copyright,README.md,CHANGELOG.md}
  share/man/man1/backup-plugin-db.1.gz share/bash-completion/completions/backup-plugin-db
  share/zsh/vendor-completions/_backup-plugin-db
  share/fish/vendor_completions.d/backup-plugin-db.fish)

# prefix_of [PREFIX]: PREFIX as an absolute path.
prefix_of() {
  local prefix=${1:-$HOME/.local}
  case $prefix in
    /*) printf '%s' "$prefix" ;;
    *) printf '%s' "${caller%/}/$prefix" ;;
  esac
}

say() { printf '%s\n' "$*" >&2; }

# install PACKAGE…: installs those that dpkg does not know as installed.
install() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || {
    say "These packages are missing: ${missing[*]}"
    say "Install them with your system's package manager, then run this again."
    exit 1
  }
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      say "These packages are missing: ${missing[*]}"
      say "Run as root or install sudo: apt-get install ${missing[*]}"
      exit 1
    }
    as_root=(sudo)
  fi
  say "Installing: ${missing[*]}"
  mkdir -p build
  (
    flock 9  # another of these may be at it: apt itself does not wait
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  ) 9>build/install.lock
}

# install_known PACKAGE…: those of them that this release has.
install_known() {
  local known=() package
  for package in "$@"; do
    if apt-cache show "$package" >/dev/null 2>&1; then known+=("$package"); fi
  done
  install "${known[@]}"
}

# show_progress: of what ninja prints on standard input, how far it is; on a terminal alone.
show_progress() {
  if [ ! -t 2 ]; then cat >/dev/null; return; fi
  local line
  while IFS= read -r line; do
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    printf '\r  %s of %s\033[K' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2
  done
  printf '\r\033[K' >&2
}

# build PRESET TESTS TARGET: configures where that is still to be done, then builds what changed.
# TESTS=OFF leaves a folder that has them as it is: a run must not undo what a test set up.
build() {
  local preset=$1 tests=$2 target=$3 cache=build/$1/CMakeCache.txt
  mkdir -p build
  if ! { [ "$tests" = OFF ] && [ -f "$cache" ]; } && ! grep -qs "^BPD_TESTS:BOOL=ON" "$cache"; then
    cmake --preset "$preset" -DBPD_TESTS="$tests" >"build/$preset.log" 2>&1 || {
      cat "build/$preset.log" >&2
      say "Configuring failed: the reason stands above."
      exit 1
    }
  fi
  [ -f "build/$preset/backup-plugin-db" ] || say "Building (a few minutes the first time) …"
  cmake --build --preset "$preset" --target "$target" 2>&1 | tee "build/$preset.log" | show_progress || {
    grep -vE '^\[[0-9]+/' "build/$preset.log" | head -60 >&2
    say "Building failed: the whole log is build/$preset.log"
    exit 1
  }
}

# prepare_for_others: what builds for other systems need.
prepare_for_others() {
  install "${build_packages[@]}" "${cross_packages[@]}"
  command -v npm >/dev/null || install "${node_packages[@]}"
  packaging/cross/dependencies.sh build/cross
}

# build_for_others linux|macos|windows|windows-units|PRESET…: the programs for every Linux or for other
# systems, or all that tests/wine runs.
build_for_others() {
  prepare_for_others
  local word preset presets
  for word in "$@"; do
    case $word in
      linux) presets=(linux-x64 linux-arm64) ;;
      macos) presets=(macos-arm64 macos-x64) ;;
      windows) presets=(windows-x64) ;;
      windows-units)
        build windows-x64 ON wine_tests
        say "Built: build/windows-x64, with its unit tests"
        continue
        ;;
      *) presets=("$word") ;;
    esac
    for preset in "${presets[@]}"; do
      build "$preset" OFF all_programs
      say "Built: build/$preset/backup-plugin-db and backup-plugin-db-http (${preset%-*})"
    done
  done
}

# test_for_windows windows|windows-units…: under Wine, on this machine, the programs or the unit tests
# (but for those in tests/wine/not_run.txt), after all that they need is built. BPD_WINE_COUNT: how many
# snapshots tests/wine/many.py takes of a busy database (200 is the real thing).
test_for_windows() {
  prepare_for_others
  install "${wine_packages[@]}"
  case "$*" in
    *units*) build windows-x64 ON wine_tests ;;
    *) build windows-x64 OFF wine_programs ;;
  esac
  local what
  for what in "$@"; do
    if [ "$what" = windows-units ]; then
      python3 tests/wine/unit_tests.py build/windows-x64
    else
      python3 tests/wine/run.py build/windows-x64
      python3 tests/wine/many.py build/windows-x64 "${BPD_WINE_COUNT:-20}"
    fi
  done
}

# test_packages: makes a release of what is here, and uses each of its packages.
test_packages() {
  install "${install_packages[@]}"
  local version
  version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  packaging/release "$version" --uncommitted
  python3 tests/packages/run.py "build/release-$version"
}

# run_tests PRESET: all of them on the release build; on the others without the whole-program ones.
run_tests() {
  if [ "$1" = release ]; then ctest --preset "$1"; else ctest --preset "$1" -LE whole; fi
}

case ${1:-} in
  run)
    shift
    install "${build_packages[@]}"
    # The program that answers HTTP is built for those who ask for it.
    case " $* " in *" --http"* | " dashboard "*) target=all_programs ;; *) target=backup-plugin-db ;; esac
    build release OFF "$target"
    if [ $# -eq 0 ]; then exec python3 tests/demo/demo.py build/release/backup-plugin-db; fi
    program=$PWD/build/release/backup-plugin-db
    cd "$caller"
    exec "$program" "$@"
    ;;
  install)
    prefix=$(prefix_of "${2:-}")
    install "${build_packages[@]}"
    build release OFF all_programs
    cmake --install build/release --prefix "$prefix" --strip >>build/release.log
    say "Installed: $prefix/bin/backup-plugin-db"
    case ":$PATH:" in *":$prefix/bin:"*) ;; *) say "$prefix/bin is not in your PATH." ;; esac
    ;;
  uninstall)
    prefix=$(prefix_of "${2:-}")
    rm -f "${installed_files[@]/#/"$prefix/"}"
    rmdir "$prefix/share/doc/backup-plugin-db" 2>/dev/null || true
    say "Removed from $prefix. Schedules, snapshots and history are as they were (README, Remove it)."
    ;;
  prepare-check) install "${check_packages[@]}" ;;  # for .ci/check
  prepare-release)  # for packaging/release
    prepare_for_others
    install "${release_packages[@]}"
    ;;
  test | build)
    what=$1
    shift
    case "$what $*" in
      "test windows" | "test windows-x64" | "test windows-units" | "test windows windows-units")
        test_for_windows "$@"
        exit
        ;;
      "test packages") test_packages; exit ;;
      "build linux"* | "build macos"* | "build windows"*) build_for_others "$@"; exit ;;
    esac
    install "${build_packages[@]}" "${test_packages[@]}"
    install_known "${mount_packages[@]}" "${browser_packages[@]}"
    if [ -n "${BPD_NO_SKIPS:-}" ] && ! command -v npm >/dev/null; then install "${node_packages[@]}"; fi
    [ $# -gt 0 ] || set -- release
    for preset in "$@"; do
      case $preset in clang | dev) install "${clang_packages[@]}" ;; esac
      if [ "$preset" = release ]; then target=all; else target=unit_tests; fi
      build "$preset" ON "$target"
      [ "$what" = build ] || run_tests "$preset"
    done
    ;;
  *)
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
