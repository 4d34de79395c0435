#!/bin/bash
# Prosody under test. STORAGE=internal|sqlite says what it stores in, LIMITS=on switches on Debian's rate limits.
# Loopback only: c2s 17322, s2s 17369 (an instance: 5269), component 17347.
set -euo pipefail
cd "$(dirname "$0")"
. lib/setup.sh
STORAGE=${STORAGE:-internal}
NAME=prosody R=$HERE/run/prosody/$STORAGE$SUFFIX C2S=17322 USER_NAME=prosody MARK=$R/prosody.cfg.lua
S2S=17369 COMP=17347
# Other servers look for a domain that is an address at this port.
[ -n "$SUFFIX" ] && S2S=5269
case "$STORAGE" in internal|sqlite) ;; *) echo "STORAGE must be internal or sqlite" >&2; exit 2;; esac

needs() {
  need_command prosody prosody
  need_command openssl openssl
  if [ "$STORAGE" = sqlite ]; then
    dpkg -s lua-dbi-sqlite3 >/dev/null 2>&1 || { echo "lua-dbi-sqlite3 (Debian package)"; exit 1; }
  fi
}

# An address has no names below it, so that an instance is without components.
components() {
  [ -z "$SUFFIX" ] || return 0
  if [ "$STORAGE" = sqlite ]; then
    PUBSUB_STORAGE='storage = "sql"
	sql = { driver = "SQLite3", database = "pubsub.sqlite" }'
  else
    PUBSUB_STORAGE='storage = "internal"'
  fi
  cat <<CFG
Component "pubsub.$DOMAIN" "pubsub"
	admins = { "u0@$DOMAIN" }
	pubsub_max_items = 10000
	$PUBSUB_STORAGE

-- XEP-0114: an external component may connect here
Component "channels.$DOMAIN"
	component_secret = "secret"
CFG
}

init() {
  cert
  mkdir -p "$R/data" "$R/log" "$R/certs"
  cp run/cert/bench.crt run/cert/bench.key "$R/certs/"
  COMPONENTS=$(components)
  LIMITS_MODULE='-- "limits";' LIMITS_RATES=
  if [ "${LIMITS:-off}" = on ]; then
    LIMITS_MODULE='"limits";'
    LIMITS_RATES='limits = { c2s = { rate = "10kb/s" }, s2sin = { rate = "30kb/s" } }'
  fi
  cat > "$R/prosody.cfg.lua" <<CFG
-- Written by setup-prosody.sh. Module list: Debian's default prosody.cfg.lua, less "limits"
-- (10 kB/s per client by default, which would measure the limiter) unless LIMITS=on.
admins = { "u0@$DOMAIN" }
plugin_paths = { }
modules_enabled = {
	"disco"; "roster"; "saslauth"; "tls";
	"blocklist"; "bookmarks"; "carbons"; "dialback"; $LIMITS_MODULE
	"pep"; "private"; "smacks"; "vcard4"; "vcard_legacy";
	"csi_simple"; "invites"; "invites_adhoc"; "invites_register"; "ping"; "register"; "time"; "uptime"; "version";
	"admin_adhoc"; "admin_shell";
	"posix";
}
$LIMITS_RATES
data_path = "$R/data"
daemonize = false
-- loopback only
interfaces = { "$ADDRESS" }
c2s_ports = { $C2S }
c2s_direct_tls_ports = { }
s2s_ports = { $S2S }
s2s_direct_tls_ports = { }
component_ports = { $COMP }
component_interfaces = { "$ADDRESS" }
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
$COMPONENTS
CFG
  give_away
}

launch() { in_background env HOME="$R/data" /usr/bin/prosody --config "$R/prosody.cfg.lua" -F; }

complaints() { echo "$R/log/prosody.err"; }

run_verb "$@"
