# shellcheck shell=bash disable=SC2016  # the dollars are for awk
# What is claimed of nginx/*.conf: weights, repeats, dead and hanging nodes, stickiness, limits.
# Each check begins with an nginx of its own, and leaves all nodes running.

readonly web=http://10.77.1.2
readonly ticket=$web/buy/ticket
readonly by_address=s/round-robin.conf/ip-hash.conf/
readonly by_buyer=s/round-robin.conf/by-buyer.conf/
readonly with_lost_answers='/:300[34]/d; s/:3001.*/:3009 max_fails=0;/; s/:3002.*/:3002 max_fails=0;/'
errors=
units=
sold_before=
answers_before=

check_nginx() {
    check_weights
    check_repeats
    check_dead_nodes
    check_dying_node
    check_hanging_node
    check_stopped_node
    check_no_redis
    check_by_address
    check_by_buyer
    check_edges
    check_page
    serve lb1
}

# ab_buys COUNT CONCURRENT [OPTION...]: so many requests for a ticket. Sets errors, how many were
# not told that they have it, and units, how many were taken meanwhile.
ab_buys() {
    local count=$1 concurrent=$2
    shift 2
    sold_before=$(sold)
    answers_before=$(answers)
    on spike-buyers ab -q -n "$count" -c "$concurrent" -s 30 "$@" "$ticket" >"$dir/ab" 2>&1 || true
    errors=$(awk '
        /^Failed requests:|^Non-2xx responses:/ { failed = $3 > failed ? $3 : failed }
        /^Complete requests:/ { complete = $3 }
        /^Document Length:/ { all_bought = $3 == 31 }
        END { print all_bought ? failed + count - complete : count }' count="$count" "$dir/ab")
    count_units
}

count_units() {
    units=$(($(sold) - sold_before))
}

# curl_buys COUNT GLOB [OPTION...]: the same with the queries that GLOB stands for, ten at a time.
curl_buys() {
    local count=$1 glob=$2
    shift 2
    sold_before=$(sold)
    answers_before=$(answers)
    errors=$((count - $(on spike-buyers curl -sS -Z --parallel-max 10 "$@" "$ticket?$glob" \
        2>>"$dir/log/curl" | grep -o '{"code":1,' | wc -l)))
    count_units
}

# The tries that were sent to a node and got no answer from it.
lost_tries() {
    awk -F'"' '{
        n = split($6, status, ", ")
        split($8, connected, ", ")
        for (i = 1; i <= n; i++) lost += status[i] ~ /^50[24]$/ && connected[i] != "-"
    } END { print lost + 0 }' "$(access_log lb1)"
}

check_weights() {
    local opened
    serve lb1
    opened=$(connections_opened)
    ab_buys 1000 100
    await 10 has_answered 1000 || true
    check "weights 1:2:3:4, ab -n 1000 -c 100: answers of the nodes $(answered), errors $errors" \
        [ "$(answered), $errors" = "100 200 300 400, 0" ]
    opened=$(($(connections_opened) - opened))
    check "connections to nodes are kept: $opened opened for 1000 requests" [ "$opened" -lt 500 ]
}

# How many answers each node has written down since the last ab_buys or curl_buys began.
answered() {
    paste <(xargs -n 1 <<<"$answers_before") <(answers | xargs -n 1) | awk '{ print $2 - $1 }' | xargs
}

has_answered() {
    [ $(($(answered | tr ' ' +))) -ge "$1" ]
}

connections_opened() {
    on spike-lb1 awk '/^Tcp:/ && $6 ~ /^[0-9]/ { print $6 }' /proc/net/snmp
}

# Half of the first tries go to a node that sells and whose answer is lost.
check_repeats() {
    mkdir -p "$dir"/lost-answers/{etc-nginx,var-log-nginx,var-lib-nginx,run}
    cp "$here/lab/lost-answers.conf" "$dir/lost-answers/etc-nginx/nginx.conf"
    start_placed lost-answers spike-nodes "$dir/lost-answers" nginx -g 'daemon off;'
    await 10 listens spike-nodes 3009

    serve lb1 "$with_lost_answers"
    ab_buys 100 10
    check_repeated "a GET without a key"
    serve lb1 "$with_lost_answers"
    echo x >"$dir/body"
    ab_buys 100 10 -p "$dir/body" -T text/plain
    check_repeated "a POST without a key"
    serve lb1 "$with_lost_answers"
    curl_buys 100 "rid=$(date +%s)-[001-100]"
    check_repeated "a GET with a key"
    serve lb1 "$with_lost_answers"
    curl_buys 100 "RID=$(date +%s)-[001-100]"
    check_repeated "a GET with what the nodes do not take for a key"

    serve lb1 "$with_lost_answers"
    curl_buys 20 'again=[1-20]' -H "Idempotency-Key: again-$(date +%s)"
    check "a key of the buyer's own reaches the nodes: 20 times the same, errors $errors, units $units" \
        [ "$errors $units" = "0 1" ]
    kill_all spike-nodes nginx
}

listens() {
    on "$1" ss -Hltn "sport = :$2" | grep -q .
}

check_repeated() {
    local lost
    lost=$(lost_tries)
    await 10 has_answered $((100 + lost)) || true
    check "$1, its answer lost, is repeated and sells once: buyers 100, answers $(answered), lost $lost, errors $errors, units $units" \
        [ "$errors $units $((lost >= 25))" = "0 100 1" ]
}

check_dead_nodes() {
    local answer
    serve lb1
    end node4
    ab_buys 1000 100
    check "one node of four is dead: buyers 1000, errors $errors, units $units" \
        [ "$errors $units" = "0 1000" ]
    end node3
    end node2
    serve lb1
    ab_buys 1000 100
    check "three nodes of four are dead: buyers 1000, errors $errors, units $units" \
        [ "$errors $units" = "0 1000" ]
    start_node 2
    start_node 3
    start_node 4
    serve lb1 s/:300/:301/
    answer=$(on spike-buyers curl -sS -w ' %{http_code}' "$ticket")
    check "no node at all: a buyer is told $answer" [ "$answer" = '{"code":-2,"msg":"系统繁忙"} 503' ]
    answer=$(on spike-buyers curl -sS -o /dev/null -w '%{http_code}' "$web/readyz")
    check "no node at all: the balancer is not ready, $answer" [ "$answer" = 502 ]
    await_nodes
}

# while_buying NODE SIGNAL...: the node gets the signals, one after another, while six thousand buy.
while_buying() {
    local node=$1 signal
    shift
    serve lb1
    answers_before=$(answers)
    {
        await 30 has_answered 1000
        for signal; do
            signal "$node" "$signal"
            sleep 0.2
        done
    } &
    ab_buys 6000 100
    wait $!
}

check_dying_node() {
    # It stands still first, so that it surely dies with requests that it has not answered.
    while_buying node3 STOP KILL
    check "a node is killed while it sells: buyers 6000, answers lost $(lost_tries), errors $errors, units $units" \
        [ "$errors $units $(($(lost_tries) > 0))" = "0 6000 1" ]
    end node3
    start_node 3
    await_nodes
}

check_hanging_node() {
    local ready
    while_buying node2 STOP
    ready=$(on spike-buyers curl -sS -m 1 -o /dev/null -w '%{http_code}\n' "$web/readyz?[1-20]" |
        grep -c 200 || true)
    check "a node stands still: the balancer is ready within a second, $ready times of 20" [ "$ready" = 20 ]
    signal node2 CONT
    await_nodes
    count_units
    check "a node stands still for a while: buyers 6000, answers lost $(lost_tries), errors $errors, units $units" \
        [ "$errors $units $(($(lost_tries) > 0))" = "0 6000 1" ]
}

check_stopped_node() {
    while_buying node2 TERM
    await 15 is_gone node2
    check "a node is stopped while it sells: buyers 6000, errors $errors, units $units" \
        [ "$errors $units" = "0 6000" ]
    start_node 2
    await_nodes
}

# served EXPRESSION: who had which node, "WHO NODE"; the awk expression is who, in a line of the log.
served() {
    awk -F'"' "\$4 != \"-\" { print $1, substr(\$4, length(\$4) - 3) }" "$(access_log lb1)" | sort -u
}

# How many different there are in a column of "WHO NODE".
different() {
    awk -v column="$1" '{ print $column }' | sort -u | wc -l
}

check_no_redis() {
    local answer
    serve lb1
    pids_of spike-nodes redis-server | xargs kill -s STOP
    answer=$(on spike-buyers curl -sS -w ' %{http_code}' "$ticket")
    check "Redis stands still: a buyer is told $answer" [ "$answer" = '{"code":-2,"msg":"系统繁忙"} 503' ]
    answer=$(on spike-buyers curl -sS -o /dev/null -w '%{http_code}' "$web/readyz")
    check "Redis stands still: the balancer is ready to say so, $answer" [ "$answer" = 200 ]
    pids_of spike-nodes redis-server | xargs kill -s CONT
    await_nodes
}

check_by_address() {
    local pairs
    serve lb1 "$by_address"
    on spike-buyers bash -c "for n in {1..40} {40..1}; do
        curl -sS -o /dev/null --interface 10.78.\$n.1 $ticket; done" 2>>"$dir/log/curl"
    pairs=$(served 'substr($1, 1, index($1, " ") - 1)')
    check "ip-hash: 40 networks, $(different 1 <<<"$pairs") seen, pairs with a node $(wc -l <<<"$pairs"), nodes $(different 2 <<<"$pairs")" \
        [ "$(different 1 <<<"$pairs") $(wc -l <<<"$pairs") $(($(different 2 <<<"$pairs") > 2))" = "40 40 1" ]
    serve lb1 "$by_address"
    on spike-buyers bash -c "for n in {1..40}; do
        curl -sS -o /dev/null --interface 10.78.1.\$n $ticket; done" 2>>"$dir/log/curl"
    pairs=$(served 'substr($1, 1, index($1, " ") - 1)')
    check "ip-hash: 40 addresses of one network, $(different 1 <<<"$pairs") seen, nodes $(different 2 <<<"$pairs")" \
        [ "$(different 1 <<<"$pairs") $(different 2 <<<"$pairs")" = "40 1" ]
}

check_by_buyer() {
    local buyer='substr($2, index($2, "buyer="), 9)' all less moved lost
    serve lb1 "$by_buyer"
    curl_buys 600 'buyer=[001-200]&n=[1-3]'
    all=$(served "$buyer")
    check "by-buyer: 200 buyers three times, errors $errors, pairs with a node $(wc -l <<<"$all"), nodes $(different 2 <<<"$all")" \
        [ "$errors $(wc -l <<<"$all") $(different 2 <<<"$all")" = "0 200 4" ]

    lost=$(grep -c ' 3004$' <<<"$all")

    serve lb1 "$by_buyer; /:3004/d"
    curl_buys 600 'buyer=[001-200]&n=[1-3]'
    less=$(served "$buyer")
    moved=$(join <(echo "$all") <(echo "$less") | awk '$2 != $3 { n++ } END { print n + 0 }')
    check "by-buyer: a node with $lost of the 200 is no more, errors $errors, buyers who moved $moved" \
        [ "$errors $moved" = "0 $lost" ]

    serve lb1 "$by_buyer"
    curl_buys 200 'n=[1-200]'
    all=$(served NR)
    check "by-buyer: 200 without a name, errors $errors, nodes $(different 2 <<<"$all")" \
        [ "$errors $(different 2 <<<"$all")" = "0 4" ]
}

check_edges() {
    local status asked
    serve lb1
    status=$(on spike-buyers curl -sS -o /dev/null -w '%{http_code}' -H "X-Long: $(printf 'x%.0s' {1..9000})" "$ticket")
    asked=$(tail -n 1 "$(access_log lb1)" | cut -d'"' -f4)
    check "a head that is too long is refused, $status, and no node asked, $asked" \
        [ "$status $asked" = "400 -" ]
    sold_before=$(sold)
    status=$(on spike-buyers curl -sS -I -o /dev/null -w '%{http_code}' "$ticket")
    count_units
    check "HEAD does not buy: $status, units $units" [ "$status $units" = "405 0" ]
    status=$({
        printf '{"buyer":'
        sleep 0.5
        printf '"bob"}'
    } | post_reservation -T - -X POST -H "Idempotency-Key: chunks-$(date +%s)")
    check "a body that comes in chunks reaches a node whole: $status" [ "$status" = 201 ]
    status=$(post_reservation -d '{"buyer":"bob"}')
    check "the REST API still demands a key of the buyer's: $status" [ "$status" = 400 ]
}

check_page() {
    local status streamed
    serve lb1
    status=$(on spike-buyers curl -sS -o /dev/null -w '%{http_code}' "$web/")$(
        on spike-buyers curl -sS -o /dev/null -w ' %{http_code}' "$web/assets/page.js")
    check "the page and its files come through: $status" [ "$status" = "200 200" ]
    streamed=$(on spike-buyers curl -sS -N --max-time 12 "$web/v1/sales/ticket/events" 2>/dev/null || true)
    check "who watches is not cut off: messages $(grep -c '^data: ' <<<"$streamed"), heartbeats after 10 s $(grep -c '^:' <<<"$streamed")" \
        [ "$(($(grep -c '^data: ' <<<"$streamed") > 0)) $(($(grep -c '^:' <<<"$streamed") > 0))" = "1 1" ]
}

post_reservation() {
    on spike-buyers curl -sS -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
        "$@" "$web/v1/sales/ticket/reservations"
}
