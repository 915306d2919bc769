#!/usr/bin/env bash
# check_plugin.sh WHAT PROGRAM: checks the plugin as Claude Code and Claude Desktop take it.
# WHAT is one of: launcher, hook, claude, bundle. The last two need npm (77: skipped without).
set -euo pipefail
what=$1 program=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch/home XDG_DATA_HOME=$scratch/data XDG_STATE_HOME=$scratch/state
export XDG_CONFIG_HOME=$scratch/config
unset CLAUDE_ORCHESTRATOR_BACKUP_ROOT
mkdir -p "$HOME"
cd "$HOME"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# The plugin as a marketplace delivers it, with a name that wants quoting.
plugin=$scratch/"a plugin's copy"
mkdir -p "$plugin"
(cd "$root" && cp -r .claude-plugin .mcp.json bin hooks skill "$plugin" && cp README.md "$plugin")

build_plugin() {
  mkdir -p "$plugin/build/release"
  ln -s "$program" "$plugin/build/release/backup-plugin-db"
}

npm_tools() {
  "$root/tests/support/npm_install.sh" "$root/tests/plugin" || exit $?
  PATH=$root/tests/plugin/node_modules/.bin:$PATH
}

check_launcher() {
  local launcher=$plugin/bin/backup-plugin-db
  # A machine that has it installed hides the message; nothing else is to be seen there.
  if [ ! -x /usr/bin/backup-plugin-db ] && [ ! -x /usr/local/bin/backup-plugin-db ]; then
    "$launcher" --version >"$scratch/out" 2>"$scratch/err" && fail "started without a program"
    [ ! -s "$scratch/out" ] || fail "wrote to stdout"
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "not one line on stderr"
    grep -q "bootstrap.sh' build" "$scratch/err" || fail "does not say how to build"
  fi
  mkdir -p "$XDG_DATA_HOME/backup-plugin-db/bin"
  ln -s "$program" "$XDG_DATA_HOME/backup-plugin-db/bin/backup-plugin-db"
  "$launcher" --version | grep -q backup-plugin-db || fail "did not find the scheduled copy"
  rm -r "$XDG_DATA_HOME/backup-plugin-db"
  build_plugin
  "$launcher" --version | grep -q backup-plugin-db || fail "did not find the built program"
  mkdir "$scratch/linked"
  ln -s "$launcher" "$scratch/linked/db"
  "$scratch/linked/db" --version | grep -q backup-plugin-db || fail "not through a link"
  (cd "$plugin/bin" && sh backup-plugin-db --version >/dev/null) || fail "not by its bare name"
}

check_hook() {
  build_plugin
  "$plugin/hooks/session-start" >"$scratch/out" || fail "the hook ended with an error"
  [ ! -s "$scratch/out" ] || fail "said something where there is nothing to back up"
  mkdir -p "$HOME/.claude/orchestrator"
  sqlite3 "$HOME/.claude/orchestrator/global.db" 'CREATE TABLE t(x); INSERT INTO t VALUES (1)'
  "$plugin/hooks/session-start" >"$scratch/out" || fail "the hook ended with an error"
  [ "$(wc -l <"$scratch/out")" = 1 ] || fail "not one line: $(cat "$scratch/out")"
  cat "$scratch/out"
}

check_claude() {
  npm_tools
  claude plugin validate --strict "$plugin"
  build_plugin
  claude plugin marketplace add "$plugin"
  claude plugin install backup-plugin-db@backup-plugin-db
  claude mcp list >"$scratch/servers" 2>&1
  cat "$scratch/servers"
  grep -q 'plugin:backup-plugin-db:backup: .*Connected' "$scratch/servers" || fail "not connected"
  grep -q 'Failed' "$scratch/servers" && fail "a server failed"
  claude plugin details backup-plugin-db
}

check_bundle() {
  npm_tools
  python3 "$root/packaging/mcpb/pack.py" "$program" "$scratch/bundle.mcpb"
  mcpb unpack "$scratch/bundle.mcpb" "$scratch/unpacked"
  mcpb validate "$scratch/unpacked/manifest.json"
  "$scratch/unpacked/server/backup-plugin-db" --version | grep -q backup-plugin-db
  local version
  version=$("$program" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')
  grep -q "\"version\": \"$version\"" "$scratch/unpacked/manifest.json" || fail "another version"
  grep -q "\"version\": \"$version\"" "$plugin/.claude-plugin/plugin.json" || fail "another version"
}

"check_$what"
