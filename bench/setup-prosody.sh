#!/bin/bash
# Prosody under test. Usage: [STORAGE=internal|sqlite] [CPUS=0] ./setup-prosody.sh needs|init|start|stop|pid|env|destroy
#   needs   prints what is missing to run it, and fails, or nothing
#   init    writes config, certificate and an empty data directory under run/prosody/$STORAGE
#   start   starts it in the background (pinned to $CPUS, at nice level $NICE, when set), waits for the port, prints the pid
#   stop    stops the process that start started
# Loopback only: c2s 17322, s2s 17369, component 17347.
set -euo pipefail
cd "$(dirname "$0")"
STORAGE=${STORAGE:-internal}
HERE=$PWD
R=$HERE/run/prosody/$STORAGE
C2S=17322 S2S=17369 COMP=17347
DOMAIN=bench.localhost
case "$STORAGE" in internal|sqlite) ;; *) echo "STORAGE must be internal or sqlite" >&2; exit 2;; esac

needs() {
  command -v prosody >/dev/null || { echo "prosody (Debian package prosody)"; exit 1; }
  if [ "$STORAGE" = sqlite ]; then dpkg -s lua-dbi-sqlite3 >/dev/null 2>&1 || { echo "lua-dbi-sqlite3 (Debian package)"; exit 1; }; fi
  command -v openssl >/dev/null || { echo openssl; exit 1; }
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
  mkdir -p "$R/data" "$R/log" "$R/certs"
  cp run/cert/bench.crt run/cert/bench.key "$R/certs/"
  if [ "$STORAGE" = sqlite ]; then
    PUBSUB_STORAGE='storage = "sql"
	sql = { driver = "SQLite3", database = "pubsub.sqlite" }'
  else
    PUBSUB_STORAGE='storage = "internal"'
  fi
  cat > "$R/prosody.cfg.lua" <<CFG
-- Written by setup-prosody.sh. Module list: Debian's default prosody.cfg.lua, less "limits"
-- (10 kB/s per client by default, which would measure the limiter) and plus "admin_shell" kept.
admins = { "u0@$DOMAIN" }
plugin_paths = { }
modules_enabled = {
	"disco"; "roster"; "saslauth"; "tls";
	"blocklist"; "bookmarks"; "carbons"; "dialback"; -- "limits";
	"pep"; "private"; "smacks"; "vcard4"; "vcard_legacy";
	"csi_simple"; "invites"; "invites_adhoc"; "invites_register"; "ping"; "register"; "time"; "uptime"; "version";
	"admin_adhoc"; "admin_shell";
	"posix";
}
pidfile = "$R/prosody.pid"
data_path = "$R/data"
daemonize = false
-- loopback only
interfaces = { "127.0.0.1" }
c2s_ports = { $C2S }
c2s_direct_tls_ports = { }
s2s_ports = { $S2S }
s2s_direct_tls_ports = { }
component_ports = { $COMP }
component_interfaces = { "127.0.0.1" }
http_ports = { }
https_ports = { }
-- plain text allowed for the runs without TLS
c2s_require_encryption = false
s2s_require_encryption = false
allow_unencrypted_plain_auth = true
-- in-band registration, for the bench accounts only, no throttling
allow_registration = true
registration_invite_only = false
s2s_secure_auth = false
authentication = "internal_hashed"
storage = "internal"
archive_expires_after = "1w"
log = { info = "$R/log/prosody.log"; error = "$R/log/prosody.err"; }
ssl = { key = "$R/certs/bench.key"; certificate = "$R/certs/bench.crt"; }

VirtualHost "$DOMAIN"

Component "pubsub.$DOMAIN" "pubsub"
	admins = { "u0@$DOMAIN" }
	pubsub_max_items = 10000
	$PUBSUB_STORAGE

-- XEP-0114: an external component may connect here
Component "channels.$DOMAIN"
	component_secret = "secret"
CFG
  if [ "$(id -u)" = 0 ]; then chown -R prosody:prosody "$R"; fi
}

port_open() { (exec 3<>/dev/tcp/127.0.0.1/$C2S) 2>/dev/null; }

start() {
  [ -f "$R/prosody.cfg.lua" ] || init
  if port_open; then echo "port $C2S is taken" >&2; exit 1; fi
  rm -f "$R/prosody.pid"
  local pin=(); [ -n "${CPUS:-}" ] && pin=(taskset -c "$CPUS")
  [ -n "${NICE:-}" ] && pin=(nice -n "$NICE" "${pin[@]}")
  ulimit -n 16384
  local as=(); [ "$(id -u)" = 0 ] && as=(setpriv --reuid prosody --regid prosody --init-groups)
  "${pin[@]}" setsid "${as[@]}" \
    env HOME="$R/data" /usr/bin/prosody --config "$R/prosody.cfg.lua" -F >"$R/log/console.log" 2>&1 </dev/null &
  for _ in $(seq 150); do
    if [ -s "$R/prosody.pid" ] && port_open; then cat "$R/prosody.pid"; echo; return 0; fi
    sleep 0.1
  done
  echo "prosody did not come up:" >&2; tail -20 "$R/log/console.log" "$R/log/prosody.err" >&2; exit 1
}

stop() {
  [ -s "$R/prosody.pid" ] || return 0
  local p; p=$(cat "$R/prosody.pid")
  tr '\0' ' ' < /proc/$p/cmdline 2>/dev/null | grep -q "$R/prosody.cfg.lua" || { rm -f "$R/prosody.pid"; return 0; }
  kill "$p"
  for _ in $(seq 100); do kill -0 "$p" 2>/dev/null || { rm -f "$R/prosody.pid"; return 0; }; sleep 0.1; done
  kill -9 "$p" || true; rm -f "$R/prosody.pid"; sleep 0.3
}

case "${1:-}" in
  needs) needs;;
  init) init;;
  start) start;;
  stop) stop;;
  pid) cat "$R/prosody.pid";;
  env) echo "--host 127.0.0.1 --port $C2S --domain $DOMAIN --pubsub pubsub.$DOMAIN --pid-file $R/prosody.pid";;
  destroy) stop; rm -rf "$R";;
  *) sed -n 2,7p "$0"; exit 2;;
esac
