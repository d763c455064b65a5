#!/usr/bin/env bats
# The commands that ossicle(7) and the README show, run as they stand, in a
# folder with the demo's data.json and its model as MODEL.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	page=$PWD/man/ossicle.7
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	# Copies: audio that a link leads out of the data's folder to is refused.
	cp -R examples/demo/data.json examples/demo/clips "$BATS_TEST_TMPDIR"
	cp -R examples/demo/model "$BATS_TEST_TMPDIR/MODEL"
	readme=$PWD/README.md
	cd "$BATS_TEST_TMPDIR" || exit
}

# The N-th literal block of the page, as text.
block() {
	awk -v n="$1" '/^\.Bd -literal/ { in_block = ++i == n; next }
	/^\.Ed/ { in_block = 0 }
	in_block' "$page" | sed "s/\\\\(aq/'/g; s/\\\\e/\\\\/g"
}

# The indented block of the README that holds $1.
readme_block() {
	awk -v what="$1" '
	/^    / { block = block substr($0, 5) "\n"; next }
	index(block, what) { printf "%s", block; exit }
	{ block = "" }' "$readme"
}

# Run commands as a user types them.
type_in() {
	[ -n "$1" ]
	bash -c "$1" 2>said
}

@test "the pipe makes a shard" {
	type_in "$(block 1)"
	[ "$(shard-cat train.zst | wc -l)" -eq 30 ]
}

@test "zstd and jq look into the pipe" {
	[ "$(type_in "$(block 2)" | wc -l)" -eq 32 ]
}

@test "what is wrong is found and counted without making anything" {
	run type_in "$(block 3)"
	[ "$(echo "$output" | xargs)" = "1 audio-count 1 audio-truncated" ]
}

@test "four jobs make four shards" {
	type_in "$(block 4)"
	for i in 1 2 3 4; do
		shard-cat "train-$i.zst"
	done >records
	[ "$(wc -l <records)" -eq 30 ]
}

@test "a record is text again" {
	type_in "$(block 1)"
	run type_in "$(block 5)"
	[[ $output == *"You are a patient teacher of mathematics."* ]]
}

@test "the README's check says what is wrong" {
	cp data.json my.json
	type_in "$(readme_block my.json)"
	grep -q '^my.json:25: error: .* \[audio-count\]$' said
}

@test "mended rejects go through the same pipe, and shards join" {
	type_in "$(block 1)"
	mend='if .data then .data.audios += ["clips/numbers.ogg"]
	    else .audios = ["clips/weather.wav"] end'
	jq -c "$mend" rejects.jsonl >mended.jsonl
	mv mended.jsonl rejects.jsonl
	type_in "$(readme_block mended.zst)"
	[ ! -s rejects-2.jsonl ]
	[ "$(shard-cat all.zst | jq -r .at.line | tail -n 2 | xargs)" = \
	    "25 31" ]
	[ "$(shard-cat all.zst | wc -l)" -eq 32 ]
}

@test "the README's looks into a shard" {
	type_in "$(block 1)"
	run type_in "$(readme_block 'shard-cat --check')"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "{" ]]
	[[ $output == *"train.zst: ok: 30 records"* ]]
}
