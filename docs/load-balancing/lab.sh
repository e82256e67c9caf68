#!/usr/bin/env bash
# The lab of README.md: its configurations on hosts that are network namespaces, and what is claimed
# of them, checked. Needs root, the Debian packages that "lab.sh packages" prints, and the demo
# server (mvn -q package -DskipTests); without, it says what is missing, does nothing and exits with
# 77. It changes nothing outside its namespaces, a temporary directory and the link /run/spike-lab
# to that.
set -eEuo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=lab/hosts.sh
source "$here/lab/hosts.sh"
# shellcheck source=lab/nodes.sh
source "$here/lab/nodes.sh"
# shellcheck source=lab/nginx.sh
source "$here/lab/nginx.sh"
# shellcheck source=lab/ospf.sh
source "$here/lab/ospf.sh"
# shellcheck source=lab/lvs.sh
source "$here/lab/lvs.sh"

passed=0
failed=0
last_error=

usage() {
    cat >&2 <<'USAGE'
usage: lab.sh up         starts everything
       lab.sh test       checks everything; starts it before and takes it down afterwards if it is not up
       lab.sh down       takes everything down, whatever state it is in
       lab.sh packages   prints the names of the Debian packages
USAGE
    exit 2
}

skip() {
    echo "skipped: $1"
    exit 77
}

# Commands beside the Debian packages that bring them.
needed() {
    cat <<'NEEDED'
ab apache2-utils
busybox busybox-static
cpio cpio
curl curl
/usr/lib/frr/ospfd frr
ip iproute2
ipvsadm ipvsadm
keepalived keepalived
modprobe kmod
/boot/vmlinuz-*-cloud-amd64 linux-image-cloud-amd64
nginx nginx-light
qemu-system-x86_64 qemu-system-x86
NEEDED
}

missing() {
    local command package
    while read -r command package; do
        case $command in
            /*) compgen -G "$command" ;;
            *) type -P "$command" ;;
        esac >/dev/null || echo "$package"
    done < <(needed)
}

skip_unless_possible() {
    local packages
    [ "$(id -u)" = 0 ] || skip "needs root"
    packages=$(missing | tr '\n' ' ')
    [ -z "$packages" ] || skip "missing, as Debian packages: $packages"
    command -v java >/dev/null || skip "needs Java 17 on the PATH"
    [ -f "$jar" ] || skip "no $jar; build it with mvn -q package -DskipTests"
    ip netns add "$probe" 2>/dev/null || skip "network namespaces cannot be made here"
    ip netns del "$probe"
}

# check TEXT COMMAND...: whether the command succeeds is whether what the text says is so.
check() {
    local text=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok $text"
    else
        failed=$((failed + 1))
        echo "FAILED $text"
    fi
}

up() {
    nothing_in_the_way || exit 1
    trap 'not_up' EXIT
    make_hosts
    start_nodes
    start_web
    start_routing
    touch "$dir/up"
    trap - EXIT
}

not_up() {
    echo "FAILED to start${last_error:+, at $last_error}; the last lines of its logs:" >&2
    for log in "$dir"/log/*; do
        echo "-- ${log##*/}"
        tail -n 5 "$log"
    done >&2
    down
}

ended_early() {
    # Who read this may be gone; what is to be taken down is taken down all the same.
    (trap '' PIPE; echo "FAILED: ended early${last_error:+, at $last_error}") 2>/dev/null || exec >/dev/null
}

run_tests() {
    local begun=$SECONDS report gone=true
    if [ -e "$link/up" ]; then
        find_lab
        trap 'ended_early; calm' EXIT
        check_all
        calm
    else
        up
        trap 'ended_early; down' EXIT
        check_all
        report=$(down) || gone=false
        check "$report" "$gone"
    fi
    trap - EXIT
    echo "took $((SECONDS - begun)) s"
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}

check_all() {
    check_nginx
    # The virtual machine mostly waits, and so do the checks of OSPF.
    start_lvs
    check_ospf
    check_lvs
}

[ $# = 1 ] || usage
trap 'last_error="${BASH_SOURCE[0]##*/}, line $LINENO: $BASH_COMMAND"' ERR
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM HUP
case $1 in
    packages) needed | cut -d' ' -f2 ;;
    up)
        skip_unless_possible
        up
        echo "up: curl through it with: ip netns exec spike-buyers curl http://$vip/buy/ticket"
        ;;
    test)
        skip_unless_possible
        run_tests
        ;;
    down)
        [ "$(id -u)" = 0 ] || skip "needs root"
        down
        ;;
    *) usage ;;
esac
