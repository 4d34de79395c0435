# What the set-up scripts of all servers have in common; they source it, and end with: run_verb "$@"
#
#   setup-NAME.sh needs|init|start|stop|pid|env|destroy
#     needs    prints what is missing to run it, and fails, or nothing
#     init     writes config and empty data below run/
#     start    starts it in the background, waits for its port, prints the pid
#     stop     ends the process that start started
#     env      prints the options of bench.mjs that reach it
#     destroy  stops it and removes all that init and the runs wrote
#   CPUS=0      pins it to these cores; NICE=-10 is its nice level
#   INSTANCE=a  another one beside it, with data of its own; ADDRESS and DOMAIN are where it listens and what it serves
#
# A script says: NAME, R (its folder), C2S (its port), USER_NAME (whose process it is where root starts it, or nothing),
# MARK (what tells its process by its command line), and the functions needs, init, launch, complaints.
HERE=$PWD
ADDRESS=${ADDRESS:-127.0.0.1}
DOMAIN=${DOMAIN:-bench.localhost}
SUFFIX=${INSTANCE:+-$INSTANCE}

# The same key for all, so that all do the same handshake.
cert() {
  mkdir -p run/cert
  [ -s run/cert/bench.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout run/cert/bench.key -out run/cert/bench.crt -subj "/CN=bench.localhost" \
    -addext "subjectAltName=DNS:bench.localhost,DNS:pubsub.bench.localhost,DNS:channels.bench.localhost" >/dev/null 2>&1
  cat run/cert/bench.crt run/cert/bench.key > run/cert/bench.pem
  chmod 644 run/cert/*
}

need_command() { command -v "$1" >/dev/null || { echo "$1 (Debian package $2)"; exit 1; }; }

is_root() { [ "$(id -u)" = 0 ]; }

# Files of the server's belong to its user.
give_away() { if is_root && [ -n "$USER_NAME" ]; then chown -R "$USER_NAME:$USER_NAME" "$R"; fi; }

# Whether it is ready; a script may know better.
is_up() { port_open; }

port_open() { (exec 3<>"/dev/tcp/$ADDRESS/$C2S") 2>/dev/null; }

# Runs a command in the background as the server: pinned, in a session of its own, its output in console.log.
in_background() {
  local before=()
  [ -n "${CPUS:-}" ] && before=(taskset -c "$CPUS")
  [ -n "${NICE:-}" ] && before=(nice -n "$NICE" "${before[@]}")
  before+=(setsid)
  if is_root && [ -n "$USER_NAME" ]; then
    before+=(setpriv --reuid "$USER_NAME" --regid "$USER_NAME" --init-groups)
  fi
  ulimit -n 16384
  # All of these, and erl too, exec what comes next: the pid is the server's.
  "${before[@]}" "$@" >"$R/console.log" 2>&1 </dev/null &
  echo $! > "$R/pid"
}

start() {
  init
  if port_open; then echo "$ADDRESS:$C2S is taken" >&2; exit 1; fi
  launch
  for _ in $(seq 300); do
    if is_up; then cat "$R/pid"; return 0; fi
    kill -0 "$(cat "$R/pid")" 2>/dev/null || break
    sleep 0.1
  done
  echo "$NAME did not come up:" >&2
  tail -20 "$R/console.log" $(complaints) >&2 || true
  stop
  exit 1
}

stop() {
  [ -s "$R/pid" ] || return 0
  local p
  p=$(cat "$R/pid")
  rm -f "$R/pid"
  # The number may be another's by now.
  { tr "\0" " " < "/proc/$p/cmdline"; } 2>/dev/null | grep -qF -- "$MARK" || return 0
  kill "$p"
  for _ in $(seq 200); do kill -0 "$p" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$p" || true
  sleep 0.3
}

run_verb() {
  case "${1:-}" in
    needs) needs;;
    init) init;;
    start) start;;
    stop) stop;;
    pid) cat "$R/pid";;
    env) echo "--host $ADDRESS --port $C2S --domain $DOMAIN --pubsub pubsub.$DOMAIN --pid-file $R/pid";;
    destroy) stop; rm -rf "$R";;
    *) grep '^#' "$0" | sed 1d; grep '^#  ' lib/setup.sh; exit 2;;
  esac
}
