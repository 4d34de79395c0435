#!/bin/bash
# Balcony under test. Usage: [CPUS=0] [DURABILITY=full|normal] ./setup-balcony.sh needs|init|start|stop|pid|env|destroy
#   needs   prints what is missing to run it, and fails, or nothing
#   init    writes config and an empty data folder under run/balcony
#   start   starts it in the background (pinned to $CPUS, at nice level $NICE, when set), waits for the port, prints the pid
#   stop    stops the process that start started
# Loopback only: c2s 17222.
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD
R=$HERE/run/balcony
C2S=17222
DOMAIN=bench.localhost

needs() {
  [ -d "$HERE/../node_modules" ] || { echo "node_modules (run npm ci first)"; exit 1; }
}

cert() {
  mkdir -p run/cert
  [ -s run/cert/bench.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout run/cert/bench.key -out run/cert/bench.crt -subj "/CN=$DOMAIN" \
    -addext "subjectAltName=DNS:$DOMAIN,DNS:pubsub.$DOMAIN,DNS:channels.$DOMAIN" >/dev/null 2>&1
  cat run/cert/bench.crt run/cert/bench.key > run/cert/bench.pem
  chmod 644 run/cert/*
}

init() {
  cert
  mkdir -p "$R/data"
  cat > "$R/balcony.yaml" <<CFG
# Written by setup-balcony.sh: loopback, TLS offered and not required, accounts made in band without a brake, as with
# the peers.
data: $R/data
log: { level: warn, format: json }
storage: { driver: sqlite, durability: ${DURABILITY:-full} }
operators: [admin@$DOMAIN]
tls: { certificate: ../cert/bench.crt, key: ../cert/bench.key }
modules:
  c2s: { listen: [{ address: 127.0.0.1, port: $C2S }], tls: optional }
  disco: {}
  ping: {}
  version: {}
  time: {}
  uptime: {}
  adhoc: {}
  adhoc_admin: {}
  server_buddy: {}
hosts:
  $DOMAIN:
    modules:
      saslauth: {}
      roster: {}
      presence: {}
      message: {}
      offline: {}
      register:
        requireTls: false
        minPasswordLength: 1
        attemptsPerAddress: 1000000
        accountsPerAddress: 1000000
        accountsPerHour: 1000000
  pubsub.$DOMAIN:
    type: component
    modules: { pubsub: {} }
CFG
}

port_open() { (exec 3<>/dev/tcp/127.0.0.1/$C2S) 2>/dev/null; }

start() {
  init
  if port_open; then echo "port $C2S is taken" >&2; exit 1; fi
  rm -f "$R/balcony.pid"
  local pin=(); [ -n "${CPUS:-}" ] && pin=(taskset -c "$CPUS")
  [ -n "${NICE:-}" ] && pin=(nice -n "$NICE" "${pin[@]}")
  ulimit -n 16384
  "${pin[@]}" setsid node "$HERE/../bin/balcony.js" start --config "$R/balcony.yaml" >"$R/balcony.log" 2>&1 </dev/null &
  echo $! > "$R/balcony.pid"
  for _ in $(seq 150); do
    if port_open; then cat "$R/balcony.pid"; return 0; fi
    kill -0 "$(cat "$R/balcony.pid")" 2>/dev/null || break
    sleep 0.1
  done
  echo "balcony did not come up:" >&2; tail -20 "$R/balcony.log" >&2; stop; exit 1
}

stop() {
  [ -s "$R/balcony.pid" ] || return 0
  local p; p=$(cat "$R/balcony.pid")
  tr '\0' ' ' < /proc/$p/cmdline 2>/dev/null | grep -q "$R/balcony.yaml" || { rm -f "$R/balcony.pid"; return 0; }
  kill "$p"
  for _ in $(seq 200); do kill -0 "$p" 2>/dev/null || { rm -f "$R/balcony.pid"; return 0; }; sleep 0.1; done
  kill -9 "$p" || true; rm -f "$R/balcony.pid"; sleep 0.3
}

case "${1:-}" in
  needs) needs;;
  init) init;;
  start) start;;
  stop) stop;;
  pid) cat "$R/balcony.pid";;
  env) echo "--host 127.0.0.1 --port $C2S --domain $DOMAIN --pubsub pubsub.$DOMAIN --pid-file $R/balcony.pid";;
  destroy) stop; rm -rf "$R";;
  *) sed -n 2,7p "$0"; exit 2;;
esac
