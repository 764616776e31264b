# The part of relay/install that keeps this host's mail below SES's rate; it reads this file.
# shellcheck shell=sh disable=SC2034,SC2154
#
# SES allows a number of messages a second and answers 454 to more; Postfix would retry those a minute later, all at
# once. So this limits the rate: a connection carries 1 / SMTP_ANSWER messages a second, a transport with a rate delay one.

SMTP_ANSWER=0.15 API_ANSWER=0.25 # seconds that SES usually takes for a message; with api, including Python's start
MOST=20                          # parallel connections, Postfix's own default
USUAL_RATE=14                    # a second; SES's default outside the sandbox

calculate() { awk "BEGIN { print ($1) }"; }
at_least_1() { calculate "int($1) < 1 ? 1 : int($1)"; }

# Sets pace (messages a second), why, connections and lanes.
know_rate() {
	if [ -n "$rate" ]; then
		pace=$rate why="as --rate says"
	else
		ask_the_account
		pace=$(calculate "$account_rate / 2 / $hosts < 1 ? 1 : $account_rate / 2 / $hosts")
		why="half of the account's $account_rate by $hosts (--hosts), and 1 at least"
		[ "$asked" = yes ] || why="$why; the account could not be asked"
	fi
	if [ "$credentials" = api ]; then answer=$API_ANSWER; else answer=$SMTP_ANSWER; fi
	connections=$(at_least_1 "$pace * $answer > $MOST ? $MOST : $pace * $answer")
	lanes=0
	if [ "$credentials" = smtp ] && [ "$(calculate "$pace * $answer < 1")" = 1 ]; then lanes=$(at_least_1 "$pace"); fi
	delay=$(calculate "$pace < 1 ? int(1 / $pace + 0.999) : 1")
	# With api each run of postern-send waits this many seconds before it sends, and this many run in parallel.
	wait=$(calculate "$connections / $pace > 0.1 ? $connections / $pace - 0.1 : 0")
}

# The account's rate from SES; else from an earlier run, else the default.
ask_the_account() {
	asked=no
	if [ -z "$root" ] && heard=$("$here/send-rate" --region "$region"); then
		account_rate=$heard asked=yes
	elif [ -r "$root/etc/postern/relay" ]; then
		account_rate=$(sed -n 's/^account_rate=//p' "$root/etc/postern/relay")
	fi
	account_rate=${account_rate:-$USUAL_RATE}
}

say_rate() { say "at most $pace messages a second: $why"; }

# More of main.cf.
rate_settings() {
	[ "$credentials" = smtp ] || return 0
	echo
	echo "# --- SES's rate: $pace messages a second, $why"
	echo "smtp_destination_concurrency_limit = $connections"
	for lane in $(seq 1 "$lanes"); do echo "lane${lane}_destination_rate_delay = ${delay}s"; done
}

# More of master.cf: transports that send one message a second each, or one in more seconds.
rate_services() {
	for lane in $(seq 1 "$lanes"); do echo "lane$lane    unix       - - n -     1 smtp"; done
}

# A message takes one of them at random: for sender_dependent_default_transport_maps. (qmgr caches the choice for half a
# minute for one sender and recipient, so a flood to one address gets one message a second.)
rate_transports() {
	[ "$lanes" -gt 0 ] || return 0
	printf ', randmap:{'
	for lane in $(seq 1 "$lanes"); do
		[ "$lane" = 1 ] || printf ', '
		printf 'lane%s:' "$lane"
	done
	printf '}'
}
