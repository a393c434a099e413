#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# Install into a folder and look whether everything is where the documents say.
# Argument: the build directory (default: build).
set -euo pipefail
cd "$(dirname "$0")/.."

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
DESTDIR=$root cmake --install "${1:-build}" >/dev/null

plugin=$(sed -n 's/^plugin //p' mosquitto.conf.example)
case $(uname -m) in
x86_64) ;;
*) plugin=${plugin/x86_64/$(uname -m)} ;;
esac
missing=0
for path in "$plugin" /usr/bin/certid /usr/share/man/man1/certid.1 \
	/usr/share/bash-completion/completions/certid \
	/usr/share/doc/mosquitto-certid/examples/mosquitto.conf.example; do
	if [ ! -s "$root$path" ]; then
		echo "not installed: $path" >&2
		missing=1
	fi
done
"$root/usr/bin/certid" --version >/dev/null || missing=1
# Three functions and nothing else may be seen by the broker.
seen=$(nm -D --defined-only "$root$plugin" | awk '{print $3}' | sort | xargs)
if [ "$seen" != "mosquitto_plugin_cleanup mosquitto_plugin_init mosquitto_plugin_version" ]; then
	echo "the plugin exports: $seen" >&2
	missing=1
fi
[ $missing = 0 ] && echo "make install: all in place"
exit $missing
