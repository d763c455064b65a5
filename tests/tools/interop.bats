#!/usr/bin/env bats
# What other people's programs make of a stream and a shard.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || return
	pairs 0 2000 >pairs.jsonl
}

# pairs FROM TO: pairs of answers, numbered, as JSON Lines.
pairs() {
	jq -cn --argjson from "$1" --argjson to "$2" 'range($from; $to) | {
	    messages: [{role: "user", content: "question \(.)"}],
	    chosen: {role: "assistant", content: "yes \(.)"},
	    rejected: {role: "assistant", content: "no \(.)"}}'
}

# numbered FILE TO: the records in FILE are those of pairs 0 TO, in order.
numbered() {
	jq -r '.chosen.content | ltrimstr("yes ")' "$1" | cmp - \
	    <(seq 0 $(($2 - 1)))
}

@test "zstd tests and reads a stored stream, and one at each kind of level" {
	for level in 0 1 3 19 -5; do
		jsonl-split pairs.jsonl | dpo-pair -z $level >stream
		zstd -tq stream
		zstd -dcq stream >plain
		numbered plain 2000
	done
}

@test "zstd and pzstd read a shard, and streams that cat has joined" {
	jsonl-split pairs.jsonl | dpo-pair -o shard
	jsonl-split pairs.jsonl | dpo-pair >stream
	cat shard stream shard >all
	for file in shard stream; do
		zstd -dcq $file >plain
		numbered plain 2000
		pzstd -dcq $file >plain
		numbered plain 2000
	done
	zstd -dcq all >plain
	[ "$(wc -l <plain)" = 6000 ]
	pzstd -dcq all | cmp - plain
	zstd -lv shard 2>&1 | grep -q 'Check: XXH64'
}

@test "jq reads what goes down the pipe" {
	jsonl-split pairs.jsonl | dpo-pair | zstd -dcq |
	    jq -r .chosen.content | tail -n 1 >last
	[ "$(cat last)" = "yes 1999" ]
}

@test "what cat has joined is a stream to every program" {
	jsonl-split pairs.jsonl >a
	jsonl-split <(pairs 2000 2100) >b
	cat a b a | dpo-pair | shard-cat >plain
	[ "$(wc -l <plain)" = 4100 ]
	[ "$(jq -r .chosen.content plain | sed -n 2101p)" = "yes 0" ]
}

@test "GNU parallel splits a stream between frames, and nothing is lost" {
	# The prefix, its length and, behind four bytes of size, the magic.
	start='\x50\x2A\x4D\x18\x04\x00\x00\x00[\x00-\xFF]{4}\x28\xB5\x2F\xFD'

	for _ in 1 2 3 4 5 6 7 8; do
		cat pairs.jsonl
	done | jq -c ".x = $(seq -s+ 400 | jq -R .)" |
	    jsonl-split >stream
	[ "$(stat -c %s stream)" -gt 20000000 ]
	LC_ALL=C parallel --will-cite --pipe --block 4M -k \
	    --regexp --recstart "$start" dpo-pair --fragment <stream \
	    >joined
	[ "$(LC_ALL=C grep -ca '"program":"dpo-pair"' joined)" -gt 1 ]
	shard-cat --check -q joined
	shard-cat joined >plain
	[ "$(wc -l <plain)" = 16000 ]
	jq -r .chosen.content plain | cmp - \
	    <(for _ in 1 2 3 4 5 6 7 8; do seq -f 'yes %g' 0 1999; done)
}

@test "a shard's table finds each frame, as the seekable format has it" {
	jsonl-split pairs.jsonl | dpo-pair -o shard
	python3 - <<-'END'
	import struct, subprocess
	data = open("shard", "rb").read()
	n, flags, magic = struct.unpack("<IBI", data[-9:])
	assert (flags, magic) == (0, 0x8F92EAB1)
	table = data[-9 - 8 * n - 8:]
	assert struct.unpack_from("<II", table) == (0x184D2A5E, 8 * n + 9)
	at, plain = 0, b""
	for i in range(n):
	    size, content = struct.unpack_from("<II", table, 8 + 8 * i)
	    if content > 0:
	        got = subprocess.run(["zstd", "-dcq"], stdout=subprocess.PIPE,
	                             input=data[at:at + size],
	                             check=True).stdout
	        assert len(got) == content
	        plain += got
	    at += size
	assert at + len(table) == len(data)
	whole = subprocess.run(["zstd", "-dcq", "shard"], check=True,
	                       stdout=subprocess.PIPE).stdout
	assert plain == whole
	END
}
