#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# demo.sh [BUILD-FOLDER] - show what mosquitto_certid does, on this machine.
#
# Starts a broker of its own with mosquitto.conf.example (only paths and ports
# are replaced), connects devices, and checks what becomes of each.  Ends with
# 0 if everything was as it should be.  Everything is in a temporary folder,
# which is removed in the end.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "${1:-${CERTID_BUILD:-$repo/build}}" && pwd)
mosquitto=${MOSQUITTO:-/usr/sbin/mosquitto}
own_processes=()
work=$(mktemp -d "${TMPDIR:-/tmp}/certid-demo-XXXXXX")

# --- Talking and checking ----------------------------------------------------

bold='' plain=''
if [ -t 1 ]; then
	bold=$'\e[1m' plain=$'\e[0m'
fi

heading() { printf '\n%s== %s ==%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s\n' "$*"; }
command_line() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; }

clean_up() {
	local pid
	for pid in "${own_processes[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	cd /
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

fail() {
	printf '\nNOT AS IT SHOULD BE: %s\n' "$*" >&2
	if [ -s log/mosquitto.log ]; then
		printf 'The end of the broker log:\n' >&2
		tail -n 20 log/mosquitto.log >&2
	fi
	exit 1
}

# until_true COMMAND...: try it for up to ten seconds.
until_true() {
	local end=$((SECONDS + 10))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# show COMMAND...: print it as one types it, run it, print what it says.  It
# must succeed.
show() {
	command_line "$(words "$@")"
	"$@" 2>&1 || fail "this command must succeed"
}

# show_failing COMMAND...: the same for one that must not succeed.
show_failing() {
	command_line "$(words "$@")"
	! "$@" 2>&1 || fail "this command must not succeed"
}

# The words of a command, quoted only where a shell needs it.
words() {
	local word line=
	for word in "$@"; do
		if [[ $word =~ ^[A-Za-z0-9_./:=+@,-]+$ ]]; then
			line+=" $word"
		else
			line+=" '$word'"
		fi
	done
	printf '%s' "${line# }"
}

# --- Preparing ---------------------------------------------------------------

free_port() {
	local port=$1
	while (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((20000 + RANDOM % 20000))
	done
	printf '%s' "$port"
}

new_key() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	    -out "$1" 2>/dev/null
}

# new_ca FILE NAME
new_ca() {
	new_key "$1.key"
	openssl req -x509 -new -key "$1.key" -subj "/CN=$2" -days 365 \
	    -addext 'basicConstraints=critical,CA:TRUE' \
	    -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$1.pem"
}

# new_certificate FILE CA-FILE COMMON-NAME [EXTENSION]
new_certificate() {
	new_key "$1.key"
	openssl pkey -in "$1.key" -pubout -out "$1.pub"
	openssl x509 -new -subj "/CN=$3" -force_pubkey "$1.pub" -days 7 \
	    -CA "$2.pem" -CAkey "$2.key" -out "$1.pem" \
	    -extfile <(printf '%s\n' "${4:-extendedKeyUsage=clientAuth}")
}

make_certificates() {
	new_ca server-ca "Demo server CA"
	new_certificate server server-ca localhost \
	    'subjectAltName=DNS:localhost,IP:127.0.0.1'
	new_ca factory-ca "Demo factory CA"
	new_ca supplier-ca "Demo supplier CA"
	new_ca stranger-ca "Stranger CA"
	new_certificate meter-0001 factory-ca d:meter:0001
	new_certificate meter-0002 factory-ca d:meter:0002
	new_certificate nobody factory-ca "Serial number 4711"
	new_certificate stranger stranger-ca d:meter:0001
	new_certificate pump-0001 supplier-ca d:pump:0001
}

# The folders that the example configuration speaks of, and the broker's own
# certificate.  Started by root, the broker becomes the user mosquitto.
make_folders() {
	mkdir -p etc/certs lib/certid/ca log
	cp server.pem etc/certs/server.crt
	cp server.key etc/certs/server.key
	cp "$repo/packaging/acl.example" etc/acl
	mosquitto_passwd -b -c etc/passwd backend demo
	cp "$build/plugin/mosquitto_certid.so" .
	chmod 755 "$work"
	chmod 750 lib/certid
	if [ "$(id -u)" -eq 0 ]; then
		chown -R mosquitto: etc lib log
	fi
}

make_configuration() {
	sed -e "s|^plugin /.*|plugin $work/mosquitto_certid.so|" \
	    -e "s|/etc/mosquitto/|$work/etc/|" \
	    -e "s|/var/lib/mosquitto/|$work/lib/|" \
	    -e "s|/var/log/mosquitto/|$work/log/|" \
	    -e "s|^listener 8883\$|listener $tls_port|" \
	    -e "s|^listener 1883 |listener $plain_port |" \
	    "$repo/mosquitto.conf.example" >mosquitto.conf
}

start_broker() {
	command_line "mosquitto -c mosquitto.conf &"
	"$mosquitto" -c mosquitto.conf >broker.out 2>&1 &
	own_processes+=($!)
	until_true grep -q 'mosquitto version .* running' log/mosquitto.log ||
	    fail "the broker did not start: $(cat broker.out)"
	say "It runs.  Devices: port $tls_port with TLS.  Back-end: port $plain_port."
}

start_back_end() {
	local line=(mosquitto_sub -h localhost -p "$plain_port" -u backend
	    -P demo -t 'd/#' -v -d)
	command_line "$(words "${line[@]}") > backend.out &"
	stdbuf -oL "${line[@]}" >backend.out 2>&1 &
	own_processes+=($!)
	until_true grep -q SUBACK backend.out ||
	    fail "the back-end application could not subscribe"
	say "It has subscribed to everything that devices report."
}

# --- What devices do ---------------------------------------------------------

# publish CERTIFICATE CLIENT-ID TOPIC MESSAGE, as the device would.
publish() {
	timeout 10 mosquitto_pub -h localhost -p "$tls_port" -V 5 -q 1 \
	    --cafile server-ca.pem --cert "$1.pem" --key "$1.key" \
	    -i "$2" -t "$3" -m "$4"
}

# show_publish HOW CERTIFICATE CLIENT-ID TOPIC MESSAGE; HOW: yes or no, whether
# mosquitto_pub must succeed; any.
show_publish() {
	local how=$1 code=0
	shift
	command_line "mosquitto_pub -h localhost -p $tls_port -V 5 -q 1" \
	    "--cafile server-ca.pem \\"
	say "    --cert $1.pem --key $1.key -i $(words "$2") -t $3 -m $4"
	publish "$@" 2>&1 || code=$?
	case $how in
	yes) [ "$code" -eq 0 ] || fail "the device was not let in" ;;
	no) [ "$code" -ne 0 ] || fail "the device was let in" ;;
	esac
}

# The back-end has this line.
expect_received() {
	until_true grep -qxF "$1" backend.out ||
	    fail "the back-end did not receive: $1"
	say "The back-end received:  $1"
}

expect_not_received() {
	! grep -qF "$1" backend.out || fail "the back-end received: $1"
}

# expect_log WORDS: a new line of the log has them.
log_seen=0
new_log() { tail -n "+$((log_seen + 1))" log/mosquitto.log; }
in_new_log() { new_log | grep -q -- "$1"; }
expect_log() {
	until_true in_new_log "$1" || fail "the log does not say: $1"
	say "The broker's log:"
	new_log | grep -m 1 -- "$1" | sed 's/^[^ ]* /    /'
	log_seen=$(wc -l <log/mosquitto.log)
}

# explain REASON CERTIFICATE [OPTION...]: "certid explain" refuses, for this.
explain() {
	local reason=$1 certificate=$2
	shift 2
	show_failing certid explain --cert "$certificate.pem" "$@" | tee explain.out
	grep -q -- "$reason" explain.out ||
	    fail "certid explain does not say $reason"
}

# --- The demonstration -------------------------------------------------------

for tool in openssl mosquitto_pub mosquitto_sub mosquitto_passwd stdbuf; do
	command -v "$tool" >/dev/null || fail "this demo needs the command $tool"
done
for product in "$build/plugin/mosquitto_certid.so" "$build/ctl/certid"; do
	[ -e "$product" ] || fail "$product is not built yet"
done

cd "$work"
export PATH="$build/ctl:$PATH" CERTID_REGISTRY="$work/lib/certid/registry.db"
unset XDG_CONFIG_HOME
export HOME="$work" # no mosquitto_pub defaults of yours

heading "1. Certificates"
say "Two CAs that we trust, factory and supplier; one stranger; some devices."
say "All made by openssl just now, in $work."
tls_port=$(free_port 8883)
plain_port=$(free_port 1883)
make_certificates
make_folders
make_configuration

heading "2. A registry, and the CAs in it"
show certid init
show certid ca add factory-ca.pem --name factory
show certid ca add supplier-ca.pem --name supplier
show certid ca list

heading "3. The broker, with mosquitto.conf.example"
start_broker
say "A back-end application connects with its password."
start_back_end

heading "4. A device that nobody has heard of publishes"
say "Its certificate names it d:meter:0001, and the factory's CA signed it."
say "That is enough: it is let in at once and written down."
show_publish yes meter-0001 d:meter:0001 d/meter/0001/evt 21.5
expect_received "d/meter/0001/evt 21.5"
expect_log 'certid: admitted reason=provisioned identity=d:meter:0001'
until_true certid device show d:meter:0001 || fail "the device is not listed"
show certid device list | tee devices.out
grep -q 'd:meter:0001' devices.out || fail "the device is not listed"

heading "5. A stranger's CA"
say "The same name, but a CA that nobody registered.  TLS ends at once."
show_publish no stranger d:meter:0001 d/meter/0001/evt stranger
expect_log 'certificate verify failed'
explain ca-unknown stranger

heading "6. A certificate without an identity"
say "The factory's CA signed it, but it does not name a device."
show_publish no nobody d:meter:0001 d/meter/0001/evt nobody
expect_log 'certid: refused reason=identity-none'
explain identity-none nobody

heading "7. A wrong client id"
say "d:meter:0002 calls itself d:meter:0001.  If that worked, it would take"
say "over the other device's session."
show_publish no meter-0002 d:meter:0001 d/meter/0001/evt thief
expect_log 'certid: refused reason=client-id identity=d:meter:0002'
explain client-id meter-0002 --client-id d:meter:0001

heading "8. A foreign topic"
say "d:meter:0002 may connect, but not speak for d:meter:0001."
show_publish any meter-0002 d:meter:0002 d/meter/0001/evt forged
expect_log 'certid: denied .*identity=d:meter:0002'
say "What it may do is in the topic rules:"
show certid topic list
show_publish yes meter-0002 d:meter:0002 d/meter/0002/evt 19.0
expect_received "d/meter/0002/evt 19.0"

heading "9. A locked device"
log_seen=$(wc -l <log/mosquitto.log)
show certid device lock d:meter:0001
show_publish no meter-0001 d:meter:0001 d/meter/0001/evt locked
expect_log 'certid: refused reason=device-locked identity=d:meter:0001'
explain device-locked meter-0001

heading "10. A deactivated CA"
say "A pump of the supplier publishes.  Then we take the supplier's CA away,"
say "while the broker runs."
show_publish yes pump-0001 d:pump:0001 d/pump/0001/evt 3.2
expect_received "d/pump/0001/evt 3.2"
log_seen=$(wc -l <log/mosquitto.log)
show certid ca deactivate supplier
say "The broker follows within a second."
sleep 1
show_publish no pump-0001 d:pump:0001 d/pump/0001/evt inactive
expect_log 'certid: refused reason=ca-inactive identity=d:pump:0001'
explain ca-inactive pump-0001

heading "11. What came through, and what did not"
say "The back-end received:"
grep "^d/" backend.out | sed "s/^/    /"
for word in stranger nobody thief forged locked inactive; do
	expect_not_received " $word"
done
show certid event list
printf '\n%sEverything was as it should be.%s\n' "$bold" "$plain"
