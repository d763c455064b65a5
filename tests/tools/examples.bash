# What the tests of examples/ share: data, an undisturbed run to compare with,
# and a program that stops in the middle of a shard so that the test can kill
# all that is around it.
# shellcheck shell=bash disable=SC2030,SC2031

begin() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	BUILD=$(cd "${BUILD:-build}" && pwd)
	PATH=$BUILD:$PATH
	dir=$BATS_TEST_TMPDIR
	data=$dir/data.jsonl
	model=$PWD/examples/demo/model
	out=$dir/shards
	unset MAKEFLAGS MAKELEVEL	# those of `make check'
}

# The demo's 32 records, $1 times, in JSON Lines; two in 32 are rejected.
make_data() {
	cp -R examples/demo/clips "$dir"
	for ((i = 0; i < $1; i++)); do
		jq -c '.[]' examples/demo/data.json
	done >"$data"
}

# What comes of $1 shares without a fault, one after the other, in $dir/calm.
run_calm() {
	mkdir -p "$dir/calm"
	for ((i = 1; i <= $1; i++)); do
		jsonl-split -q --share "$i/$1" "$data" | dpo-pair -q |
		    audio-check -q | melspec | tokpack -q -m "$model" \
		    -r "$dir/calm/$i.rejects.jsonl" -o "$dir/calm/$i.zst"
	done
}

# Where each record came from, of the JSON Lines on stdin, in order.
places() {
	jq -r '"\(.at.file) \(.at.offset)"' | sort
}

# The shards $1-1-of-$2 to $1-$2-of-$2 are to the byte those of a calm run, so
# are their rejects, and together they hold each record of the data once.
check_shards() {
	local i
	local -a shards=() rejects=()

	for ((i = 1; i <= $2; i++)); do
		cmp "$dir/calm/$i.zst" "$1-$i-of-$2.zst"
		cmp "$dir/calm/$i.rejects.jsonl" "$1-$i-of-$2.rejects.jsonl"
		jq -e .records "$1-$i-of-$2.stats.json" >/dev/null
		shards+=("$1-$i-of-$2.zst")
		rejects+=("$1-$i-of-$2.rejects.jsonl")
	done
	[ "$(find "${1%/*}" -name '*-of-*.zst' | wc -l)" = "$2" ]
	shard-cat --check "${shards[@]}" >/dev/null
	{ shard-cat "${shards[@]}"; cat "${rejects[@]}"; } | places \
	    >"$dir/made"
	[ -s "$dir/made" ]
	jsonl-split -q "$data" | shard-cat | places | diff - "$dir/made"
}

# Each shard that is there, and when it was made.
list_shards() {
	find "$out" -name '*-of-*.zst' -printf '%f %T@ %i\n' | sort
}

# Those that a killed program left half made.
list_halves() {
	find "$out" -name '.*-of-*.zst.*.tmp'
}

# In PATH before ours, a tokpack that, given shard $1, once reads all of its
# input and then waits for an end that does not come; a line in $dir/die, and
# it alone is killed.
set_trap() {
	mkdir "$dir/trap"
	mkfifo "$dir/sprung" "$dir/die"
	: >"$dir/armed"
	cat >"$dir/trap/tokpack" <<-END
	#!/bin/bash
	if [[ \$* == *-$1-of-* ]] && rm "$dir/armed" 2>/dev/null; then
		exec < <(cat; until [ -n "\$(find "$out" -name '.*-$1-of-*.zst.*.tmp' \\
		    -size +0)" ]; do :; done
		    echo "\${SSH_CONNECTION-}" >"$dir/sprung"
		    read -r -t 900 <>"$dir/die"; kill -KILL \$\$)
	fi
	exec "$BUILD/tokpack" "\$@"
	END
	chmod +x "$dir/trap/tokpack"
	PATH=$dir/trap:$PATH
}

# Until then; over ssh, node says in which of the nodes 10.77.NODE.2 it is.
await_trap() {
	read -r -t 300 _ _ node _ <>"$dir/sprung"
	node=${node#10.77.}
	node=${node%.2}
}

# Run COMMAND in a session of its own until it is in the middle of the shard
# with the trap, and kill all of that session at once, as a node dies.
kill_in_the_middle() {
	local session

	setsid "$@" >/dev/null 2>&1 3>&- &
	session=$!
	await_trap
	pkill -KILL -s "$session"
	# Nothing of it may write when the next run begins.
	while pgrep -s "$session" >/dev/null; do sleep 0.01; done
	[ -n "$(list_halves)" ]
}
