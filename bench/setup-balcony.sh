#!/bin/bash
# Balcony under test. DURABILITY=full|normal is its storage.durability, LIMITS=on switches mod_limits on.
# Loopback only: c2s 17222; s2s: an instance, at 5269.
set -euo pipefail
cd "$(dirname "$0")"
. lib/setup.sh
NAME=balcony R=$HERE/run/balcony$SUFFIX C2S=17222 USER_NAME= MARK=$R/balcony.yaml

needs() {
  [ -d "$HERE/../node_modules" ] || { echo "node_modules (run npm ci first)"; exit 1; }
}

init() {
  cert
  mkdir -p "$R/data"
  COMPONENTS="  pubsub.$DOMAIN:
    type: component
    modules: { pubsub: {} }"
  MODULES=
  if [ -n "$SUFFIX" ]; then
    # An address has no names below it; other servers look for a domain that is an address at this port.
    COMPONENTS=
    MODULES="  s2s: { listen: [{ address: $ADDRESS, port: 5269 }], directTls: [] }"
  fi
  [ "${LIMITS:-off}" = on ] && MODULES="$MODULES
  limits: {}"
  cat > "$R/balcony.yaml" <<CFG
# Written by setup-balcony.sh: loopback, TLS offered and not required, accounts made in band without a brake, as with
# the peers.
data: $R/data
log: { level: warn, format: json }
storage: { driver: sqlite, durability: ${DURABILITY:-full} }
operators: [admin@$DOMAIN]
tls: { certificate: ../cert/bench.crt, key: ../cert/bench.key }
modules:
  c2s: { listen: [{ address: $ADDRESS, port: $C2S }], directTls: [], tls: optional }
  disco: {}
  ping: {}
  version: {}
  time: {}
  uptime: {}
  adhoc: {}
  adhoc_admin: {}
  server_buddy: {}
$MODULES
hosts:
  $DOMAIN:
    modules:
      saslauth: {}
      roster: {}
      presence: { presencesPerMinute: 1000000 }
      message: {}
      offline: {}
      register:
        requireTls: false
        minPasswordLength: 1
        attemptsPerAddress: 1000000
        accountsPerAddress: 1000000
        accountsPerHour: 1000000
$COMPONENTS
CFG
}

launch() { in_background node ${NODE_EXTRA:-} "$HERE/../bin/balcony.js" start --config "$R/balcony.yaml"; }

complaints() { :; }

run_verb "$@"
