#!/usr/bin/env bash
# Runs a command that sees the subfolders of a folder at their places in the file system: etc-nginx
# at /etc/nginx. Works on the mounts of a namespace of its own, as "ip netns exec" gives one.
# Usage: placed.sh FOLDER COMMAND...
set -euo pipefail

folder=$1
shift
for place in "$folder"/*/; do
    place=${place%/}
    name=${place##*/}
    mount --bind "$place" "/${name//-//}"
done
exec "$@"
