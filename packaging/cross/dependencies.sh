#!/usr/bin/env bash
# What building for another system, or for every Linux, needs, below FOLDER: the compiler (zig, which
# brings the other system's headers), the headers of the libraries, SQLite's source in one file, and
# for Linux Botan's SHA-256.
#   packaging/cross/dependencies.sh FOLDER
# The headers are Debian's packages' (./bootstrap.sh installs them), SQLite, cpp-httplib and
# Botan Debian's sources, with its patches. A second run makes only what is missing.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
mkdir -p "$1"
folder=$(readlink -f "$1")

cp "$here/package.json" "$here/package-lock.json" "$here/zig" "$folder/"
"$here/../../tests/support/npm_install.sh" "$folder"

mkdir -p "$folder/include"
for header in nlohmann CLI valijson tl spdlog fmt; do
  ln -sfn "/usr/include/$header" "$folder/include/$header"
done
# For the tests, where it has headers alone (version 2).
if [ -f /usr/include/catch2/catch.hpp ]; then ln -sfn /usr/include/catch2 "$folder/include/catch2"; fi

# botan PROCESSOR: its SHA-256 alone, in one file; the names of processors are zig's.
botan() {
  mkdir -p "$folder/botan-$1"
  (cd "$folder/botan-$1" && python3 "$apt"/botan-*/configure.py --quiet --amalgamation --minimized-build \
    --enable-modules="$2" --os=linux --cpu="$1" --cc=clang --without-documentation \
    --cc-bin="$folder/zig c++ -target $1-linux-musl" --disable-shared-library)
}

if [ ! -f "$folder/include/httplib.h" ] || [ ! -f "$folder/sqlite/sqlite3.c" ] ||
  [ ! -f "$folder/versions" ]; then
  # A list of sources of our own, made of the lists that this machine has.
  apt=$folder/apt
  rm -rf "$apt"
  mkdir -p "$apt/lists/partial"
  # shellcheck disable=SC2016
  apt-get indextargets --format 'deb-src $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Identifier: Packages' |
    grep ' main$' | sort -u >"$apt/sources.list" || {
    echo "apt knows no sources of Debian here. Run apt-get update, then this again." >&2
    exit 1
  }
  options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$apt/lists" -o APT::Sandbox::User=)
  apt-get "${options[@]}" update -qq
  (cd "$apt" && apt-get "${options[@]}" source -qq sqlite3 cpp-httplib botan >/dev/null)
  # For the list of what is linked in: the folders are named NAME-VERSION.
  (cd "$apt" && ls -d -- */) | sed -nE 's,^(sqlite3|cpp-httplib|botan)-(.*)/$,\1 \2,p' >"$folder/versions"
  cp "$apt"/botan-*/license.txt "$folder/botan-licence.txt"
  cp "$apt"/cpp-httplib-*/LICENSE "$folder/cpp-httplib-licence.txt"
  cp "$apt"/cpp-httplib-*/httplib.h "$folder/include/"
  mkdir -p "$folder/sqlite"
  (cd "$folder/sqlite" && "$apt"/sqlite3-*/configure --disable-tcl >/dev/null && make -s sqlite3.c >/dev/null)
  cp "$folder/sqlite/sqlite3.h" "$folder/include/"
  botan x86_64 sha2_32,sha2_32_x86
  botan aarch64 sha2_32,sha2_32_armv8
  rm -rf "$apt"
fi
