#!/bin/sh
# The rate of durable shadow updates through a real Mosquitto with the built plugins, as a ratio to its plain QoS 1 messages.
set -eu
build=$(cd "$1" && pwd)
dir=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
pid=
cat > "$dir/mosquitto.conf" <<CONF
per_listener_settings false
allow_anonymous false
user $(id -un)
log_type error
max_queued_messages 10000
listener 0 $dir/op.sock
plugin $build/skeeter_core.so
plugin_opt_data $dir/data
plugin_opt_operators $dir/op.sock
plugin $build/skeeter_auth.so
plugin $build/skeeter_registry.so
plugin $build/skeeter_shadow.so
CONF
mosquitto -c "$dir/mosquitto.conf" 2> "$dir/log" &
pid=$!
for i in $(seq 100); do
	[ -S "$dir/op.sock" ] && break
	sleep 0.1
done
for window in 1 4; do
	"$build/bench/shadow_load" "$dir/op.sock" 50 $window 40000 5 || { cat "$dir/log"; exit 1; }
done
awk '/RssAnon/ { printf "private memory of the broker after it: %.1f MiB\n", $2 / 1024 }' "/proc/$pid/status"
