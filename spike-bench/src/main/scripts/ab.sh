#!/usr/bin/env bash
# ApacheBench on /buy/ticket: do as many buyers get a unit as there are units, and how long did they wait?
#
#   mvn -B verify && spike-bench/src/main/scripts/ab.sh [REQUESTS] [CONCURRENCY]
#
# `ab -k -l -n REQUESTS` (20000) `-c CONCURRENCY` (100) on a fresh sale of UNITS. Prints a table of Markdown. ab counts only
# the bytes of all bodies; since a yes has 31 and a no 29, they tell how many of each there were, and the server must have
# reserved as many units. p50 and p99 in ms, as ab has them: from when a request was sent, not from when it was due. Exit 1
# if a request failed, or if not min(UNITS, REQUESTS) were sold.
#
# Environment:
#   UNITS      of the sale (10000)
#   REDIS      "own": a redis-server from the PATH, without AOF (the default); "embedded": the server's own, AOF everysec
#   URL        of a server that runs already, as http://HOST:PORT: its sale SALE (ticket), without a limit per buyer, is
#              sold from as it is; what it has available before is what must be sold; nobody else may buy meanwhile
#   PORT       the first of two free ports (3200); the admin port is 10000 above
#   JAVA_OPTS  for the server
set -euo pipefail

requests=${1:-20000} concurrency=${2:-100}
units=${UNITS:-10000} redis=${REDIS:-own} url=${URL:-} sale=${SALE:-ticket} port=${PORT:-3200}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
jar=$root/spike-http/target/spike-http.jar
work=$(mktemp -d)
pids=()

die() {
  echo "ab.sh: $*" >&2
  exit 1
}

# The server ends before the Redis that it uses.
stop_all() {
  trap - EXIT
  trap '' INT TERM
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill -TERM "${pids[i]}" 2>/dev/null || continue
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$work"
}

# level NAME: of the sale, as the server last saw it.
level() {
  curl -fsS --max-time 5 "$url/v1/sales/$sale" | sed -nE "s/.*\"$1\":([0-9]+).*/\1/p"
}

for tool in ab curl awk; do
  command -v $tool >/dev/null || die "$tool is needed"
done
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [[ -z $url ]]; then
  [[ -f $jar ]] || die "$jar is missing: run mvn -B verify"
  store=embedded
  if [[ $redis == own ]]; then
    command -v redis-server >/dev/null || die "no redis-server on the PATH: set REDIS=embedded"
    redis-server --bind 127.0.0.1 --port $((port + 1)) --save '' --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
    pids+=($!)
    store=redis://127.0.0.1:$((port + 1))
  fi
  # shellcheck disable=SC2086
  java ${JAVA_OPTS:-} -jar "$jar" --host 127.0.0.1 --port "$port" --redis "$store" --data "$work/data" \
    --sale "$sale" --total "$units" --hold 24h --orders none >"$work/server.log" 2>&1 &
  pids+=($!)
  url=http://127.0.0.1:$port
  end=$((SECONDS + 60))
  until grep -q '^Buyers: ' "$work/server.log"; do
    kill -0 "${pids[-1]}" 2>/dev/null || die "the server ended: $(tail -n 5 "$work/server.log")"
    ((SECONDS < end)) || die "the server does not start: $(tail -n 5 "$work/server.log")"
    sleep 0.2
  done
fi

available=$(level available) && before=$(level reserved) && [[ -n $available && -n $before ]] ||
  die "$url does not tell how the sale $sale is"
expected=$((available < requests ? available : requests))

ab -q -k -l -n "$requests" -c "$concurrency" -e "$work/percentiles.csv" "$url/buy/ticket" >"$work/ab.log" 2>&1 ||
  die "ab failed: $(<"$work/ab.log")"

# value NAME: the first number of that line of ab's; 0 if there is none.
value() {
  awk -F: -v name="$1" '$1 == name {split($2, words, " "); n = words[1]} END {print n + 0}' "$work/ab.log"
}
percentile() {
  awk -F, -v p="$1" '$1 == p {print $2}' "$work/percentiles.csv"
}

complete=$(value 'Complete requests')
failed=$(($(value 'Failed requests') + $(value 'Non-2xx responses') + requests - complete))
yes=$((($(value 'HTML transferred') - 29 * complete) / 2))
no=$((complete - yes))
echo '| requests | concurrency | yes | no | failed | req/s | p50, ms | p99, ms |'
echo '|---:|---:|---:|---:|---:|---:|---:|---:|'
echo "| $requests | $concurrency | $yes | $no | $failed | $(value 'Requests per second') |" \
  "$(percentile 50) | $(percentile 99) |"

((failed == 0)) || die "$failed requests failed: $(grep -E '^(Failed|Non-2xx)|Connect: ' "$work/ab.log")"
((yes == expected)) || die "$expected units were to be sold, $yes buyers were told that they have one"
# A server knows what others sold about a second later.
for _ in {1..50}; do
  reserved=$(($(level reserved) - before))
  ((reserved == yes)) && exit 0
  sleep 0.1
done
die "$yes buyers were told that they have a unit, but $reserved are reserved"
