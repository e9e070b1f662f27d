#!/bin/sh
# A fleet moves in: THINGS (second argument, 100000) things with certificates are registered, CONNECTS (third, 1000) of them connect;
# the rates, the broker's private memory before and after, and how long a start with them takes.
set -eu
build=$(cd "$1" && pwd)
things=${2:-100000} connects=${3:-1000}
dir=$(mktemp -d)
pid=
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
openssl ecparam -name prime256v1 -genkey -noout -out ca.key 2>/dev/null
openssl req -x509 -new -key ca.key -subj "/CN=fleet CA" -days 2 -out ca.crt 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out server.key 2>/dev/null
openssl req -new -key server.key -subj "/CN=localhost" 2>/dev/null | openssl x509 -req -CA ca.crt -CAkey ca.key -days 2 -out server.crt 2>/dev/null
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
cat > mosquitto.conf <<CONF
per_listener_settings false
allow_anonymous false
user $(id -un)
log_type error
set_tcp_nodelay true
listener 0 $dir/op.sock
listener $port 127.0.0.1
cafile $dir/ca.crt
certfile $dir/server.crt
keyfile $dir/server.key
require_certificate true
plugin $build/skeeter_core.so
plugin_opt_data $dir/data
plugin_opt_operators $dir/op.sock
plugin $build/skeeter_auth.so
plugin $build/skeeter_registry.so
plugin $build/skeeter_shadow.so
CONF
start() {
	rm -f op.sock
	mosquitto -c mosquitto.conf 2>> log &
	pid=$!
	for i in $(seq 600); do
		[ -S op.sock ] && return
		sleep 0.1
	done
	cat log
	exit 1
}
memory() { awk -v what="$1" '/RssAnon/ { printf "private memory %s: %.1f MiB\n", what, $2 / 1024 }' "/proc/$pid/status"; }
start
memory "of the empty broker"
ulimit -n $((connects + 500)) 2>/dev/null || true
"$build/bench/fleet" op.sock "$port" ca.crt ca.key "$things" "$connects"
sleep 6
memory "with $things things, after the devices have left"
ls -l data | awk '{ n += $5 } END { printf "files in the data folder: %.1f MiB\n", n / 1048576 }'
kill "$pid"
wait "$pid" || true
before=$(date +%s%N)
start
echo "a start with them takes $((($(date +%s%N) - before) / 1000000)) ms"
sleep 1
memory "after that start"
