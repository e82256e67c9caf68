#!/usr/bin/env bash
# What the demo server answers in a second, sold out and selling, beside bare Undertow with the same constant bytes.
#
#   mvn -B verify && spike-bench/src/main/scripts/http.sh [ROUNDS] [SECONDS]
#
# ROUNDS (3) rounds of `wrk -t1 -c100 -d<SECONDS>s` (10) against each in turn, on loopback. Prints a table of Markdown:
# requests per second of each, their ratios in each round, the median ratios. Exit 1 if an answer is not 200, a socket
# fails, a process dies, or the sale did not sell what was answered.
#
# Environment:
#   PORT        the first of four free ports (3100); their admin ports are 10000 above
#   REDIS       "own": a redis-server from the PATH, without AOF (the default); "embedded": the demo servers' own, AOF
#               everysec
#   ORDERS      where the demo servers write orders: "none" (the default), "file", or a jdbc:postgresql URL; these take
#               their share of the machine
#   WARMUP      seconds of load on each before the first round, not counted (15)
#   IO_THREADS  of bare Undertow (as many as the demo server is seen to have)
#   JAVA_OPTS   for all three servers
set -euo pipefail

rounds=${1:-3} seconds=${2:-10}
port=${PORT:-3100} redis=${REDIS:-own} warmup=${WARMUP:-15} orders=${ORDERS:-none}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
server_jar=$root/spike-http/target/spike-http.jar
bench_jar=$root/spike-bench/target/benchmarks.jar
work=$(mktemp -d)
pids=()
sold_out='{"code":-1,"msg":"已售罄"}' bought='{"code":1,"msg":"抢票成功"}'

die() {
  echo "http.sh: $*" >&2
  exit 1
}

# Servers end before the Redis that they use: in the reverse order of their start, each in 12 s at most.
stop_all() {
  trap - EXIT
  trap '' INT TERM
  local i pid file left
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    pid=${pids[i]}
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in {1..120}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
  done
  # An embedded Redis outlives a server that had to be killed.
  for file in "$work"/*/redis/redis.pid; do
    left=$([[ -s $file ]] && cat "$file") || continue
    [[ $(cat "/proc/$left/comm" 2>/dev/null) == redis-server* ]] && kill -TERM "$left" 2>/dev/null
  done
  rm -rf "$work"
}

# start NAME COMMAND...: a child, its output in a file.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  pids+=($!)
}

# get PORT PATH: the body, nothing if there is none; never longer than 2 s.
get() {
  timeout 2 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" || exit 1
    printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" "$1" >&3
    sed "1,/^\r\$/d" <&3' "$1" "$2" 2>/dev/null || true
}

# await NAME PORT BODY: until the last started child, and not another program, answers so.
await() {
  local pid=${pids[-1]} end=$((SECONDS + 60))
  until [[ $(get "$2" /buy/ticket) == "$3" ]]; do
    kill -0 "$pid" 2>/dev/null || die "$1 ended: $(tail -n 5 "$work/$1.log")"
    ((SECONDS < end)) || die "$1 does not answer $3 on port $2: $(tail -n 5 "$work/$1.log")"
    sleep 0.2
  done
  kill -0 "$pid" 2>/dev/null || die "port $2 belongs to another program"
}

# load PORT SECONDS: sets rate, requests per second, and count, requests in all. Not in a subshell, so that an interrupt
# ends it at once.
load() {
  timeout $(($2 + 15)) wrk -t1 -c100 -d"$2"s "http://127.0.0.1:$1/buy/ticket" >"$work/wrk.log" 2>&1 &
  pids+=($!)
  wait $! || die "wrk failed: $(<"$work/wrk.log")"
  unset 'pids[-1]'
  if grep -qE 'Non-2xx|Socket errors' "$work/wrk.log"; then
    die "port $1: $(grep -E 'Non-2xx|Socket errors' "$work/wrk.log")"
  fi
  rate=$(awk '/^Requests\/sec:/ {print $2}' "$work/wrk.log")
  count=$(awk '/ requests in / {print $1}' "$work/wrk.log")
  [[ -n $rate && -n $count ]] || die "wrk said: $(<"$work/wrk.log")"
}

reserved() {
  get $((port + 2)) /v1/sales/selling | sed -E 's/.*"reserved":([0-9]+).*/\1/'
}

median() {
  sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

for tool in java wrk timeout awk; do
  command -v $tool >/dev/null || die "$tool is needed"
done
for jar in "$server_jar" "$bench_jar"; do
  [[ -f $jar ]] || die "$jar is missing: run mvn -B verify"
done
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

store=embedded
if [[ $redis == own ]]; then
  command -v redis-server >/dev/null || die "no redis-server on the PATH: set REDIS=embedded"
  start redis redis-server --bind 127.0.0.1 --port $((port + 3)) --save '' --appendonly no --dir "$work"
  store=redis://127.0.0.1:$((port + 3))
fi

order_flags=(--orders "$orders" --order-backlog 1000000000)
[[ $orders == file ]] && order_flags=(--order-backlog 1000000000)

# demo NAME PORT TOTAL BODY
demo() {
  # shellcheck disable=SC2086
  start "$1" java ${JAVA_OPTS:-} -jar "$server_jar" --host 127.0.0.1 --port "$2" --redis "$store" \
    --data "$work/$1" --sale "$1" --total "$3" --hold 24h "${order_flags[@]}"
  await "$1" "$2" "$4"
}
demo sold-out $((port + 1)) 0 "$sold_out"
demo selling $((port + 2)) 100000000 "$bought"
io_threads=${IO_THREADS:-$(cat /proc/"${pids[-1]}"/task/*/comm | grep -c 'I/O-')}
# shellcheck disable=SC2086
start bare java ${JAVA_OPTS:-} -cp "$bench_jar" dev.spike.bench.load.BareUndertow "$port" "$io_threads"
await bare "$port" "$sold_out"

echo "wrk -t1 -c100 -d${seconds}s on loopback, $(nproc) cores, I/O threads of each server: $io_threads, Redis: $redis"
echo
for offset in 0 1 2; do
  ((warmup == 0)) || load $((port + offset)) "$warmup"
done
before=$(reserved)
answered=0
echo '| round | bare Undertow, req/s | sold out, req/s | selling, req/s | sold out / bare | selling / bare |'
echo '|---:|---:|---:|---:|---:|---:|'
for ((round = 1; round <= rounds; round++)); do
  load "$port" "$seconds"
  bare=$rate
  load $((port + 1)) "$seconds"
  no=$rate
  load $((port + 2)) "$seconds"
  answered=$((answered + count))
  awk -v r="$round" -v b="$bare" -v n="$no" -v y="$rate" -v file="$work/ratios" 'BEGIN {
    printf "| %d | %.0f | %.0f | %.0f | %.3f | %.3f |\n", r, b, n, y, n / b, y / b
    printf "%.3f %.3f\n", n / b, y / b >> file}'
done
echo "| median | | | | $(cut -d' ' -f1 "$work/ratios" | median) | $(cut -d' ' -f2 "$work/ratios" | median) |"

sold=$(($(reserved) - before))
((sold >= answered)) || die "$answered requests were answered, but only $sold units reserved"
[[ $(get $((port + 1)) /v1/sales/sold-out) == *'"reserved":0,"sold":0,'* ]] || die "the sold-out sale has sold"
[[ $(get $((port + 1)) /buy/ticket) == "$sold_out" ]] || die "the sold-out sale is not sold out"
echo
echo "Sold in these rounds: $sold units for $answered answers; the answers above that were cut off by the end of wrk."
