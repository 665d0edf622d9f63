#!/bin/sh
# Replicates and restores one small database with the given launcher: the version is printed alone, and nothing
# but results and log lines appears, in particular no warning of the JVM's.
#
#   smoke.sh LAUNCHER
set -eu
loomstream=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$loomstream" version >"$work/version" 2>"$work/noise"
cat "$work/version"
[ "$(wc -l <"$work/version")" -eq 1 ]

sqlite3 "$work/app.db" 'PRAGMA journal_mode = WAL; CREATE TABLE t (v); INSERT INTO t VALUES (1), (2), (3)' >"$work/out"
"$loomstream" replicate -once "$work/app.db" "file://$work/replica" >>"$work/out" 2>>"$work/noise"
"$loomstream" restore -o "$work/copy.db" "file://$work/replica" >>"$work/out" 2>>"$work/noise"
[ "$(sqlite3 "$work/copy.db" .dump)" = "$(sqlite3 "$work/app.db" .dump)" ]

if grep -i -E 'warning|deprecated|picked up' "$work/noise" "$work/out"; then
	echo 'smoke: the JVM is not silent' >&2
	exit 1
fi
