#!/usr/bin/env bash
# check_plugin.sh WHAT PROGRAM: checks the plugin as Claude Code and Claude Desktop take it.
# WHAT is one of: launcher, bootstrap, hook, hook_time, claude, bundle. The last two need npm (77:
# skipped without).
set -euo pipefail
what=$1 program=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch/home
unset XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME
unset CLAUDE_ORCHESTRATOR_BACKUP_ROOT CLAUDE_CONFIG_DIR
mkdir -p "$HOME"
cd "$HOME"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# The plugin as a marketplace delivers it, with a name that wants quoting.
plugin=$scratch/"a plugin's copy"
mkdir -p "$plugin"
(cd "$root" && cp -r .claude-plugin bin hooks skill "$plugin" && cp README.md "$plugin")

build_plugin() {
  mkdir -p "$plugin/build/release"
  ln -s "$program" "$plugin/build/release/backup-plugin-db"
}

npm_tools() {
  "$root/tests/support/npm_install.sh" "$root/tests/plugin" || exit $?
  PATH=$root/tests/plugin/node_modules/.bin:$PATH
}

# A machine that has it installed hides what a plugin without a program does.
is_unseen() {
  [ ! -x /usr/bin/backup-plugin-db ] && [ ! -x /usr/local/bin/backup-plugin-db ]
}

check_launcher() {
  local launcher=$plugin/bin/backup-plugin-db
  if is_unseen; then
    "$launcher" --version >"$scratch/out" 2>"$scratch/err" && fail "started without a program"
    [ ! -s "$scratch/out" ] || fail "wrote to stdout"
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "not one line on stderr"
    grep -q "bootstrap.sh' install" "$scratch/err" || fail "does not say how to build"
    python3 "$root/tests/plugin/late_program.py" "$launcher" "$program" || fail "not built in time"
  fi
  local folder
  for folder in "$HOME/.local/share/backup-plugin-db/bin" "$HOME/.local/bin"; do
    mkdir -p "$folder"
    ln -s "$program" "$folder/backup-plugin-db"
    "$launcher" --version | grep -q backup-plugin-db || fail "did not find the one in $folder"
    rm -r "$folder"
  done
  # Windows' cmd may miss a label in a file without them.
  [ "$(grep -c $'\r$' "$launcher.cmd")" = "$(wc -l <"$launcher.cmd")" ] || fail "no CRLF in $launcher.cmd"
  build_plugin
  "$launcher" --version | grep -q backup-plugin-db || fail "did not find the built program"
  mkdir "$scratch/linked"
  ln -s "$launcher" "$scratch/linked/db"
  "$scratch/linked/db" --version | grep -q backup-plugin-db || fail "not through a link"
  (cd "$plugin/bin" && sh backup-plugin-db --version >/dev/null) || fail "not by its bare name"
}

# What the user names is relative to where the user is, not to the checkout: with stand-ins for the
# build, which is not what is checked here.
check_bootstrap() {
  local checkout=$scratch/"the checkout" here=$scratch/"where I am"
  mkdir -p "$checkout/build/release" "$scratch/stand-ins" "$here/new folder"
  cp "$root/bootstrap.sh" "$checkout"
  ln -s "$program" "$checkout/build/release/backup-plugin-db"
  touch "$checkout/build/release/CMakeCache.txt"
  printf '#!/bin/sh\necho install ok installed\n' >"$scratch/stand-ins/dpkg-query"
  printf '#!/bin/sh\nfor word; do echo "$word"; done >>"%s/words"\n' "$scratch" \
    >"$scratch/stand-ins/cmake"
  chmod +x "$scratch"/stand-ins/*
  PATH=$scratch/stand-ins:$PATH
  ln -s "$checkout/bootstrap.sh" "$scratch/bootstrap"
  cd "$here"
  mkdir -p data Backups
  sqlite3 data/x.db 'CREATE TABLE t(x); INSERT INTO t VALUES (1)'

  ../bootstrap run snapshot --source data/x.db --destination Backups
  [ -n "$(find Backups -name 'x-*.db')" ] || fail "run: no snapshot where the user is"

  : >"$scratch/words"
  ../bootstrap install "new folder" 2>"$scratch/told"
  grep -qxF "$here/new folder" "$scratch/words" || fail "install: $(cat "$scratch/words")"
  grep -qF "Installed: $here/new folder/bin/" "$scratch/told" || fail "$(cat "$scratch/told")"
  : >"$scratch/words"
  ../bootstrap install "$scratch/absolute" && ../bootstrap install
  grep -qxF "$scratch/absolute" "$scratch/words" || fail "install: $(cat "$scratch/words")"
  grep -qxF "$HOME/.local" "$scratch/words" || fail "install: $(cat "$scratch/words")"

  mkdir -p "new folder/bin"
  touch "new folder/bin/backup-plugin-db" "new folder/bin/other"
  ../bootstrap uninstall "new folder"
  [ ! -e "new folder/bin/backup-plugin-db" ] || fail "uninstall: the program is still there"
  [ -e "new folder/bin/other" ] || fail "uninstall: removed what is not ours"
}

check_hook() {
  if is_unseen; then
    "$plugin/hooks/session-start" >"$scratch/out" || fail "the hook ended with an error"
    grep -q 'not built yet' "$scratch/out" || fail "does not tell Claude that it is not built"
  fi
  build_plugin
  "$plugin/hooks/session-start" >"$scratch/out" || fail "the hook ended with an error"
  [ ! -s "$scratch/out" ] || fail "said something where there is nothing to back up"
  mkdir -p "$HOME/.claude/orchestrator"
  sqlite3 "$HOME/.claude/orchestrator/global.db" 'CREATE TABLE t(x); INSERT INTO t VALUES (1)'
  "$plugin/hooks/session-start" >"$scratch/out" || fail "the hook ended with an error"
  [ "$(wc -l <"$scratch/out")" = 1 ] || fail "not one line: $(cat "$scratch/out")"
  cat "$scratch/out"
}

check_hook_time() {
  build_plugin
  python3 "$root/tests/plugin/hook_time.py" "$plugin" "$program"
}

# Installed first and built later, as when the marketplace is a repository.
check_claude() {
  npm_tools
  claude plugin validate --strict "$plugin"
  claude plugin marketplace add "$plugin"
  claude plugin install backup-plugin-db
  if is_unseen; then
    # A failure would be remembered, also after the program is there.
    claude mcp list >"$scratch/servers" 2>&1
    grep -q 'plugin:backup-plugin-db:backup: .*Connected' "$scratch/servers" || fail "not answered"
  fi
  mkdir -p "$HOME/.local/bin"
  ln -s "$program" "$HOME/.local/bin/backup-plugin-db"
  claude mcp list >"$scratch/servers" 2>&1
  cat "$scratch/servers"
  grep -q 'plugin:backup-plugin-db:backup: .*Connected' "$scratch/servers" || fail "not connected"
  grep -q 'Failed' "$scratch/servers" && fail "a server failed"
  claude plugin details backup-plugin-db
}

check_bundle() {
  npm_tools
  python3 "$root/tests/plugin/pack_bundle.py" "$program" "$scratch/bundle.mcpb"
  mcpb unpack "$scratch/bundle.mcpb" "$scratch/unpacked"
  mcpb validate "$scratch/unpacked/manifest.json"
  sh "$scratch/unpacked/bin/backup-plugin-db" --version | grep -q backup-plugin-db
  local version
  version=$("$program" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')
  grep -q "\"version\": \"$version\"" "$scratch/unpacked/manifest.json" || fail "another version"
  grep -q "\"version\": \"$version\"" "$plugin/.claude-plugin/plugin.json" || fail "another version"
}

"check_$what"
