#!/bin/bash
# The framing-only Node stub (see stub.mjs): the generator's own ceiling.
set -euo pipefail
cd "$(dirname "$0")"
. lib/setup.sh
NAME=stub R=$HERE/run/stub$SUFFIX C2S=17422 USER_NAME= MARK=stub.mjs

needs() { need_command openssl openssl; }

init() { cert; mkdir -p "$R"; }

launch() {
  in_background node "$HERE/stub.mjs" --port $C2S --domain "$DOMAIN" --pid-file "$R/stub.pid" \
    --cert run/cert/bench.crt --key run/cert/bench.key
}

complaints() { :; }

run_verb "$@"
