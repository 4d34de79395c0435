#!/bin/bash
# The framing-only Node stub (see stub.mjs). Usage: [CPUS=0] ./setup-stub.sh needs|init|start|stop|pid|env|destroy
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD; R=$HERE/run/stub; C2S=17422; DOMAIN=bench.localhost
cert() {
  mkdir -p run/cert
  [ -s run/cert/bench.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout run/cert/bench.key -out run/cert/bench.crt -subj "/CN=$DOMAIN" \
    -addext "subjectAltName=DNS:$DOMAIN,DNS:pubsub.$DOMAIN,DNS:channels.$DOMAIN" >/dev/null 2>&1
  cat run/cert/bench.crt run/cert/bench.key > run/cert/bench.pem; chmod 644 run/cert/*
}
init() { cert; mkdir -p "$R"; }
port_open() { (exec 3<>/dev/tcp/127.0.0.1/$C2S) 2>/dev/null; }
start() {
  init; rm -f "$R/stub.pid"
  if port_open; then echo "port $C2S is taken" >&2; exit 1; fi
  pin=(); [ -n "${CPUS:-}" ] && pin=(taskset -c "$CPUS")
  [ -n "${NICE:-}" ] && pin=(nice -n "$NICE" "${pin[@]}")
  "${pin[@]}" setsid node "$HERE/stub.mjs" --port $C2S --domain $DOMAIN --pid-file "$R/stub.pid" --cert run/cert/bench.crt --key run/cert/bench.key >"$R/stub.log" 2>&1 </dev/null &
  for _ in $(seq 100); do [ -s "$R/stub.pid" ] && port_open && { cat "$R/stub.pid"; echo; return 0; }; sleep 0.1; done
  echo "stub did not come up" >&2; cat "$R/stub.log" >&2; exit 1
}
stop() {
  [ -s "$R/stub.pid" ] || return 0
  local p; p=$(cat "$R/stub.pid")
  tr '\0' ' ' < /proc/$p/cmdline 2>/dev/null | grep -q "stub.mjs" || { rm -f "$R/stub.pid"; return 0; }
  kill "$p"; for _ in $(seq 50); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done; rm -f "$R/stub.pid"
}
case "${1:-}" in
  needs) ;;
  init) init;; start) start;; stop) stop;; pid) cat "$R/stub.pid";;
  env) echo "--host 127.0.0.1 --port $C2S --domain $DOMAIN --pubsub pubsub.$DOMAIN --pid-file $R/stub.pid";;
  destroy) stop; rm -rf "$R";;
  *) sed -n 2p "$0"; exit 2;;
esac
