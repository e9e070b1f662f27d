#!/bin/sh
# demo.sh -- what make run and make stop do: certificates, a broker with the whole suite, three devices, all under run/.
#
#   demo.sh run      in the foreground until Ctrl-C; DETACH=1: returns when all is up
#   demo.sh stop
#
# A script, because all it does is call programs: openssl, mosquitto, skeeter-device, and skeeter for what is said over MQTT. It
# stays as the broker's parent, so it starts it again when it dies. Every process is known by run/NAME.pid, "PID STARTED" as
# cli/process.h has it, and is ended by its pid only.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
build=${B:-build} port=${PORT:-8883} http_port=${HTTP_PORT:-8080} https_port=${HTTPS_PORT:-8443} run=run
devices='lamp thermometer valve'
SKEETER_SOCKET=$run/operator.sock
export SKEETER_SOCKET
umask 077

die() {
	echo "$*" >&2
	exit 1
}

# -- processes

# When the process was started, field 22 of its stat; fails when there is none, or only its zombie.
started() {
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	case $1 in Z | X) return 1 ;; esac
	shift 19
	echo "$1"
}

record() { echo "$2 $(started "$2")" >"$run/$1.pid"; }

# Prints the pid in run/NAME.pid if that very process is alive.
find_pid() {
	[ -e "$run/$1.pid" ] || return 1
	read -r pid ticks <"$run/$1.pid" || return 1
	[ -n "$ticks" ] && [ "$(started "$pid")" = "$ticks" ] || return 1
	echo "$pid"
}

# end NAME [50ths of a second before it is killed]
end() {
	if pid=$(find_pid "$1"); then
		kill "$pid" 2>/dev/null || true
		tries=0
		while find_pid "$1" >/dev/null; do
			tries=$((tries + 1))
			[ $tries -ne "${2:-500}" ] || kill -9 "$pid" 2>/dev/null || true
			[ $tries -le 2000 ] || die "$1 (pid $pid) does not end"
			sleep 0.02
		done
	fi
	rm -f "$run/$1.pid"
}

end_all() {
	for name in $devices mosquitto; do
		end "$name"
	done
	rm -f "$run/operator.sock" "$run/banner"
}

# Ends what runs and says so.
stopped() {
	end_all
	echo "Skeeter has stopped; its data stays in $run/data"
}

# -- what is made once

# "mosquitto (pid 123)", or whose process it is when that is not for us to see; fails when nobody listens on the port.
holder() {
	sockets=$(awk -v port=":$(printf %04X "$1")" '$4 == "0A" && $2 ~ port "$" { print $10, $8 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
	[ -n "$sockets" ] || return 1
	inode=${sockets%% *} uid=$(echo "$sockets" | awk '{ print $2; exit }')
	file=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null | head -n 1) || true
	pid=${file#/proc/} pid=${pid%%/*}
	if [ -n "$pid" ]; then
		echo "$(cat "/proc/$pid/comm") (pid $pid)"
	else
		echo "a process of user $(id -un "$uid" 2>/dev/null || echo "$uid")"
	fi
}

# check_port VARIABLE NUMBER
check_port() {
	case $2 in '' | *[!0-9]*) die "$1=$2: expected a number" ;; esac
	[ "$2" -ge 1 ] && [ "$2" -le 65535 ] || die "$1=$2: expected 1 to 65535"
	who=$(holder "$2") || return 0
	other=$(($2 + 1))
	while [ $other -lt 65535 ] && holder $other >/dev/null; do
		other=$((other + 1))
	done
	die "port $2 is in use by $who: stop it, or take another one: $1=$other make run"
}

write_configuration() {
	echo "$port" >"$run/port"
	cat >"$run/mosquitto.conf" <<-END
		# Written by every make run.
		$([ "$(id -u)" -ne 0 ] || echo 'user root')
		per_listener_settings false
		allow_anonymous false
		set_tcp_nodelay true
		max_packet_size 150000
		max_queued_messages 10000
		persistence true
		persistence_location $run/data/
		autosave_interval 60
		log_dest file $run/mosquitto.log
		log_type error
		log_type warning
		log_type notice
		log_type information
		log_timestamp_format %Y-%m-%dT%H:%M:%S

		plugin $build/skeeter_core.so
		plugin_opt_data $run/data
		plugin_opt_operators $run/operator.sock
		plugin_opt_wake_socket $run/operator.sock
		plugin $build/skeeter_auth.so
		plugin_opt_ca_cert $run/ca.crt
		plugin_opt_ca_key $run/ca.key
		plugin $build/skeeter_registry.so
		plugin $build/skeeter_shadow.so
		plugin $build/skeeter_rules.so
		plugin_opt_folder $run/rules
		plugin $build/skeeter_messages.so
		plugin $build/skeeter_http.so
		plugin_opt_listen 127.0.0.1:$http_port
		plugin_opt_listen_devices 127.0.0.1:$https_port
		plugin_opt_tls_cert $run/server.crt
		plugin_opt_tls_key $run/server.key

		# Devices, by their certificates.
		listener $port
		cafile $run/ca.crt
		certfile $run/server.crt
		keyfile $run/server.key
		require_certificate true
		max_qos 1

		# Operators: whoever may open this file, mode 0600.
		listener 0 $run/operator.sock
	END
}

# -- what runs

start_broker() {
	rm -f "$run/operator.sock"
	setsid mosquitto -c "$run/mosquitto.conf" >>"$run/mosquitto.log" 2>&1 </dev/null &
	broker=$!
	record mosquitto $broker
	tries=0
	until [ -S "$run/operator.sock" ]; do
		find_pid mosquitto >/dev/null && [ $tries -lt 1500 ] || broker_failed
		tries=$((tries + 1))
		sleep 0.02
	done
	chmod 600 "$run/operator.sock"
}

broker_failed() {
	end_all
	echo "the broker did not start; $run/mosquitto.log ends with:" >&2
	tail -n 6 "$run/mosquitto.log" >&2
	exit 1
}

start_device() {
	setsid "$build/skeeter-device" "$1" "$run" >>"$run/$1.log" 2>&1 </dev/null &
	record "$1" $!
}

print_banner() {
	tenths=$((($(date +%s%N) - began) / 100000000))
	mib=$(awk '$1 == "VmRSS:" { printf "%d", ($2 + 512) / 1024 }' "/proc/$broker/status")
	cat <<-END
		Skeeter is up in $((tenths / 10)).$((tenths % 10)) s: $1 devices online, broker $mib MiB, data in $run/data
		1 Look          $build/skeeter things
		2 Switch        $build/skeeter set lamp on=true        (watch: $build/skeeter watch lamp)
		3 Unplug it     $build/skeeter demo unplug valve; $build/skeeter set valve open=true; $build/skeeter demo plug valve
		                -> it was away, the shadow kept your wish: the delta arrives, the valve opens
		4 Break a rule  $build/skeeter demo forbid lamp        -> disconnected, and the reason is printed
		5 Pull the plug $build/skeeter demo kill               -> kill -9, restart, every accepted update still there
		6 Your own      $build/skeeter new-device kitchen      -> certificate, key and policy, and a line to paste
		7 AWS's CLI     export AWS_SHARED_CREDENTIALS_FILE=$run/credentials; aws --endpoint-url http://127.0.0.1:$http_port iot list-things
		                aws --endpoint-url http://127.0.0.1:$http_port iot-data get-thing-shadow --thing-name lamp /dev/stdout
		8 Two rules     $build/skeeter set thermometer heater=true; $build/skeeter watch valve
		                -> above 30 degrees $run/rules/demo.lua closes the valve; too_hot, in SQL, sends to alarms/thermometer
		                $build/skeeter rules top        (watch: $build/skeeter rules trace too_hot)
	END
}

# Starts the broker again whenever it ends, unless it cannot stay up.
keep_running() {
	quick=0
	while :; do
		since=$(date +%s) code=0
		wait "$broker" || code=$?
		[ $(($(date +%s) - since)) -gt 2 ] && quick=0 || quick=$((quick + 1))
		[ $quick -lt 5 ] || broker_failed
		echo "the broker ended with code $code: starting it again"
		start_broker
	done
}

prepare() {
	mkdir -p "$run" 2>/dev/null || true
	[ -w "$run" ] && [ -O "$run" ] || die "$run/ belongs to $(stat -c %U "$run" 2>/dev/null || echo somebody else): remove it, or run make as that user"
	if pid=$(find_pid demo); then
		die "Skeeter is running already (pid $pid): make stop ends it"
	fi
	mkdir -p "$run/data" "$run/devices" "$run/rules"
	[ -n "$(ls "$run/rules")" ] || cp lua-rules/rules/demo.lua "$run/rules/"
	end_all
	check_port PORT "$port"
	check_port HTTP_PORT "$http_port"
	check_port HTTPS_PORT "$https_port"
}

supervise() {
	began=$(date +%s%N)
	prepare
	record demo $$
	trap 'end_all; rm -f "$run/demo.pid"' EXIT
	trap 'exit 0' TERM HUP
	trap 'stopped; exit 0' INT
	cli/certificates.sh "$run" "$(uname -n)" $devices
	write_configuration
	[ ! -s "$run/mosquitto.log" ] || mv -f "$run/mosquitto.log" "$run/mosquitto.log.1"
	start_broker
	SKEETER=$build/skeeter cli/credentials.sh "$run/credentials" 'make run' || die "no access key could be made; see $run/mosquitto.log"
	"$build/skeeter" demo register || die "the devices could not be registered; see $run/mosquitto.log"
	for device in $devices; do
		start_device "$device"
	done
	online=$("$build/skeeter" demo await) || echo "not all devices are online: see $run/*.log" >&2
	print_banner "$online" >"$run/banner.new"
	mv "$run/banner.new" "$run/banner"
	cat "$run/banner"
	keep_running
}

# The same in a session of its own; returns when it is up.
detach() {
	prepare
	setsid "$0" supervise >"$run/demo.log" 2>&1 </dev/null &
	child=$!
	trap 'kill $child 2>/dev/null; exit 130' INT TERM HUP
	until [ -e "$run/banner" ]; do
		if ! started $child >/dev/null; then
			cat "$run/demo.log" >&2
			exit 1
		fi
		sleep 0.05
	done
	grep -v '^Skeeter is up\|^[1-8 ] ' "$run/demo.log" >&2 || true
	cat "$run/banner"
}

stop() {
	running=no
	for name in demo mosquitto $devices; do
		! find_pid "$name" >/dev/null 2>&1 || running=yes
	done
	[ $running = yes ] || { echo 'Skeeter is not running'; exit 0; }
	end demo 1500
	stopped
}

case ${1-} in
run) if [ -n "${DETACH-}" ] && [ "$DETACH" != 0 ]; then detach; else supervise; fi ;;
supervise) supervise ;;
stop) stop ;;
*) die 'usage: demo.sh run|stop' ;;
esac
