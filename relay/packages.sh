# The part of relay/install that depends on the distribution; it reads this file.
# shellcheck shell=sh disable=SC2034,SC2154

# Sets family, packages and ca_file, by the table `distributions`.
know_distribution() {
	release=/etc/os-release
	[ -r $release ] || die "there is no $release"
	ID='' VERSION_ID='' ID_LIKE=''
	# shellcheck disable=SC1090
	. $release
	family='' run=''
	while read -r pattern its_family its_run; do
		# shellcheck disable=SC2254
		case $ID:$VERSION_ID in $pattern) family=$its_family run=$its_run ;; esac
	done <"$here/distributions"
	[ -n "$family" ] || guess_family
	[ "$run" = run ] || warn "$ID $VERSION_ID: the tests do not run this distribution; it is $run"
	case $family in
	deb)
		packages="postfix libsasl2-modules ca-certificates python3"
		ca_file=/etc/ssl/certs/ca-certificates.crt
		;;
	rpm)
		packages="postfix cyrus-sasl-plain ca-certificates python3"
		ca_file=/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
		;;
	esac
	[ "$guard_metadata" = no ] || packages="$packages nftables"
}

guess_family() {
	[ "$force" = yes ] || die "$ID $VERSION_ID is not in the table relay/distributions; --force installs as on the nearest one"
	case " $ID $ID_LIKE " in
	*" debian "* | *" ubuntu "*) family=deb ;;
	*" rhel "* | *" fedora "* | *" centos "*) family=rpm ;;
	*) die "$ID $VERSION_ID is like no distribution of the table relay/distributions" ;;
	esac
	run="unknown, and treated as one with $family packages (--force)"
}

missing_packages() {
	for package in $packages; do
		if [ "$family" = deb ]; then
			[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf ' %s' "$package"
		else
			rpm -q "$package" >/dev/null 2>&1 || printf ' %s' "$package"
		fi
	done
}

install_packages() {
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	if [ "$checking" = yes ]; then
		different "packages are missing:$missing"
		return 0
	fi
	say "installing$missing"
	# shellcheck disable=SC2086
	if [ "$family" = deb ]; then
		# Else the package would write its own configuration and listen everywhere.
		echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
		DEBIAN_FRONTEND=noninteractive apt-get -q update
		DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing
	else
		dnf -q -y install $missing
		# Another mail program may already be installed.
		if command -v alternatives >/dev/null; then alternatives --set mta /usr/sbin/sendmail.postfix; fi
	fi
}

# The user that Postfix's pipe(8) runs our programs as. With --root no user is created, so it may have to be `nobody`.
make_agent() {
	agent=postern
	if id -u $agent >/dev/null 2>&1; then return 0; fi
	if [ -n "$root" ]; then
		agent=nobody
	elif [ "$checking" = yes ]; then
		different "there is no user $agent"
	else
		useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin $agent
		say "made the user $agent"
	fi
}
