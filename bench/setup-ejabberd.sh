#!/bin/bash
# ejabberd under test. STORAGE=mnesia|sqlite says what it stores in, LIMITS=on switches on Debian's shaper for clients.
# Loopback only: c2s 27322, s2s 27369 (an instance: 5269), component 27347, Erlang distribution 27370 (no epmd).
set -euo pipefail
cd "$(dirname "$0")"
. lib/setup.sh
STORAGE=${STORAGE:-mnesia}
NODE=bench_$STORAGE${INSTANCE:+_$INSTANCE}@localhost
NAME=ejabberd R=$HERE/run/ejabberd/$STORAGE$SUFFIX C2S=27322 USER_NAME=ejabberd MARK=$NODE
S2S=27369 COMP=27347 DIST=27370
# Other servers look for a domain that is an address at this port.
[ -n "$SUFFIX" ] && S2S=5269
case "$STORAGE" in mnesia|sqlite) ;; *) echo "STORAGE must be mnesia or sqlite" >&2; exit 2;; esac

needs() {
  need_command ejabberdctl ejabberd
  need_command openssl openssl
}

init() {
  cert
  mkdir -p "$R/spool" "$R/log" "$R/conf"
  cp run/cert/bench.pem "$R/conf/"
  cp /etc/ejabberd/inetrc "$R/conf/inetrc" 2>/dev/null || true
  SHAPER=none
  [ "${LIMITS:-off}" = on ] && SHAPER=normal
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
# (default: 3000 B/s per client, burst 20000, which LIMITS=on brings back), plaintext allowed, no mod_pres_counter and
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
    ip: "$ADDRESS"
    module: ejabberd_c2s
    backlog: 128
    max_stanza_size: 262144
    shaper: $SHAPER
    access: c2s
    starttls: true
    starttls_required: false
    protocol_options: 'TLS_OPTIONS'
  -
    port: $S2S
    ip: "$ADDRESS"
    module: ejabberd_s2s_in
    max_stanza_size: 524288
  -
    port: $COMP
    ip: "$ADDRESS"
    module: ejabberd_service
    shaper: none
    hosts:
      channels.$DOMAIN:
        password: "secret"
disable_sasl_mechanisms:
  - "digest-md5"
  - "X-OAUTH2"
s2s_use_starttls: optional
shaper:
  normal:
    rate: 3000
    burst_size: 20000
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
  give_away
}

# What Debian's "ejabberdctl foreground" runs, less epmd: +K true, +P 250000; schedulers = CPUs in the affinity mask.
launch() {
  rm -f "$R/log/ejabberd.log"
  in_background env HOME="$R" ERL_LIBS="$(sed -n "s/^ERL_LIBS='\(.*\)'/\1/p" "$(command -v ejabberdctl)")" \
    ERL_MAX_PORTS=32000 ERL_MAX_ETS_TABLES=1400 ERL_CRASH_DUMP_BYTES=0 ERL_CRASH_DUMP="$R/log/erl_crash.dump" \
    EJABBERD_CONFIG_PATH="$R/conf/ejabberd.yml" EJABBERD_LOG_PATH="$R/log/ejabberd.log" \
    /usr/bin/erl +K true +P 250000 ${ERL_EXTRA:-} -sname "$NODE" \
    -kernel inet_dist_use_interface "{${ADDRESS//./,}}" -erl_epmd_port $DIST -start_epmd false \
    -mnesia dir "\"$R/spool\"" -ejabberd log_rotate_count 0 -s ejabberd -noinput
}

# Its ports are open long before.
is_up() { grep -q 'is started in the node' "$R/log/ejabberd.log" 2>/dev/null; }

complaints() { echo "$R/log/ejabberd.log"; }

run_verb "$@"
