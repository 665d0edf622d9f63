#!/bin/sh
# Packs target/loomstream-VERSION.tar.gz from what "make build" made: bin/, lib/, config-examples/.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/.*<version>\(.*\)<\/version>.*/\1/p' pom.xml | head -n 1)
name=loomstream-$version
tree=target/$name

rm -rf "$tree"
mkdir -p "$tree/bin"
cp bin/loomstream "$tree/bin/"
cp -Rp app/target/dist/lib "$tree/lib"
cp scripts/jdk-search.sh "$tree/lib/"
if [ -d config-examples ]; then cp -R config-examples "$tree/"; fi
scripts/train-cache.sh "$tree"
[ "$(scripts/smoke.sh "$PWD/$tree/bin/loomstream")" = "$version" ]
tar -C target -czf "target/$name.tar.gz" "$name"
ls -lh "target/$name.tar.gz"
