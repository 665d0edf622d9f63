#!/bin/sh
# Makes sure that the named programs are on PATH: installs what is missing where apt-get may, else says so.
set -eu
missing=
for tool in "$@"; do
	command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -n "$missing" ] || exit 0
as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
	echo "installing$missing" >&2
	# The packages are named as the programs are. A new machine has no list of packages, or an old one.
	install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends$missing"
	$install >&2 </dev/null || { $as_root apt-get update >&2 </dev/null && $install >&2 </dev/null; } || true
fi
for tool in $missing; do
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "The tests run $tool, which is not on PATH; install it." >&2
		exit 1
	fi
done
