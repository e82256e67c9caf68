# shellcheck shell=bash
# Routing between the hosts, and what is claimed of ospf/*: two balancers announce the buyers'
# address, buyers are spread over them, and hardly notice when one is lost.

start_routing() {
    route_on router router.conf
    balancer_routing 1
    balancer_routing 2
    await 60 has_routes 2
}

balancer_routing() {
    route_on "lb$1" balancer.conf "s/10\.77\.1\./10.77.$1./; s/lb1/lb$1/"
    start "announce-lb$1" "spike-lb$1" sh "$here/ospf/announce.sh" "$vip"
}

# route_on HOST CONFIGURATION [SED]: FRR, as its packages start it.
route_on() {
    local host=$1 folder=$dir/$1-frr daemon
    rm -rf "$folder"
    mkdir -p "$folder"/{etc-frr,run/frr}
    sed "${3:-}" "$here/ospf/$2" >"$folder/etc-frr/frr.conf"
    echo 'service integrated-vtysh-config' >"$folder/etc-frr/vtysh.conf"
    chown -R frr:frr "$folder/etc-frr" "$folder/run/frr"
    for daemon in zebra ospfd; do
        start_placed "$daemon-$host" "spike-$host" "$folder" "/usr/lib/frr/$daemon" -A 127.0.0.1
        await 20 [ -S "$folder/run/frr/$daemon.vty" ]
    done
    on "spike-$host" bash "$here/lab/placed.sh" "$folder" vtysh -b >>"$dir/log/vtysh-$host" 2>&1
}

# The buyers' address in the router's table, in the kernel.
route() {
    ip -n spike-router route show "$vip"
}

# has_routes COUNT: the router has so many ways to the buyers' address.
has_routes() {
    [ "$(route | grep -c ' dev to-lb')" = "$1" ]
}

# milliseconds COMMAND...: how long it took.
milliseconds() {
    local begun
    begun=$(date +%s%3N)
    "$@" >&2 || true
    echo $(($(date +%s%3N) - begun))
}

# while_coming COMMAND...: buyers come all the while. Sets came, how many did; unserved, who were not
# told at once that they have a ticket; left, who were not told so after they had repeated; and units.
while_coming() {
    rm -rf "$dir/coming"
    mkdir "$dir/coming"
    sold_before=$(sold)
    start buyers spike-buyers bash "$here/lab/buyers.sh" "$dir/coming" "$vip"
    await 10 [ -s "$dir/coming/came" ]
    sleep 1
    "$@"
    sleep 1
    touch "$dir/coming/stop"
    await 60 is_gone buyers
    came=$(wc -l <"$dir/coming/came")
    unserved=$(awk '$2 != 200' "$dir/coming/came" | wc -l)
    left=$(wc -l <"$dir/coming/left")
    count_units
}

check_coming() {
    check "$1: buyers $came, not served at once $unserved, after repeating $left, units $units" \
        [ "$left $((units - came))" = "0 0" ]
}

tickets() {
    grep -c '/buy/ticket' "$(access_log "$1")" || true
}

check_ospf() {
    check_spread
    check_lost_nginx
    check_lost_link
    check_lost_balancer
}

check_spread() {
    local first second
    check "two balancers announce the address: $(route | grep -o 'dev to-lb[12]' | xargs)" has_routes 2
    first=$(tickets lb1)
    second=$(tickets lb2)
    while_coming sleep 1
    first=$(($(tickets lb1) - first))
    second=$(($(tickets lb2) - second))
    check_coming "both serve"
    check "buyers of one address are spread: lb1 $first, lb2 $second" \
        [ $((first * 4 > came && second * 4 > came)) = 1 ]
}

lose_nginx() {
    kill_all spike-lb1 nginx
    lost_for=$(milliseconds await 10 has_routes 1)
}

check_lost_nginx() {
    while_coming lose_nginx
    check "nginx of a balancer is killed: its route is gone after $lost_for ms: $(route | xargs)" has_routes 1
    check_coming "nginx of a balancer is killed"
    serve lb1
    check "nginx is back: both routes after $(milliseconds await 20 has_routes 2) ms" has_routes 2
}

lose_link() {
    ip -n spike-lb2 link set to-router down
    lost_for=$(milliseconds await 10 has_routes 1)
}

check_lost_link() {
    while_coming lose_link
    check "a balancer's link breaks: its route is gone after $lost_for ms" has_routes 1
    check_coming "a balancer's link breaks"
    ip -n spike-lb2 link set to-router up
    ip -n spike-lb2 route add default via 10.77.2.1
    check "the link is back: both routes after $(milliseconds await 20 has_routes 2) ms" has_routes 2
    first=$(tickets lb2)
    while_coming sleep 1
    check "the link is back: lb2 serves $(($(tickets lb2) - first)) of $came again" \
        [ $(($(tickets lb2) - first)) -gt 0 ]
}

# As when its power fails, behind a switch: the router's link stays up, and nobody answers.
lose_balancer() {
    ip -n spike-lb2 address flush dev to-router
    kill_all spike-lb2
    lost_for=$(milliseconds await 15 has_routes 1)
}

check_lost_balancer() {
    while_coming lose_balancer
    check "a balancer is lost without a word: its route is gone after $lost_for ms" has_routes 1
    check_coming "a balancer is lost without a word"
    ip -n spike-lb2 address flush dev lo to "$vip/32"
    ip -n spike-lb2 address add 10.77.2.2/30 dev to-router
    ip -n spike-lb2 route add default via 10.77.2.1
    serve lb2
    balancer_routing 2
    check "the balancer is back: both routes after $(milliseconds await 30 has_routes 2) ms" has_routes 2
}
