#!/bin/sh
# install.sh -- what make install and make uninstall do. DESTDIR, PREFIX, CONFDIR and B come from there.
#
#   install.sh install | uninstall
#
# Whatever an operator has changed stays: a skeeter.conf that is there is not written over, and one that differs is not removed.
set -eu
cd "$(dirname "$0")/.."
bin=$DESTDIR$PREFIX/bin lib=$PREFIX/lib/skeeter doc=$DESTDIR$PREFIX/share/doc/skeeter conf=$DESTDIR$CONFDIR/skeeter.conf
programs='skeeter skeeter-store'

sample() { sed "s,@LIB@,$lib,g" cli/skeeter.conf; }

case ${1-} in
install)
	install -d "$bin" "$DESTDIR$lib" "$doc" "$DESTDIR$CONFDIR"
	for name in $programs; do
		install -m 755 "$B/$name" "$bin/$name"
	done
	# A running broker keeps the file that it has mapped: install makes a new one.
	install -m 644 "$B"/libskeeter.so "$B"/skeeter_*.so "$DESTDIR$lib"
	install -m 644 README.md CHANGELOG.md LICENSE docs/*.md "$doc"
	if [ -e "$conf" ]; then
		echo "$conf stays as it is; the sample is $doc/skeeter.conf"
	else
		sample >"$conf"
		chmod 644 "$conf"
	fi
	sample >"$doc/skeeter.conf"
	;;
uninstall)
	if [ -e "$conf" ] && sample | cmp -s - "$conf"; then
		rm "$conf"
	elif [ -e "$conf" ]; then
		echo "$conf was changed and stays: remove it, or the broker will look for plugins that are gone"
	fi
	for name in $programs; do
		rm -f "$bin/$name"
	done
	rm -rf "$DESTDIR$lib" "$doc"
	;;
*)
	echo 'usage: install.sh install|uninstall' >&2
	exit 2
	;;
esac
