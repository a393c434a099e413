#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# test-brokers.sh [BUILD] - one plugin, every Mosquitto that it is made for.
#
# Runs the broker suite with a build folder (default: build) on this machine's
# Mosquitto, on 2.0.21 of Debian 13 and on 2.1 of the Debian to come, each with
# both values of tls_verify; but not what "make test" runs already.  The other
# two brokers are unpacked by get-broker.sh.  A failure does not keep the rest
# from running.  The last lines tell what ran and what did not.
set -euo pipefail

build=$(cd "${1:-build}" && pwd)
cd -P "$(dirname "$0")/.."
here=/usr/sbin/mosquitto

results=()
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# The broker, which root starts, loads the plugin when it has become the user
# mosquitto.  So that user must be able to reach the libraries.
is_reachable() {
	[ "$(id -u)" -ne 0 ] || setpriv --reuid=mosquitto --regid=mosquitto \
	    --clear-groups test -x "$1"
}

choose_place() {
	place=$PWD/build/brokers
	mkdir -p "$place"
	if ! is_reachable "$place"; then
		echo "The user mosquitto cannot enter $place: not keeping brokers."
		chmod 755 "$work"
		place=$work
	fi
}

# What pytest said in the end: one line for each of its runs.
endings() {
	grep -oE '^=+ [0-9]+ [a-z].* in [0-9.]+s' "$1" | sed 's/^=* //' |
	    paste -sd ';' | sed 's/;/; /g'
}

# run MOSQUITTO NAME MODE
run() {
	local name="$2, tls_verify $3" log=$work/log word=passed
	printf '\n== %s ==\n' "$name"
	if MOSQUITTO=$1 CERTID_TLS_VERIFY=$3 \
	    scripts/broker-suite.sh "$build" 2>&1 | tee "$log"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		word=FAILED
	fi
	results+=("$word: $name: $(endings "$log")")
}

# obtain VERSION SUITE...: the first suite that has it becomes $suite.  As
# get-broker.sh: 3, if it cannot be had.
obtain() {
	local version=$1 code=3
	shift
	why=
	for suite in "$@"; do
		scripts/get-broker.sh "$suite" "$place/$suite" "$version" \
		    2>"$work/why" && return
		code=$?
		cat "$work/why" >&2
		why+="${why:+; }$(tail -n 1 "$work/why")"
		[ $code -eq 3 ] || break
	done
	return $code
}

# The plugin must find all that it needs among the libraries of the suite.
has_libraries() {
	local strays
	strays=$("$place/$suite/strays" "$build/plugin/mosquitto_certid.so" \
	    2>&1) || strays="all ($strays)"
	why="the plugin takes from this machine: $(xargs <<<"$strays")"
	[ -z "$strays" ]
}

# run_other VERSION SUITE...: both modes.
run_other() {
	local code=0 name
	obtain "$@" || code=$?
	[ $code -ne 0 ] || has_libraries || code=1
	case $code in
	0)
		name="Mosquitto $(cat "$place/$suite/version") of Debian $suite"
		run "$place/$suite/mosquitto" "$name" broker
		run "$place/$suite/mosquitto" "$name" plugin
		;;
	3)
		skipped=$((skipped + 2))
		results+=("SKIPPED: Mosquitto $1: $why")
		;;
	*)
		failed=$((failed + 2))
		results+=("FAILED: Mosquitto $1: $why")
		;;
	esac
}

choose_place
run "$here" "Mosquitto of this machine" plugin
run_other 2.0.21 trixie
run_other 2.1 forky sid

printf '\n'
printf '%s\n' "${results[@]}"
printf 'brokers: %d passed, %d failed, %d skipped\n' \
    "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
