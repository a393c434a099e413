#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# get-broker.sh SUITE DIR [VERSION] - the Mosquitto of another Debian suite.
#
# Unpacks it under DIR/root, with all libraries that it and the plugin need, and
# writes DIR/mosquitto, which starts it with that suite's own loader and
# libraries.  DIR/strays FILE prints the libraries that FILE, a plugin for this
# broker, would take from this machine instead; it should print nothing.
#
# Nothing is installed.  The packages come from the mirror of this machine's own
# apt and are checked with Debian's keyring.  A DIR that is complete is left as
# it is.  VERSION, such as 2.1: only this one will do.
#
# Ends with 0: it is there.  3: it cannot be had here, and one sentence says
# why.  Anything else: an error.
set -euo pipefail
export LC_ALL=C

self=$(readlink -f "$0")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# libcurl4 has another name since Debian 13.
wanted="mosquitto mosquitto-clients libsqlite3-0 libcjson1 libcsv3 libcurl4t64|libcurl4"

die() {
	echo "get-broker.sh: $*" >&2
	exit 1
}

not_to_be_had() {
	echo "Mosquitto of Debian $suite cannot be had: $*" >&2
	exit 3
}

# is_version HAVE WANT: 2.1 is any 2.1.x, and not 2.11.
is_version() {
	[[ "$1." == "${2:+$2.}"* ]]
}

# --- What is there already ---------------------------------------------------

# Which suite, and made by which edition of this script.
recipe() { echo "$suite $(sha256sum <"$self")"; }

is_complete() {
	[ -x "$dir/mosquitto" ] && [ -s "$dir/version" ] &&
	    [ "$(cat "$dir/recipe" 2>/dev/null)" = "$(recipe)" ] &&
	    is_version "$(cat "$dir/version")" "$version"
}

# Only what this script made is replaced.
check_place() {
	[ ! -e "$dir" ] || [ -e "$dir/recipe" ] ||
	    rmdir "$dir" 2>/dev/null ||
	    die "$dir is there already, and is not of this script"
}

# --- Where packages come from ------------------------------------------------

# Mirrors of this machine that may have Debian's main archive, in its order:
# "ADDRESS FILE:NUMBER", where NUMBER is the line, or the paragraph, of FILE.
# Suites with a dash are security, updates, backports, or not Debian's.
mirrors() {
	apt-get indextargets --no-release-info \
	    --format '$(RELEASE) $(COMPONENT) $(REPO_URI) $(SOURCESENTRY)' \
	    'Created-By: Packages' |
	    awk '$1 !~ /[-\/]/ && $2 == "main" && !seen[$3]++ { print $3, $4 }'
}

# source_option FILE:NUMBER NAME: what this entry says of Trusted or Signed-By.
source_option() {
	local file=${1%:*} number=${1##*:}
	case $file in
	*.sources)
		sed '/^#/d' "$file" | awk -v RS= -v n="$number" 'NR == n' ;;
	*)
		sed -n "${number}s/^deb *\[\(.*\)\].*/\1/p" "$file" |
		    tr ' ' '\n' | sed 's/=/: /' ;;
	esac | sed -n "s/^$2:[ \t]*//Ip"
}

# set_up_apt ADDRESS FILE:NUMBER: an apt of our own, which trusts this mirror
# exactly as the machine does.  Proxies and the like are the machine's.
set_up_apt() {
	local key option
	key=$(source_option "$2" Signed-By)
	option="signed-by=${key:-$keyring}"
	[ "$(source_option "$2" Trusted)" != yes ] || option+=" trusted=yes"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/state"
	: >"$apt/status"
	echo "deb [$option] $1 $suite main" >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-END
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$apt/state";
		Dir::State::lists "$apt/lists";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
		Dir::Cache::pkgcache "pkgcache.bin";
		APT::Sandbox::User "root"; // no other user may reach this folder
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	END
}

own_apt() {
	local command=$1
	shift
	"$command" -q -c "$apt/apt.conf" "$@"
}

# Why apt's update failed, in its own words.
complaint() {
	local line
	line=$(grep -m 1 -E \
	    'NO_PUBKEY|GPG error|is not signed|KEYEXPIRED|EXPKEYSIG' \
	    "$apt/log") && {
		echo "its signature was not verified (${line#"${line%%[^ ]*}"})"
		return
	}
	line=$(grep -m 1 -E '^E:' "$apt/log" || tail -n 1 "$apt/log")
	echo "apt-get update failed ($line)"
}

# Take the first mirror that serves the suite.
find_mirror() {
	local address entry why="this machine's apt knows no mirror of Debian"
	mirrors >"$work/mirrors" || not_to_be_had "apt's sources are unreadable"
	while read -r address entry; do
		set_up_apt "$address" "$entry"
		if own_apt apt-get update --error-on=any >"$apt/log" 2>&1; then
			[ -z "$(newest mosquitto)" ] || return 0
			why="the mirror has no mosquitto in it"
		else
			why=$(complaint)
		fi
		rm -rf "$apt"
	done <"$work/mirrors"
	not_to_be_had "$why"
}

# newest PACKAGE: its version, or nothing.
newest() {
	own_apt apt-cache show --no-all-versions "$1" 2>/dev/null |
	    sed -n 's/^Version: //p'
}

# --- The packages ------------------------------------------------------------

# first_of A|B: the one that the suite has.
first_of() {
	local name
	for name in ${1//|/ }; do
		[ -z "$(newest "$name")" ] || {
			echo "$name"
			return
		}
	done
	not_to_be_had "the suite has no $1"
}

# The wanted packages and all that they depend on.
closure() {
	local each name names=()
	for each in $wanted; do
		name=$(first_of "$each")
		names+=("$name")
	done
	own_apt apt-cache depends --recurse --important "${names[@]}" |
	    grep -E '^[a-z0-9][a-z0-9.+-]*$' | sort -u
}

download() {
	mkdir "$work/packages"
	closure >"$work/names"
	(cd "$work/packages" && xargs apt-get -q -c "$apt/apt.conf" \
	    download <"$work/names") >"$apt/log" 2>&1 ||
	    not_to_be_had "apt-get download failed ($(grep -m 1 ^E: "$apt/log"))"
}

# Where programs and libraries are is the same as on a machine with this suite:
# /bin, /lib and their like are links into /usr.
unpack() {
	local root=$work/new/root name package
	mkdir -p "$root/usr"
	for name in bin sbin lib lib64; do
		mkdir "$root/usr/$name"
		ln -s "usr/$name" "$root/$name"
	done
	for package in "$work"/packages/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" \
		    --no-same-owner --keep-directory-symlink
	done
	libraries=$(cd "$root" && echo usr/lib/*/libc.so.6)
	libraries=${libraries%/libc.so.6}
	/sbin/ldconfig -n "$root/$libraries"
	loader=$(cd "$root" && echo "$libraries"/ld-linux*.so.*)
	[ -x "$root/$loader" ] || die "the loader is not at its place: $loader"
}

# write_program NAME, and what it does on stdin.
write_program() {
	cat >"$work/new/$1" <<-END
		#!/bin/sh
		root=\$(dirname "\$(readlink -f "\$0")")/root
		loader=\$root/$loader
		libraries=\$root/$libraries
	END
	cat >>"$work/new/$1"
	chmod 755 "$work/new/$1"
}

# Where the loader finds nothing in the suite's libraries it looks among this
# machine's, without a word.
write_programs() {
	write_program mosquitto <<-'END'
		exec "$loader" --library-path "$libraries" \
		    "$root/usr/sbin/mosquitto" "$@"
	END
	write_program strays <<-'END'
		list=$("$loader" --library-path "$libraries" --list "$1") ||
		    exit
		echo "$list" | grep -F ' => ' | grep -vF " => $root/" || true
	END
	chmod -R a+rX "$work/new"
}

# The broker itself must say the version that its package has.
check_broker() {
	local said
	said=$("$work/new/strays" "$work/new/root/usr/sbin/mosquitto")
	[ -z "$said" ] || die "the broker of $suite lacks libraries: $said"
	said=$("$work/new/mosquitto" -h 2>&1 || true)
	[[ $said == *"mosquitto version $release"[!0-9]* ]] ||
	    die "the broker of $suite does not run, or is not $release: $said"
}

# upstream VERSION: [epoch:]2.1.2-3 without what Debian adds to it.
upstream() {
	local text=${1#*:}
	echo "${text%-*}"
}

# --- In order ----------------------------------------------------------------

[ $# -ge 2 ] && [ $# -le 3 ] || die "usage: get-broker.sh SUITE DIR [VERSION]"
suite=$1 version=${3:-}
[[ $suite =~ ^[a-z][a-z0-9-]*$ ]] || die "not the name of a suite: $suite"
mkdir -p "$(dirname "$2")"
dir=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")

if ! is_complete; then
	check_place
	# Made beside DIR and then renamed: an interrupted run leaves no half DIR.
	work=$(mktemp -d "$dir.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' INT TERM HUP
	apt=$work/apt
	find_mirror
	package=$(newest mosquitto)
	release=$(upstream "$package")
	is_version "$release" "$version" ||
	    not_to_be_had "it has $release, and $version is wanted"
	echo "Unpacking mosquitto $package of Debian $suite ..."
	download
	unpack
	write_programs
	check_broker
	recipe >"$work/new/recipe"
	echo "$release" >"$work/new/version"
	rm -rf "$dir"
	mv -T "$work/new" "$dir"
fi
echo "Mosquitto $(cat "$dir/version") of Debian $suite: $dir/mosquitto"
