#!/usr/bin/env bats
# scripts/install-deps, on a machine of which only the names are real.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	for tool in sh sed tr cat mktemp rm tail env; do
		ln -s "$(command -v $tool)" "$bin/$tool"
	done
	export LOG=$BATS_TEST_TMPDIR/log
	: >"$LOG"
}

# fake NAME SCRIPT: a program of that name, whose arguments go to $LOG.
fake() {
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho %s "$@" >>"$LOG"\n%s\n' "$1" "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

@test "where all is there it says nothing and asks no manager" {
	for tool in cc make jq apt-get; do
		fake $tool 'exit 0'
	done
	fake pkg-config 'exit 0'
	PATH=$bin run scripts/install-deps build
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run grep apt-get "$LOG"
	[ "$status" -eq 1 ]
}

@test "without root and sudo it prints the command and exits 2" {
	fake id 'echo 1000'
	fake apt-get 'exit 0'
	PATH=$bin run scripts/install-deps build
	[ "$status" -eq 2 ]
	[[ $output == *"    sudo apt-get install -y --no-install-recommends \
gcc libc6-dev make pkg-config libsndfile1-dev"* ]]
	run grep apt-get "$LOG"
	[ "$status" -eq 1 ]
}

@test "a sudo that asks for no password is used" {
	fake id 'echo 1000'
	fake sudo 'exit 0'
	fake apt-get 'exit 1'
	PATH=$bin run scripts/install-deps build
	[ "$status" -eq 0 ]
	grep -q '^sudo -n env .*apt-get install -y' "$LOG"
}

@test "root installs, and only what is missing" {
	fake id 'echo 0'
	fake apt-get 'exit 0'
	for tool in cc make jq; do
		fake $tool 'exit 0'
	done
	# shellcheck disable=SC2016
	fake pkg-config '[ "$2" != soxr ]'
	PATH=$bin run scripts/install-deps build
	[ "$status" -eq 0 ]
	[ "$output" = "installing libsoxr-dev" ]
	grep -qx 'apt-get install -y --no-install-recommends libsoxr-dev' \
	    "$LOG"
}

@test "old lists are brought up to date once" {
	fake id 'echo 0'
	# shellcheck disable=SC2016
	fake apt-get '[ "$1" != update ] || { : >"$LOG.new"; exit 0; }
	    [ -e "$LOG.new" ]'
	PATH=$bin run scripts/install-deps build
	[ "$status" -eq 0 ]
	[ "$(grep -c update "$LOG")" -eq 1 ]
	[ "$(grep -c install "$LOG")" -eq 2 ]
}

@test "a manager that fails is quoted, and the exit status is 3" {
	fake id 'echo 0'
	fake dnf 'echo no space left >&2; exit 1'
	PATH=$bin run scripts/install-deps build
	[ "$status" -eq 3 ]
	[[ $output == *"no space left"* ]]
	[[ $output == *"this failed: dnf install -y gcc make"* ]]
}

@test "dnf, apk and brew have names for all that is needed" {
	fake id 'echo 0'
	for manager in dnf apk brew; do
		rm -f "$bin/dnf" "$bin/apk" "$bin/brew"
		fake $manager 'exit 0'
		: >"$LOG"
		PATH=$bin run scripts/install-deps build check lint coverage conformance bench
		[ "$status" -eq 0 ]
		grep -q "^$manager .*sndfile.*cmocka.*shellcheck.*ffmpeg" \
		    <(tr '[:upper:]' '[:lower:]' <"$LOG")
	done
}

@test "without any manager it says what is needed" {
	PATH=$bin run scripts/install-deps build
	[ "$status" -eq 2 ]
	[[ $output == *"no apt, dnf, apk or brew here; needed: gcc make"* ]]
}

@test "an unknown group is a usage error" {
	run scripts/install-deps everything
	[ "$status" -eq 2 ]
	[[ $output == *"install-deps GROUP"* ]]
}
