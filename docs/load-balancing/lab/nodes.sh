# shellcheck shell=bash
# The nodes, on ports 3001 to 3004 of spike-nodes, which sell from one Redis; and the nginx of each
# balancer.

readonly nodes=10.77.3.1

start_nodes() {
    start_node 1
    await 60 has_line 'Admin:' "$dir/log/node1"
    start_node 2
    start_node 3
    start_node 4
    await_nodes
}

# start_node N: again, too, with what it had.
start_node() {
    local redis=embedded
    if [ "$1" != 1 ]; then
        redis=$(sed -n 's/^Redis: \([^ ]*\).*/\1/p' "$dir/log/node1" | tail -n 1)
    fi
    start "node$1" spike-nodes java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -jar "$jar" \
        --port "300$1" --redis "$redis" --data "$dir/data$1" --orders none --connections 2000 \
        --total 1000000 --hold 2h --nodes 4 --stat-log "$dir/stat/$1"
}

await_nodes() {
    local n
    for n in 1 2 3 4; do
        await 60 is_ready "$n"
    done
}

is_ready() {
    on spike-nodes curl -fsS -m 2 -o /dev/null "http://$nodes:300$1/readyz" 2>>"$dir/log/curl"
}

has_line() {
    grep -qs "$1" "$2"
}

# How many units are reserved or sold, by the store. Fails if the audit finds fault with them; one
# that a busy machine did not finish in time is repeated.
sold() {
    local audit sum
    for _ in {1..20}; do
        audit=$(on spike-nodes curl -sS http://127.0.0.1:13001/v1/sales/ticket/audit)
        sum=$(sed -n 's/^{"balanced":true,"levels":{[^}]*"reserved":\([0-9]*\),"sold":\([0-9]*\).*/\1+\2/p' <<<"$audit")
        if [ -n "$sum" ]; then
            echo $((sum))
            return
        fi
        [[ $audit == *'"status":503'* ]] || break
        sleep 0.5
    done
    echo "the audit says: ${audit:0:1000}" >&2
    return 1
}

# How many answers each node has written down.
answers() {
    local n
    for n in 1 2 3 4; do
        wc -l <"$dir/stat/$n"
    done | xargs
}

start_web() {
    serve lb1
    serve lb2
}

# serve BALANCER [SED]: nginx anew, with the files of nginx/, edited.
serve() {
    local balancer=$1 folder=$dir/$1-nginx file
    kill_all "spike-$balancer" nginx
    rm -rf "$folder"
    mkdir -p "$folder"/{etc-nginx,var-log-nginx,var-lib-nginx,run}
    for file in "$here"/nginx/*.conf; do
        sed "${2:-}" "$file" >"$folder/etc-nginx/${file##*/}"
    done
    start_placed "nginx-$balancer" "spike-$balancer" "$folder" nginx -g 'daemon off;'
    await 10 on "spike-$balancer" curl -s -o /dev/null http://127.0.0.1/is-up
}

# One line for each request that the balancer answered.
access_log() {
    echo "$dir/$1-nginx/var-log-nginx/access.log"
}
