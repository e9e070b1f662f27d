#!/bin/sh
# deps.sh -- install Debian packages by name, those that are missing, and start no service by it.
#
#   deps.sh PACKAGE...
#
# As root, or with sudo; without either the exact line is printed and nothing is done. While apt runs, policy-rc.d tells
# every package that its service is not to be started; what stood there before is put back, also after an interruption. A
# service that came with a package is left disabled, so that it does not start with the next boot either.
set -eu
policy=${SKEETER_POLICY_RC_D:-/usr/sbin/policy-rc.d}
kept=$policy.kept-by-skeeter
mark='written by skeeter for the time of one apt-get'

missing() {
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf ' %s' "$package"
	done
}

restore_policy() {
	if [ -e "$kept" ]; then
		mv -f "$kept" "$policy"
	elif grep -qs "$mark" "$policy"; then
		rm -f "$policy"
	fi
}

forbid_services() {
	restore_policy
	[ ! -e "$policy" ] || mv -f "$policy" "$kept"
	printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy"
	chmod 755 "$policy"
}

install() {
	trap restore_policy EXIT
	trap 'exit 130' INT TERM HUP
	forbid_services
	echo "installing $*"
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
	apt-get update -q || echo 'apt-get update failed; trying with what is known'
	apt-get install -q -y -o Acquire::Retries=3 --no-install-recommends "$@" </dev/null
	case " $* " in
	*' mosquitto '*)
		update-rc.d mosquitto disable >/dev/null 2>&1 || true
		echo "mosquitto's own service was left stopped and disabled; systemctl enable --now mosquitto undoes that"
		;;
	esac
}

if [ "$1" = --as-root ]; then
	shift
	install "$@"
	exit
fi
command -v dpkg-query >/dev/null 2>&1 || {
	echo "this is no Debian: install what these packages hold, then run make: $*" >&2
	exit 1
}
want=$(missing "$@")
[ -n "$want" ] || exit 0
if [ "$(id -u)" -eq 0 ]; then
	exec "$0" --as-root $want
elif command -v sudo >/dev/null 2>&1 && sudo true; then
	exec sudo "$0" --as-root $want
fi
echo "packages are missing, and this needs root: apt-get update && apt-get install -y$want" >&2
exit 1
