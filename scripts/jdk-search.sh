# Finds Java installations. POSIX shell functions, sourced by find-jdk.sh (the build) and by the
# launcher bin/loomstream, whose start-up time counts: versions are read from each installation's
# "release" file with shell built-ins, and a JVM is started only for installations without one.

# The oldest Java that runs Loomstream.
jdk_minimum=21

# Where installations usually lie. LOOMSTREAM_JVM_DIRS (patterns separated by colons) replaces the list.
jdk_usual_places="/usr/lib/jvm/*:/usr/lib64/jvm/*:/usr/java/*:/usr/local/java/*:/opt/*:/opt/java/*:/opt/jdk/*\
:/usr/local/openjdk*:/usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home\
:/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home:/Library/Java/JavaVirtualMachines/*/Contents/Home\
:${HOME:-/nonexistent}/Library/Java/JavaVirtualMachines/*/Contents/Home:${HOME:-/nonexistent}/.sdkman/candidates/java/*\
:${HOME:-/nonexistent}/.jdks/*:${HOME:-/nonexistent}/.asdf/installs/java/*:${HOME:-/nonexistent}/.local/share/mise/installs/java/*"

# jdk_read HOME: sets jdk_feature (21, 25, ...), jdk_version, jdk_build and what
# jdk_name_platform needs. Fails when HOME holds no java.
jdk_read() {
	jdk_feature=0 jdk_version= jdk_build= jdk_os= jdk_arch= jdk_libc=
	[ -x "$1/bin/java" ] || return 1
	if [ -r "$1/release" ]; then
		while IFS='=' read -r jdk_key jdk_value; do
			jdk_value=${jdk_value#\"}
			jdk_value=${jdk_value%\"}
			case $jdk_key in
			JAVA_VERSION) jdk_version=$jdk_value ;;
			JAVA_RUNTIME_VERSION | IMPLEMENTOR_VERSION | IMPLEMENTOR | SOURCE) jdk_build="$jdk_build $jdk_value" ;;
			OS_NAME) jdk_os=$jdk_value ;;
			OS_ARCH) jdk_arch=$jdk_value ;;
			LIBC) jdk_libc=$jdk_value ;;
			esac
		done <"$1/release"
	fi
	if [ -z "$jdk_version" ]; then
		# openjdk version "21.0.9" 2025-10-21
		jdk_version=$("$1/bin/java" -version 2>&1 </dev/null) || return 1
		jdk_version=${jdk_version#*version \"}
		jdk_version=${jdk_version%%\"*}
	fi
	jdk_feature=${jdk_version%%[!0-9]*}
	[ -n "$jdk_feature" ]
}

# jdk_name_platform: completes jdk_platform, as Linux-x86_64-gnu, Linux-aarch64-musl or Darwin-aarch64. Some vendors'
# release files do not name the machine; asking it costs a process.
jdk_name_platform() {
	if [ -z "$jdk_os" ] || [ -z "$jdk_arch" ]; then
		read -r jdk_os jdk_arch <<-END
			$(uname -sm)
		END
	fi
	case $jdk_arch in
	amd64) jdk_arch=x86_64 ;;
	arm64) jdk_arch=aarch64 ;;
	esac
	case $jdk_os in
	Linux)
		if [ -z "$jdk_libc" ]; then
			jdk_libc=gnu
			for jdk_loader in /lib/ld-musl-*; do
				[ ! -e "$jdk_loader" ] || jdk_libc=musl
			done
		fi
		jdk_platform=Linux-$jdk_arch-$jdk_libc
		;;
	*) jdk_platform=$jdk_os-$jdk_arch ;;
	esac
}

# jdk_suits HOME KIND: true when HOME is new enough and, for KIND jdk, has a compiler.
jdk_suits() {
	jdk_read "$1" || return 1
	[ "$jdk_feature" -ge "$jdk_minimum" ] || return 1
	[ "$2" != jdk ] || [ -x "$1/bin/javac" ]
}

# jdk_of_path: sets jdk_home to the home of the java on PATH, through its symbolic links.
jdk_of_path() {
	jdk_home=
	jdk_java=$(command -v java) || return 1
	jdk_links=0
	while [ -L "$jdk_java" ] && [ "$jdk_links" -lt 16 ]; do
		jdk_target=$(readlink "$jdk_java")
		case $jdk_target in
		/*) jdk_java=$jdk_target ;;
		*) jdk_java=${jdk_java%/*}/$jdk_target ;;
		esac
		jdk_links=$((jdk_links + 1))
	done
	jdk_home=${jdk_java%/bin/java}
	[ -r "$jdk_home/release" ] && return 0
	# A version manager's shim, or macOS's stub: only the JVM itself knows where it lives.
	jdk_home=$("$jdk_java" -XshowSettings:properties -version 2>&1 </dev/null | sed -n 's/^ *java\.home = //p')
	[ -n "$jdk_home" ]
}

# jdk_find KIND: sets jdk_home (and what jdk_read sets) to the Java to use. KIND is jdk (javac
# wanted) or jre. What the user chose comes first: JAVA_HOME, then PATH. Of the rest 25 is best: it is the
# release with compact object headers, the AOT cache and no pinning in synchronized blocks that our
# builds are tested and measured with; then the newest, down to 21.
jdk_find() {
	if [ -n "${JAVA_HOME:-}" ] && jdk_suits "$JAVA_HOME" "$1"; then
		jdk_home=$JAVA_HOME
		return 0
	fi
	if jdk_of_path && jdk_suits "$jdk_home" "$1"; then
		return 0
	fi
	jdk_best= jdk_best_rank=0
	jdk_ifs=$IFS
	IFS=:
	for jdk_home in ${LOOMSTREAM_JVM_DIRS:-$jdk_usual_places}; do
		IFS=$jdk_ifs
		if jdk_suits "$jdk_home" "$1"; then
			jdk_rank=$jdk_feature
			[ "$jdk_feature" -ne 25 ] || jdk_rank=1000
			if [ "$jdk_rank" -gt "$jdk_best_rank" ]; then
				jdk_best=$jdk_home jdk_best_rank=$jdk_rank
			fi
		fi
	done
	IFS=$jdk_ifs
	jdk_home=$jdk_best
	[ -n "$jdk_home" ] && jdk_read "$jdk_home"
}
