#!/bin/sh
# Prints the home of a JDK 21 or later, with a compiler, for the build; installs one with the package
# manager when there is none and the rights allow it; else says what to do and fails.
#
#   find-jdk.sh [--no-install] [--jre]      --jre: a Java without compiler will do; never installs
set -eu
. "$(dirname "$0")/jdk-search.sh"

kind=jdk
install=yes
for option in "$@"; do
	case $option in
	--no-install) install=no ;;
	--jre) kind=jre install=no ;;
	*)
		echo "usage: find-jdk.sh [--no-install] [--jre]" >&2
		exit 2
		;;
	esac
done

say() { echo "find-jdk: $*" >&2; }

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Installs the first of the given packages that the package manager knows.
install_first() {
	manager=$1
	shift
	for package in "$@"; do
		case $manager in
		apt-get)
			apt-cache show "$package" >/dev/null 2>&1 || continue
			say "installing $package"
			as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" >&2 && return 0
			;;
		dnf) as_root dnf install -y "$package" >&2 && return 0 ;;
		apk) as_root apk add "$package" >&2 && return 0 ;;
		pacman) as_root pacman -S --noconfirm "$package" >&2 && return 0 ;;
		esac
	done
	return 1
}

install_jdk() {
	if command -v brew >/dev/null 2>&1; then
		say "installing openjdk with Homebrew"
		brew install openjdk >&2
		return
	fi
	[ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || return 1
	if command -v apt-get >/dev/null 2>&1; then
		install_first apt-get openjdk-25-jdk-headless openjdk-21-jdk-headless temurin-25-jdk temurin-21-jdk && return 0
		as_root apt-get update -q >&2 || true
		install_first apt-get openjdk-25-jdk-headless openjdk-21-jdk-headless temurin-25-jdk temurin-21-jdk
	elif command -v dnf >/dev/null 2>&1; then
		install_first dnf java-25-openjdk-devel java-21-openjdk-devel
	elif command -v apk >/dev/null 2>&1; then
		install_first apk openjdk25-jdk openjdk21-jdk
	elif command -v pacman >/dev/null 2>&1; then
		install_first pacman jdk-openjdk jdk21-openjdk
	else
		return 1
	fi
}

if ! jdk_find "$kind"; then
	if [ "$install" = no ] || ! install_jdk || ! jdk_find "$kind"; then
		if [ "$kind" = jdk ]; then what="JDK $jdk_minimum or later (with javac)"; else what="Java $jdk_minimum or later"; fi
		say "no $what found in JAVA_HOME, on PATH or in the usual folders, and none could be installed."
		say "Install one (for example Temurin 25 from https://adoptium.net) or set JAVA_HOME to it."
		exit 1
	fi
fi
echo "$jdk_home"
