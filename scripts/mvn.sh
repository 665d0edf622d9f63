#!/bin/sh
# Runs Maven on the JDK that find-jdk.sh finds, whatever JAVA_HOME and PATH say; all arguments go to Maven.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
JAVA_HOME=$("$here/find-jdk.sh")
export JAVA_HOME
. "$here/jdk-search.sh"
jdk_read "$JAVA_HOME"

# Maven 3 brings an old Guava that uses sun.misc.Unsafe; JDK 24 and later warn about it at every start. The
# flag is unknown before 23.
if [ "$jdk_feature" -ge 24 ]; then
	MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS:-}"
	export MAVEN_OPTS
fi

# The tests' JVMs name files in every script, which a JVM in another locale cannot.
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
*[Uu][Tt][Ff]8 | *[Uu][Tt][Ff]-8) ;;
*) export LC_ALL=C.UTF-8 ;;
esac

if ! command -v mvn >/dev/null 2>&1; then
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
	if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends maven >&2 || true
	elif command -v brew >/dev/null 2>&1; then
		brew install maven >&2 || true
	fi
	if ! command -v mvn >/dev/null 2>&1; then
		echo "mvn.sh: Maven 3.8 or later is needed and could not be installed; install it so that mvn is on PATH." >&2
		exit 1
	fi
fi
exec mvn "$@"
