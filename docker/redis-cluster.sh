#!/bin/sh
# redis-cluster.sh NODE... -- makes a Redis Cluster out of six nodes, and keeps it together. Runs for as long as the cluster does.
#
# Nodes know each other by their addresses, and a container has another one after each start: whoever is not connected is introduced again.
# A node that holds data is never formatted: a cluster is made only when no node knows of one.
set -u
port=6379

say() { echo "redis-cluster: $*"; }
ask() { redis-cli -h "$@" 2>/dev/null; }
address() { getent ahostsv4 "$1" | awk '{ print $1; exit }'; }
alive() { [ "$(ask "$1" ping)" = PONG ]; }
slots() { ask "$1" cluster info | tr -d '\r' | sed -n 's/^cluster_slots_assigned://p'; }
whole() { ask "$1" cluster info | grep -q '^cluster_state:ok'; }

# How many of the nodes $1 is connected with, itself among them.
connected() { ask "$1" cluster nodes | grep -v 'fail\|handshake\|noaddr' | grep -c ' connected'; }

introduce() {
	for other in "$@"; do
		at=$(address "$other")
		[ -z "$at" ] || ask "$first" cluster meet "$at" $port >/dev/null
	done
}

create() {
	addresses=
	for node in "$@"; do
		addresses="$addresses $(address "$node"):$port"
	done
	say "making a cluster of$addresses"
	redis-cli --cluster create $addresses --cluster-replicas 1 --cluster-yes
}

first=$1 told=
trap 'exit 0' TERM INT
for node in "$@"; do
	until alive "$node"; do sleep 0.5; done
done
known=0
for node in "$@"; do
	[ "$(slots "$node")" = 0 ] || known=$((known + 1))
done
[ $known -gt 0 ] || create "$@"
while :; do
	if [ "$(connected "$first")" != $# ]; then
		introduce "$@"
		told=
	elif [ -z "$told" ] && whole "$first"; then
		say "the cluster is whole: $# nodes"
		told=yes
	fi
	sleep 2 &
	wait $!
done
