#!/bin/bash
# ejabberd under test. Usage: [STORAGE=mnesia|sqlite] [CPUS=0] ./setup-ejabberd.sh needs|init|start|stop|pid|env|destroy
#   needs   prints what is missing to run it, and fails, or nothing
#   init    writes config, certificate and an empty spool under run/ejabberd/$STORAGE
#   start   starts it in the background (pinned to $CPUS, at nice level $NICE, when set), waits for the port, prints the pid
#   stop    stops the process that start started
# Loopback only: c2s 27322, s2s 27369, component 27347, Erlang distribution 27370 (no epmd).
set -euo pipefail
cd "$(dirname "$0")"
STORAGE=${STORAGE:-mnesia}
HERE=$PWD
R=$HERE/run/ejabberd/$STORAGE
C2S=27322 S2S=27369 COMP=27347 DIST=27370
DOMAIN=bench.localhost
NODE=bench_$STORAGE@localhost
case "$STORAGE" in mnesia|sqlite) ;; *) echo "STORAGE must be mnesia or sqlite" >&2; exit 2;; esac

needs() {
  command -v ejabberdctl >/dev/null || { echo "ejabberd (Debian package ejabberd)"; exit 1; }
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
  mkdir -p "$R/spool" "$R/log" "$R/conf"
  cp run/cert/bench.pem "$R/conf/"
  cp /etc/ejabberd/inetrc "$R/conf/inetrc" 2>/dev/null || true
  if [ "$STORAGE" = sqlite ]; then
    SQL="sql_type: sqlite
sql_database: $R/spool/ejabberd.db
new_sql_schema: false"
    PUBSUB_DB="db_type: sql"
  else
    SQL=""
    PUBSUB_DB="db_type: mnesia"
  fi
  cat > "$R/conf/ejabberd.yml" <<CFG
# Written by setup-ejabberd.sh from Debian's default ejabberd.yml: loopback ports, no shapers, accept backlog 128 as Prosody has (default 5: 20 concurrent connects overflow it)
# (default: 3000 B/s per client, burst 20000), plaintext allowed, no mod_pres_counter and
# no mod_fail2ban (they would limit the load), no http, mqtt, stun listeners; mod_register on for the bench.
loglevel: info
log_rotate_count: 0
hosts:
  - $DOMAIN
certfiles:
  - "$R/conf/bench.pem"
define_macro:
  'TLS_CIPHERS': "HIGH:!aNULL:!eNULL:!3DES:@STRENGTH"
  'TLS_OPTIONS':
    - "no_sslv3"
    - "no_tlsv1"
    - "no_tlsv1_1"
    - "cipher_server_preference"
    - "no_compression"
c2s_ciphers: 'TLS_CIPHERS'
s2s_ciphers: 'TLS_CIPHERS'
c2s_protocol_options: 'TLS_OPTIONS'
s2s_protocol_options: 'TLS_OPTIONS'
$SQL
listen:
  -
    port: $C2S
    ip: "127.0.0.1"
    module: ejabberd_c2s
    backlog: 128
    max_stanza_size: 262144
    shaper: none
    access: c2s
    starttls: true
    starttls_required: false
    protocol_options: 'TLS_OPTIONS'
  -
    port: $S2S
    ip: "127.0.0.1"
    module: ejabberd_s2s_in
    max_stanza_size: 524288
  -
    port: $COMP
    ip: "127.0.0.1"
    module: ejabberd_service
    shaper: none
    hosts:
      channels.$DOMAIN:
        password: "secret"
disable_sasl_mechanisms:
  - "digest-md5"
  - "X-OAUTH2"
s2s_use_starttls: optional
auth_password_format: scram
registration_timeout: infinity
acl:
  admin:
    user:
      - "u0@$DOMAIN"
  local:
    user_regexp: ""
  loopback:
    ip:
      - 127.0.0.0/8
      - ::1/128
access_rules:
  local:
    allow: local
  c2s:
    deny: blocked
    allow: all
  announce:
    allow: admin
  configure:
    allow: admin
  muc_create:
    allow: local
  pubsub_createnode:
    allow: local
  trusted_network:
    allow: loopback
api_permissions:
  "console commands":
    from:
      - ejabberd_ctl
    who: all
    what: "*"
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages:
    5000: admin
    100: all
modules:
  mod_adhoc: {}
  mod_admin_extra: {}
  mod_announce:
    access: announce
  mod_avatar: {}
  mod_blocking: {}
  mod_caps: {}
  mod_carboncopy: {}
  mod_client_state: {}
  mod_configure: {}
  mod_disco: {}
  mod_last: {}
  mod_muc:
    access:
      - allow
    access_admin:
      - allow: admin
    access_create: muc_create
    access_persistent: muc_create
  mod_muc_admin: {}
  mod_offline:
    access_max_user_messages: max_user_offline_messages
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_pubsub:
    $PUBSUB_DB
    access_createnode: pubsub_createnode
    max_items_node: 10000
    plugins:
      - flat
      - pep
    force_node_config:
      "eu.siacs.conversations.axolotl.*":
        access_model: open
      storage:bookmarks:
        access_model: whitelist
  mod_push: {}
  mod_push_keepalive: {}
  mod_register:
    ip_access: trusted_network
    welcome_message: {}
  mod_roster:
    versioning: true
  mod_s2s_dialback: {}
  mod_shared_roster: {}
  mod_sic: {}
  mod_stream_mgmt:
    resend_on_timeout: if_offline
  mod_vcard:
    search: false
  mod_vcard_xupdate: {}
  mod_version: {}
CFG
  if [ "$(id -u)" = 0 ]; then chown -R ejabberd:ejabberd "$R"; fi
}

port_open() { (exec 3<>/dev/tcp/127.0.0.1/$C2S) 2>/dev/null; }

start() {
  [ -f "$R/conf/ejabberd.yml" ] || init
  if port_open; then echo "port $C2S is taken" >&2; exit 1; fi
  rm -f "$R/ejabberd.pid"
  local pin=(); [ -n "${CPUS:-}" ] && pin=(taskset -c "$CPUS")
  [ -n "${NICE:-}" ] && pin=(nice -n "$NICE" "${pin[@]}")
  ulimit -n 16384
  # What Debian's "ejabberdctl foreground" runs, less epmd: +K true, +P 250000; schedulers = CPUs in the affinity mask.
  local as=(); [ "$(id -u)" = 0 ] && as=(setpriv --reuid ejabberd --regid ejabberd --init-groups)
  "${pin[@]}" setsid "${as[@]}" \
    env HOME="$R" ERL_LIBS="$(sed -n "s/^ERL_LIBS='\(.*\)'/\1/p" "$(command -v ejabberdctl)")" ERL_MAX_PORTS=32000 ERL_MAX_ETS_TABLES=1400 ERL_CRASH_DUMP_BYTES=0 \
      EJABBERD_CONFIG_PATH="$R/conf/ejabberd.yml" EJABBERD_LOG_PATH="$R/log/ejabberd.log" EJABBERD_PID_PATH="$R/ejabberd.pid" \
      ERL_CRASH_DUMP="$R/log/erl_crash.dump" \
    /usr/bin/erl +K true +P 250000 ${ERL_EXTRA:-} -sname "$NODE" -kernel inet_dist_use_interface '{127,0,0,1}' \
      -erl_epmd_port $DIST -start_epmd false \
      -mnesia dir "\"$R/spool\"" -ejabberd log_rotate_count 0 -s ejabberd -noinput \
      >"$R/log/console.log" 2>&1 </dev/null &
  for _ in $(seq 300); do
    if [ -s "$R/ejabberd.pid" ] && port_open; then sleep 1; cat "$R/ejabberd.pid"; echo; return 0; fi
    sleep 0.1
  done
  echo "ejabberd did not come up:" >&2; tail -40 "$R/log/console.log" "$R/log/ejabberd.log" >&2; exit 1
}

stop() {
  [ -s "$R/ejabberd.pid" ] || return 0
  local p; p=$(cat "$R/ejabberd.pid")
  tr '\0' ' ' < /proc/$p/cmdline 2>/dev/null | grep -q "bench_$STORAGE" || { rm -f "$R/ejabberd.pid"; return 0; }
  kill "$p"      # SIGTERM: init:stop(), mnesia is closed properly
  for _ in $(seq 200); do kill -0 "$p" 2>/dev/null || { rm -f "$R/ejabberd.pid"; return 0; }; sleep 0.1; done
  kill -9 "$p" || true; rm -f "$R/ejabberd.pid"; sleep 0.3
}

case "${1:-}" in
  needs) needs;;
  init) init;;
  start) start;;
  stop) stop;;
  pid) cat "$R/ejabberd.pid";;
  env) echo "--host 127.0.0.1 --port $C2S --domain $DOMAIN --pubsub pubsub.$DOMAIN --pid-file $R/ejabberd.pid";;
  destroy) stop; rm -rf "$R";;
  *) sed -n 2,7p "$0"; exit 2;;
esac
