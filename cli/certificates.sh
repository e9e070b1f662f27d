#!/bin/sh
# certificates.sh FOLDER "NAMES" [DEVICE...] -- a CA, a server's certificate for NAMES, and one for each device, unless they are there.
#
# FOLDER gets ca.crt, ca.key, server.crt, server.key and devices/NAME.crt and .key. NAMES are names and IPv4 addresses, separated by
# blanks; when one is missing from the server's certificate that is made anew. Without the CA all are.
set -eu
umask 077
folder=$1 names=$2
shift 2

# certificate FILE SECTION NAME [openssl options]: FILE.crt and FILE.key, unless they are there
certificate() {
	[ ! -s "$1.crt" ] || return 0
	file=$1 section=$2 name=$3
	shift 3
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days 7300 -config "$folder/openssl.conf" \
		-extensions "$section" -subj "/CN=$name" -keyout "$file.key" -out "$file.crt.new" "$@" 2>"$folder/openssl.log" || {
		echo "openssl cannot make $file.crt: $(cat "$folder/openssl.log")" >&2
		exit 1
	}
	mv "$file.crt.new" "$file.crt"
}

# "DNS:localhost, IP:127.0.0.1, ..."
alternatives() {
	printf 'DNS:localhost, IP:127.0.0.1, IP:::1'
	for name in $names; do
		case $name in
		*[!0-9.]*) printf ', DNS:%s' "$name" ;;
		*) printf ', IP:%s' "$name" ;;
		esac
	done
}

# serves NAME: the server's certificate is good for it
serves() {
	case $1 in
	*[!0-9.]*) check=-checkhost ;;
	*) check=-checkip ;;
	esac
	openssl x509 -in "$folder/server.crt" -noout "$check" "$1" 2>/dev/null | grep -q 'does match'
}

mkdir -p "$folder/devices"
cat >"$folder/openssl.conf" <<END
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = $(alternatives)
[device]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
END
[ -s "$folder/ca.crt" ] || rm -f "$folder/server.crt" "$folder"/devices/*.crt
certificate "$folder/ca" ca 'Skeeter demo CA'
for name in $names; do
	serves "$name" || rm -f "$folder/server.crt"
done
certificate "$folder/server" server localhost -CA "$folder/ca.crt" -CAkey "$folder/ca.key"
for device in "$@"; do
	certificate "$folder/devices/$device" device "$device" -CA "$folder/ca.crt" -CAkey "$folder/ca.key"
done
