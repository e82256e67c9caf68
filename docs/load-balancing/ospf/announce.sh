#!/bin/sh
# Has this host announce ADDRESS while its nginx reaches a node: OSPF tells the routers of the
# addresses that a host has. Needs root, curl and iproute2. Run it as a service that is restarted
# when it ends, and bound to FRR's.
# Usage: announce.sh ADDRESS
set -u
address=${1:?usage: announce.sh ADDRESS}

announced() {
    ip -oneline address show dev lo to "$address/32" | grep -q .
}

withdraw() {
    if announced; then
        ip address del "$address/32" dev lo
        echo "withdrawn $address"
    fi
}

trap withdraw EXIT
trap 'exit 0' TERM INT

failures=0
while :; do
    if curl --fail --silent --output /dev/null --max-time 1 http://127.0.0.1/readyz; then
        failures=0
        announced || { ip address add "$address/32" dev lo && echo "announced $address"; }
    else
        failures=$((failures + 1))
        # One failure may be a hiccup; each costs the buyers whom it is true for.
        [ "$failures" -lt 2 ] || withdraw
    fi
    sleep 0.2
done
