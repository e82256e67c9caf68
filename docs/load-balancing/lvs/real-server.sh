#!/bin/sh
# Makes this host a balancer behind LVS by direct routing: it takes packets for ADDRESS, which the
# director passes on, and never says on the network that it has that address. Needs root. Run it at
# each start, before nginx.
# Usage: real-server.sh ADDRESS
set -eu
address=${1:?usage: real-server.sh ADDRESS}

# Answer ARP only for addresses of the interface that was asked, and ask with such an address.
sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
ip address add "$address/32" dev lo
