#!/bin/sh
# Compares our reading of HTTP requests with Node's, on all files of folders.
#   second_reader.sh TELL_REQUESTS FOLDER…
# Ends with 77 (skipped) without npm.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../conformance/node.sh"
install_packages "$conformance_folder"
"$node" "$here/second_reader.mjs" "$@"
