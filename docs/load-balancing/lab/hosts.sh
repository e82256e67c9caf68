# shellcheck shell=bash
# The hosts of the lab, what runs on them, and how all of it goes away again. A host is a network
# namespace that this script made, so whatever runs in one is the lab's.
#
#   spike-buyers ── spike-router ──┬── spike-lb1 ──┬── spike-nodes     spike-vm, without a network
#                                  └── spike-lb2 ──┘

readonly link=/run/spike-lab
readonly hosts=(spike-buyers spike-router spike-lb1 spike-lb2 spike-nodes spike-vm)
readonly probe=spike-probe
readonly vip=10.77.100.80
readonly jar=$here/../../spike-http/target/spike-http.jar
dir=

on() {
    ip netns exec "$@"
}

# await SECONDS COMMAND...: until it succeeds.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# start NAME HOST COMMAND...: in the background, on a host; its output is in log/NAME.
start() {
    local name=$1 host=$2
    shift 2
    setsid ip netns exec "$host" "$@" </dev/null >>"$dir/log/$name" 2>&1 &
    echo $! >"$dir/pid/$name"
    disown
}

# start_placed NAME HOST FOLDER COMMAND...: sees FOLDER's subfolders at their places in the file
# system (etc-nginx at /etc/nginx), which nobody else does.
start_placed() {
    local name=$1 host=$2 folder=$3
    shift 3
    start "$name" "$host" bash "$here/lab/placed.sh" "$folder" "$@"
}

runs() {
    [ -f "$dir/pid/$1" ] && [ -d "/proc/$(<"$dir/pid/$1")" ]
}

# signal NAME SIGNAL: to what start started.
signal() {
    kill -s "$2" "$(<"$dir/pid/$1")"
}

# end NAME: at once; returns when it is gone.
end() {
    if runs "$1"; then
        signal "$1" KILL 2>/dev/null || true
        await 5 is_gone "$1"
    fi
    rm -f "$dir/pid/$1"
}

is_gone() {
    ! runs "$1"
}

# pids_of HOST [NAME]: of all its processes, or of those with that name.
pids_of() {
    local pid
    for pid in $(ip netns pids "$1"); do
        if [ $# = 1 ] || [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]; then echo "$pid"; fi
    done
}

has_none() {
    [ -z "$(pids_of "$@")" ]
}

# kill_all HOST [NAME]: and those that they began meanwhile; returns when they are gone.
kill_all() {
    for _ in 1 2 3; do
        pids_of "$@" | xargs -r kill -s KILL 2>/dev/null || true
    done
    await 5 has_none "$@"
}

# Fails, and says why, if there is a lab already, or something of another's with a name of ours.
nothing_in_the_way() {
    local host
    if [ -L "$link" ]; then
        echo "a lab is up, or half of one; lab.sh down takes it down" >&2
        return 1
    fi
    for host in "${hosts[@]}"; do
        if [ -e "/run/netns/$host" ]; then
            echo "there is a network namespace $host already, which is not this lab's" >&2
            return 1
        fi
    done
}

make_hosts() {
    local host
    dir=$(mktemp -d "${TMPDIR:-/tmp}/spike-lab.XXXXXX")
    ln -s "$dir" "$link"
    mkdir "$dir"/{log,pid,stat}
    for host in "${hosts[@]}"; do
        ip netns add "$host"
        ip -n "$host" link set lo up
    done
    cable_up
}

# cable HOST LINK ADDRESS HOST LINK ADDRESS; no address where it is -.
cable() {
    ip -n "$1" link add "$2" type veth peer name "$5" netns "$4"
    [ "$3" = - ] || ip -n "$1" address add "$3" dev "$2"
    [ "$6" = - ] || ip -n "$4" address add "$6" dev "$5"
    ip -n "$1" link set "$2" up
    ip -n "$4" link set "$5" up
}

cable_up() {
    local n balancer
    cable spike-buyers to-router 10.77.0.2/24 spike-router to-buyers 10.77.0.1/24
    ip -n spike-nodes link add nodes type bridge
    ip -n spike-nodes address add 10.77.3.1/24 dev nodes
    ip -n spike-nodes link set nodes up
    for n in 1 2; do
        balancer=spike-lb$n
        cable spike-router to-lb$n 10.77.$n.1/30 "$balancer" to-router 10.77.$n.2/30
        cable "$balancer" to-nodes 10.77.3.1$n/24 spike-nodes to-lb$n -
        ip -n spike-nodes link set to-lb$n master nodes
        ip -n "$balancer" route add default via 10.77.$n.1
    done
    # Buyers of many networks, for balancing by address.
    ip -n spike-buyers address add 10.78.0.1/16 dev lo
    ip -n spike-buyers route add default via 10.77.0.1
    ip -n spike-router route add 10.78.0.0/16 via 10.77.0.2
    on spike-router sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=1
}

find_lab() {
    dir=$(readlink "$link")
}

# Ends what a test started and left.
calm() {
    local host
    set +e
    jobs -p | xargs -r kill 2>/dev/null
    for host in spike-buyers spike-vm; do
        ip netns pids "$host" 2>/dev/null | xargs -r kill -s KILL 2>/dev/null
    done
}

lab_pids() {
    local host
    for host in "${hosts[@]}"; do
        [ ! -e "/run/netns/$host" ] || ip netns pids "$host" 2>/dev/null
    done
}

has_no_pids() {
    [ -z "$(lab_pids)" ]
}

# Takes down what make_hosts and start made, whatever state that is in and whatever interrupts; says
# what is left, and fails if anything is.
down() {
    local host pids links=0 namespaces=0 left
    set +e
    trap '' INT TERM HUP
    if [ ! -L "$link" ]; then
        echo "down: nothing was up"
        return
    fi
    find_lab
    jobs -p | xargs -r kill 2>/dev/null
    pids=$(lab_pids)
    # Those that begin more may do so until they are dead themselves, hence again.
    for _ in 1 2 3; do
        lab_pids | xargs -r kill -s KILL 2>/dev/null
        await 5 has_no_pids
    done
    for host in "${hosts[@]}"; do
        [ -e "/run/netns/$host" ] || continue
        links=$((links + $(ip -n "$host" -oneline link | wc -l)))
        ip netns del "$host"
        namespaces=$((namespaces + 1))
    done
    rm -rf "$dir"
    rm "$link"
    left=$(leftovers "$pids" | xargs)
    echo "down: $(wc -w <<<"$pids") processes, $namespaces namespaces with $links links, $dir;" \
        "left: ${left:-nothing}"
    [ -z "$left" ]
}

leftovers() {
    local pid host
    for pid in $1; do
        # A zombie is its parent's to clear away, and is no process any more.
        if grep -qs '^State:.[^ZX]' "/proc/$pid/status"; then echo "process $pid"; fi
    done
    for host in "${hosts[@]}"; do
        if [ -e "/run/netns/$host" ]; then echo "namespace $host"; fi
    done
    ip -oneline link | grep -oE ' to-(router|buyers|nodes|lb[12])[@:]' || true
    grep -oE ' /[^ ]*spike-(lab|buyers|router|lb1|lb2|nodes|vm)[^ ]*' /proc/mounts || true
    if [ -e "$dir" ]; then echo "$dir"; fi
    if [ -L "$link" ]; then echo "$link"; fi
}
