#!/bin/sh
# Runs a class of the perf module (demo, fleets, benchmarks) with its arguments, after "make build".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/jdk-search.sh"
jdk_find jre || {
	echo "perf-java.sh: no Java $jdk_minimum or later found" >&2
	exit 1
}
perf=$here/../perf/target
export LC_ALL=C.UTF-8
# JMH uses sun.misc.Unsafe; JDK 24 and later warn about it. The flag is unknown before 23.
[ "$jdk_feature" -lt 24 ] || set -- --sun-misc-unsafe-memory-access=allow "$@"
exec "$jdk_home/bin/java" -XX:+UseSerialGC -XX:-UsePerfData --enable-native-access=ALL-UNNAMED \
	-cp "$perf/classes:$perf/lib/*" "$@"
