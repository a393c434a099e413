# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# Bash completion for certid.

_certid_globals="--registry --org --json --help --version"
_certid_globals+=" --broker --cert --key --ca-file --username --password-file"
_certid_globals+=" --client-id --timeout"

# The options of a command; one line each, in the order of "certid help".
_certid_options() {
	case "$1" in
	"init") echo "--topics" ;;
	"status") echo "--check" ;;
	"org add") echo "" ;;
	"org list") echo "" ;;
	"org remove") echo "" ;;
	"ca add") echo "--name --description --scope --require-proof --inactive --tag" ;;
	"ca list") echo "" ;;
	"ca show") echo "" ;;
	"ca activate") echo "" ;;
	"ca deactivate") echo "" ;;
	"ca remove") echo "" ;;
	"ca set") echo "--name --description --scope --enrol --rate --crl --crl-grace --crl-url" ;;
	"ca code") echo "" ;;
	"ca verify") echo "" ;;
	"ca crl") echo "" ;;
	"type list") echo "" ;;
	"type show") echo "" ;;
	"type set") echo "--enrol --window --id-format --id-length --id-prefix --pin --rotate --overlap --max-devices --address --privileged" ;;
	"type unset") echo "" ;;
	"rule list") echo "" ;;
	"rule set") echo "--preview" ;;
	"rule unset") echo "--preview" ;;
	"compliance") echo "--limit --after" ;;
	"device add") echo "--window --cert --tag --info" ;;
	"device set") echo "--tag --info --window" ;;
	"device list") echo "--type --state --gateway --locked --waiting --limit --after" ;;
	"device show") echo "" ;;
	"device lock") echo "" ;;
	"device unlock") echo "" ;;
	"device approve") echo "--cert" ;;
	"device pin") echo "--cert --none" ;;
	"device token") echo "--expires --revoke" ;;
	"device attach") echo "" ;;
	"device detach") echo "" ;;
	"device remove") echo "" ;;
	"topic list") echo "" ;;
	"topic add") echo "" ;;
	"topic remove") echo "" ;;
	"set") echo "" ;;
	"import") echo "--type --skip-bad" ;;
	"export") echo "--type --state --output" ;;
	"explain") echo "--cert --chain --client-id --address --token --tls --at" ;;
	"event list") echo "--kind --since --limit" ;;
	"event follow") echo "--kind --since --limit" ;;
	"hook add") echo "--kind --format --secret --ca-file" ;;
	"hook list") echo "" ;;
	"hook show") echo "" ;;
	"hook remove") echo "" ;;
	"metrics") echo "" ;;
	"admin add") echo "" ;;
	"admin list") echo "" ;;
	"admin remove") echo "" ;;
	"help") echo "" ;;
	*) return 1 ;;
	esac
}

# What may follow a word that wants one more: a noun, or all commands.
_certid_words() {
	case "$1" in
	"") echo "init status org ca type rule compliance device topic set import export explain event metrics hook admin help" ;;
	admin) echo "add list remove" ;;
	org) echo "add list remove" ;;
	ca) echo "add list show activate deactivate remove set code verify crl" ;;
	type) echo "list show set unset" ;;
	rule) echo "list set unset" ;;
	device) echo "add set list show lock unlock approve pin token attach detach remove" ;;
	topic) echo "list add remove" ;;
	event) echo "list follow" ;;
	hook) echo "add list show remove" ;;
	esac
}

# The values of an option, where they are known words; $2 is the command.
_certid_values() {
	case "$1 $2" in
	"--enrol type set" | "--enrol ca set")
		echo "auto approve listed default"
		return
		;;
	"--window type set")
		echo "24h 48h 7d none default"
		return
		;;
	esac
	case "$1" in
	--topics) echo "plain iot-2" ;;
	--enrol) echo "auto approve listed" ;;
	--pin) echo "none first listed" ;;
	--rotate) echo "none same-key same-ca approve" ;;
	--overlap) echo "0s 48h 7d default" ;;
	--privileged) echo "yes no" ;;
	--max-devices | --rate) echo "none" ;;
	--expires) echo "24h 30d 365d" ;;
	--id-format) echo "any decimal hex mac mac-colon mac-dash uuid4" ;;
	--window) echo "24h 48h 7d none" ;;
	--crl) echo "off if-present required" ;;
	--crl-grace) echo "0s 12h 24h 7d" ;;
	--crl-url) echo "https:// file:///" ;;
	--state) echo "allowed pending provisioned" ;;
	--tls) echo "yes no" ;;
	--format) echo "cloudevents watson" ;;
	--kind) echo "device-provisioned device-pending device-allowed" \
		"device-approved device-changed" \
		"device-locked device-unlocked device-removed" \
		"device-attached device-detached pin-changed pin-mismatch" \
		"token-changed clone-suspected" \
		"session-closed ca-added ca-proven ca-activated" \
		"ca-deactivated ca-removed ca-expiring crl-updated crl-failed" \
		"rule-changed type-changed setting-changed import" ;;
	*) return 1 ;;
	esac
}

# The values of a setting, where they are known words.
_certid_setting() {
	case "$1" in
	topics | ca-proof) echo "on off" ;;
	types) echo "open declared" ;;
	enrol) echo "auto approve listed" ;;
	client-id) echo "{class}:{type}:{id}" ;;
	max-devices) echo "none" ;;
	clone-action) echo "event lock" ;;
	event-days) echo "90" ;;
	*) return 1 ;;
	esac
}

# The words that an argument of a command may be; $2 is how many there are
# already, $3 the last of them.
_certid_arguments() {
	case "$1 $2" in
	"rule set 0") echo "default" ;;
	"rule set 1") echo "tls-optional token cert cert+token cert-or-token" ;;
	"topic add 0" | "topic remove 0") echo "all d g" ;;
	"topic add 1" | "topic remove 1") echo "publish subscribe both" ;;
	"set 0") echo "topics client-id types enrol max-devices ca-proof sni clone-action event-days" ;;
	"set 1") _certid_setting "$3" ;;
	"help 0") _certid_words "" ;;
	"help 1") _certid_words "$3" ;;
	*) return 1 ;;
	esac
}

# What the registry says, or nothing: never a question, an error or a wait.
_certid_ask() {
	local certid="${COMP_WORDS[0]}" options=() i

	for ((i = 1; i < COMP_CWORD - 1; i++)); do
		case "${COMP_WORDS[i]}" in
		--broker | --broker=*) return ;; # its registry is elsewhere
		--registry | --org) options+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
		esac
	done
	timeout 2 "${certid/#\~/$HOME}" --json "${options[@]}" "$@" \
		2>/dev/null </dev/null
}

# The values of a key in what certid prints as JSON: those of plain letters
# alone, for compgen expands what it is given.
_certid_pick() {
	grep -oE "\"$1\": ?\"[A-Za-z0-9._:-]+\"" | sed -E 's/.*"([^"]*)"$/\1/'
}

# The names that an argument may be, as the registry has them now.
_certid_known() {
	local found

	case "$1 $2" in
	"org remove 0") _certid_ask org list | _certid_pick org ;;
	"ca show 0" | "ca activate 0" | "ca deactivate 0" | "ca remove 0" | \
		"ca set 0" | "ca code 0" | "ca verify 0" | "ca crl 0")
		found="$(_certid_ask ca list)"
		_certid_pick ca <<<"$found"
		# A tag has a name as well, but no id before it.
		grep -oE '"ca": ?"[^"]*",\s*"name": ?"[^"]*"' <<<"$found" |
			_certid_pick name
		;;
	"device show 0" | "device set 0" | "device lock 0" | "device unlock 0" | \
		"device approve 0" | "device remove 0" | "device pin 0" | \
		"device token 0" | "device attach 0" | "device attach 1" | \
		"device detach 0")
		_certid_ask device list --limit 1000 | _certid_pick identity
		;;
	"type show 0" | "type set 0" | "type unset 0" | \
		"compliance 0")
		_certid_ask type list | _certid_pick type
		;;
	"hook show 0" | "hook remove 0") _certid_ask hook list | _certid_pick hook ;;
	"admin remove 0") _certid_ask admin list | _certid_pick name ;;
	*) return 1 ;;
	esac
}

# Bash breaks words at a ':', which identities and types hold: make whole what
# belongs together.
_certid_join() {
	local words=() word glue="" last

	for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
		if [[ ${#words[@]} -gt 0 && ("$word" == :* || -n "$glue") ]]; then
			last=$((${#words[@]} - 1))
			words[last]+="$word"
		else
			words+=("$word")
		fi
		glue=""
		[[ "$word" == *: ]] && glue=1
	done
	COMP_WORDS=("${words[@]}")
	COMP_CWORD=$((${#words[@]} - 1))
}

# Whether the argument is a file; $2 is how many there are already.
_certid_wants_file() {
	case "$1 $2" in
	"ca add 0" | "ca verify 1" | "ca crl 1" | "import 0") return 0 ;;
	*) return 1 ;;
	esac
}

_certid_complete() {
	local current="${COMP_WORDS[COMP_CWORD]}" previous="" command="" word
	local arguments=0 argument="" skip="" i words

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word="${COMP_WORDS[i]}"
		previous="$word"
		if [[ -n "$skip" ]]; then
			skip=""
			previous=""
			continue
		fi
		case "$word" in
		--json | --help | --version | --check | --inactive | --require-proof | --preview | --locked | --waiting | --none | --revoke | --skip-bad) ;;
		-*) skip=1 ;;
		*)
			if _certid_options "$command" >/dev/null; then
				arguments=$((arguments + 1))
				argument="$word"
			else
				command="${command:+$command }$word"
			fi
			;;
		esac
	done

	if [[ -n "$skip" ]]; then
		if [[ "$previous" == --org ]]; then
			words="$(_certid_ask org list | _certid_pick org)"
			mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
		elif words="$(_certid_values "$previous" "$command")"; then
			mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
		fi
		return
	fi
	if [[ "$current" == -* ]]; then
		words="$_certid_globals $(_certid_options "$command")"
	elif ! _certid_options "$command" >/dev/null; then
		words="$(_certid_words "$command")"
	elif _certid_wants_file "$command" "$arguments"; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
	elif ! words="$(_certid_arguments "$command" "$arguments" "$argument")" &&
		! words="$(_certid_known "$command" "$arguments")"; then
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

_certid() {
	local COMP_WORDS=("${COMP_WORDS[@]}") COMP_CWORD="$COMP_CWORD" current
	local typed

	_certid_join
	_certid_complete
	current="${COMP_WORDS[COMP_CWORD]}"
	# Bash replaces what stands behind the last ':' alone.
	if [[ "$current" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then
		typed="${current%"${current##*:}"}"
		COMPREPLY=("${COMPREPLY[@]#"$typed"}")
	fi
}

complete -F _certid certid
