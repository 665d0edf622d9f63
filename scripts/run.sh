#!/bin/sh
# "make run": the server on CONFIG until Ctrl-C; beside it, for the default config, the small fleet with a gentle
# writer that this config names.
#
#   run.sh CONFIG DEFAULT_CONFIG
set -eu
cd "$(dirname "$0")/.."
export PWD # the default config names it
config=$1
fleet=
if [ "$config" = "$2" ]; then
	scripts/perf-java.sh io.loomstream.perf.demo.QuickstartFleet &
	fleet=$!
fi
bin/loomstream replicate -config "$config" &
server=$!

# What runs behind "&" ignores Ctrl-C, so it is passed on as SIGTERM: the writer stops first, then the server uploads
# the rest. A second Ctrl-C makes the server give up that upload.
stop() {
	[ -z "$fleet" ] || kill "$fleet" 2>/dev/null || true
	kill "$server" 2>/dev/null || true
}
trap stop INT TERM
status=0
wait "$server" || status=$?
while kill -0 "$server" 2>/dev/null; do
	status=0
	wait "$server" || status=$?
done
if [ -n "$fleet" ]; then
	kill "$fleet" 2>/dev/null || true
	wait "$fleet" 2>/dev/null || true
fi
exit "$status"
