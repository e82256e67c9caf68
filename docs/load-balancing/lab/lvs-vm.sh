#!/bin/busybox sh
# The first and only process of the virtual machine: a director and three balancers behind it, in
# network namespaces on one switch, and what is claimed of lvs/*, checked. Prints to the second
# serial port what lab.sh reads.
# shellcheck shell=dash disable=SC2016  # the dollars are for other shells

/bin/busybox mkdir -p /bin /sbin
/bin/busybox --install -s /bin
export PATH=/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
exec >/dev/ttyS1 2>&1
readonly vip=10.77.100.80

# busybox has an ip of its own, which does not know of namespaces.
ip() {
    /usr/sbin/ip "$@"
}

on() {
    ip netns exec "$@"
}

check() {
    text=$1
    shift
    if "$@"; then echo "ok LVS: $text"; else echo "FAILED LVS: $text"; fi
}

uptime_seconds() {
    cut -d . -f 1 /proc/uptime
}

await() {
    end=$(($(uptime_seconds) + $1))
    shift
    until "$@"; do
        [ "$(uptime_seconds)" -lt "$end" ] || return 1
        usleep 200000
    done
}

host() {
    ip netns add "$1"
    ip -n "$1" link set lo up
    ip -n "$1" link add eth0 type veth peer name "to-$1" netns switch
    ip -n "$1" address add "$2/24" dev eth0
    ip -n "$1" link set eth0 up
    ip -n switch link set "to-$1" master bridge
    ip -n switch link set "to-$1" up
}

# What a balancer is here: it says its name, the buyer's address, and whether it is ready.
balancer() {
    mkdir -p "/www/$1/cgi-bin"
    echo "$1" >"/www/$1/name"
    echo ok >"/www/$1/readyz"
    printf '#!/bin/sh\necho; echo "${REMOTE_ADDR##*:}" | tr -d "]"\n' >"/www/$1/cgi-bin/who"
    chmod +x "/www/$1/cgi-bin/who"
    serve "$1"
}

serve() {
    /usr/sbin/ip netns exec "$1" httpd -f -p 80 -h "/www/$1" &
    echo $! >"/www/$1/pid"
}

# ask COUNT PATH: what so many connections to the buyers' address were answered, a line each.
ask() {
    on buyer sh -c '
        for _ in $(seq "$1"); do
            answer=$(printf "GET /$2 HTTP/1.0\r\n\r\n" | nc -w 2 "$3" 80 | tail -n 1)
            echo "${answer:-none}"
        done' sh "$1" "$2" $vip
}

# spread COUNT: how many of so many connections each balancer got, and how many nobody.
spread() {
    ask "$1" name | sort | uniq -c | awk '{ print $2 ":" $1 }' | xargs
}

# Who answered, without how often: only with nothing changing do the counts come out exactly.
names() {
    echo "$1" | sed 's/:[0-9]*//g'
}

servers() {
    on director ipvsadm -Ln | awk '$1 == "->" && $2 ~ /^10/ { print $2 }' | sort | xargs
}

has_servers() {
    [ "$(servers | wc -w)" = "$1" ]
}

has_address() {
    on director /usr/sbin/ip -oneline address show dev lo to "$vip" | grep -q .
}

has_no_address() {
    ! has_address
}

while read -r module; do insmod "/lib/modules/$module"; done </lib/modules/order
ip netns add switch
ip -n switch link add bridge type bridge
ip -n switch link set bridge up
host director 10.77.4.1
host lvs1 10.77.4.11
host lvs2 10.77.4.12
host lvs3 10.77.4.13
host buyer 10.77.4.2
ip -n buyer route add $vip via 10.77.4.1
for name in lvs1 lvs2 lvs3; do
    on $name sh /etc/real-server.sh $vip
    balancer $name
done

on director keepalived --config-test --use-file /etc/keepalived/keepalived.conf
check "keepalived finds no fault with its configuration" [ $? = 0 ]
/usr/sbin/ip netns exec director keepalived --dont-fork --log-console --log-detail >/dev/ttyS0 2>&1 &

await 30 has_servers 3
await 30 has_address
check "all ready ones are in: $(servers)" has_servers 3
check "the director has the address" has_address
found=$(spread 60)
check "weights 1:2:3 over 60 connections: $found" [ "$found" = "lvs1:10 lvs2:20 lvs3:30" ]
found=$(ask 1 cgi-bin/who)
check "direct routing: a balancer sees the buyer's address: $found" [ "$found" = 10.77.4.2 ]
found=$(on buyer arping -c 3 -w 5 -I eth0 $vip | grep -oE '([0-9a-f]{2}:){5}[0-9a-f]{2}' | sort -u | xargs)
check "the director alone says that it has the address" \
    [ "$found" = "$(on director cat /sys/class/net/eth0/address)" ]

kill -9 "$(cat /www/lvs3/pid)"
await 30 has_servers 2
found=$(spread 30)
check "a dead balancer is taken out: $(servers); 30 connections: $found" \
    [ "$(names "$found")" = "lvs1 lvs2" ]
serve lvs3
await 30 has_servers 3
found=$(spread 30)
check "it is taken in again: $(servers); 30 connections: $found" \
    [ "$(names "$found")" = "lvs1 lvs2 lvs3" ]

rm /www/lvs2/readyz
await 30 has_servers 2
found=$(spread 30)
check "one that is not ready is taken out: $(servers); 30 connections: $found" \
    [ "$(names "$found")" = "lvs1 lvs3" ]

rm /www/lvs1/readyz /www/lvs3/readyz
await 30 has_no_address
check "with none left the director gives up the address" has_no_address
echo ok >/www/lvs1/readyz
await 30 has_address
check "and takes it again: $(servers); 4 connections: $(spread 4)" has_address
echo ended
poweroff -f
