#!/bin/sh
# headers.sh -- are the compiler and the libraries' headers here? If not, one line that says what to do.
#
#   headers.sh COMPILER [FLAGS...]
if ! command -v "$1" >/dev/null 2>&1 && [ -e /usr/include/mosquitto_broker.h ]; then
	echo "no $1: run make deps" >&2
	exit 1
fi
while read -r header name; do
	echo "#include <$header>" | "$@" -DPCRE2_CODE_UNIT_WIDTH=8 -E -x c - >/dev/null 2>&1 && continue
	echo "no $name headers: run make deps" >&2
	exit 1
done <<END
mosquitto_broker.h Mosquitto
mosquitto.h Mosquitto
cjson/cJSON.h cJSON
sqlite3.h SQLite
openssl/x509.h OpenSSL
pcre2.h PCRE2
microhttpd.h libmicrohttpd
gnutls/gnutls.h GnuTLS
lua5.4/lua.h Lua
curl/curl.h libcurl
bid_functions.h Intel's decimal library's
hiredis/hiredis.h hiredis
postgresql/libpq-fe.h libpq
librdkafka/rdkafka.h librdkafka
mariadb/mysql.h MariaDB's client
END
