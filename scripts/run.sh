#!/bin/sh
# "make run": the server on CONFIG until Ctrl-C; beside it, for the default config, the small fleet with a gentle
# writer that this config names.
#
#   run.sh CONFIG DEFAULT_CONFIG
set -eu
cd "$(dirname "$0")/.."
config=$1
fleet=
if [ "$config" = "$2" ]; then
	scripts/perf-java.sh io.loomstream.perf.demo.QuickstartFleet &
	fleet=$!
fi
# The terminal sends Ctrl-C to the server too; this shell waits until it has uploaded the rest.
trap : INT TERM
status=0
bin/loomstream replicate -config "$config" || status=$?
if [ -n "$fleet" ]; then
	kill "$fleet" 2>/dev/null || true
	wait "$fleet" 2>/dev/null || true
fi
exit "$status"
