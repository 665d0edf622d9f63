#!/bin/sh
# Makes the class cache of a packaged tree for the Java that its launcher picks: an AOT cache on 25 and later, an
# AppCDS archive before. Without it, or on another Java, everything works, but starts slower.
#
#   train-cache.sh TREE
set -eu
tree=$(cd "$1" && pwd)
. "$tree/lib/jdk-search.sh"
jdk_find jre
jdk_name_platform
rm -f "$tree/lib/cache.build" "$tree/lib/loomstream.aot" "$tree/lib/loomstream.jsa"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/data"
if [ "$jdk_feature" -ge 25 ]; then
	cache=$tree/lib/loomstream.aot
	record=-XX:AOTCacheOutput=$cache
else
	cache=$tree/lib/loomstream.jsa
	record=-XX:ArchiveClassesAtExit=$cache
	# Some runtimes come without the base archive that ours builds upon.
	if ! "$jdk_home/bin/java" -XX:+UseSerialGC -Xshare:on -version >/dev/null 2>&1; then
		"$jdk_home/bin/java" -XX:+UseSerialGC -Xshare:dump >/dev/null 2>&1 || true
	fi
fi
if ! LOOMSTREAM_MAIN=io.loomstream.app.CacheTraining LOOMSTREAM_JAVA_OPTS="$record" \
	"$tree/bin/loomstream" "$work/data" >"$work/log" 2>&1; then
	echo "train-cache: a command failed; the cache is incomplete:" >&2
	grep -v -F -e '][warning][cds' -e '][warning][aot' "$work/log" >&2
	exit 1
fi
if [ ! -s "$cache" ]; then
	echo "train-cache: Java $jdk_version made no class cache:" >&2
	cat "$work/log" >&2
	exit 1
fi
echo "$jdk_version$jdk_build $jdk_platform" >"$tree/lib/cache.build"

# A cache that the JVM refuses is refused silently: ask where the main class came from.
LOOMSTREAM_JAVA_OPTS=-Xlog:class+load "$tree/bin/loomstream" version >"$work/loaded"
if ! grep -q 'io.loomstream.app.Main source: shared objects file' "$work/loaded"; then
	echo "train-cache: Java $jdk_version does not use the cache it made" >&2
	exit 1
fi
