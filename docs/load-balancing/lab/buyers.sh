#!/usr/bin/env bash
# Buyers, each with a key and a connection of its own, who come until FOLDER/stop is there. Writes a
# line "URL STATUS SECONDS" for each to FOLDER/came; then has those who were not told 200 repeat
# what they asked, and writes those who never were told 200 to FOLDER/left.
# Usage: buyers.sh FOLDER ADDRESS
set -euo pipefail

folder=$1
address=$2

ask() {
    curl -sS --http1.0 -Z --parallel-max 10 --connect-timeout 1 --max-time 3 -o /dev/null \
        -w '%{url} %{http_code} %{time_total}\n' "$@" || true
}

group=0
until [ -e "$folder/stop" ]; do
    group=$((group + 1))
    ask "http://$address/buy/ticket?rid=buyer-$$-$group-[01-20]" >>"$folder/came"
done

awk '$2 != 200 { print $1 }' "$folder/came" >"$folder/left"
for _ in {1..10}; do
    [ -s "$folder/left" ] || break
    mapfile -t urls <"$folder/left"
    ask "${urls[@]}" | awk '$2 != 200 { print $1 }' >"$folder/still"
    mv "$folder/still" "$folder/left"
    sleep 0.5
done
