#!/usr/bin/env bats
# shard-cat: look into streams and shards, check them, join them.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	demo=$PWD/examples/demo
	cd "$BATS_TEST_TMPDIR" || return
}

# pairs FROM TO: pairs of answers, numbered, as JSON Lines.
pairs() {
	jq -cn --argjson from "$1" --argjson to "$2" 'range($from; $to) | {
	    messages: [{role: "user", content: "question \(.)"}],
	    chosen: {role: "assistant", content: "yes \(.)"},
	    rejected: {role: "assistant", content: "no \(.)"}}'
}

# shard FILE FROM TO [OPTION...]: a shard of such pairs, a frame for every
# few of them.
shard() {
	file=$1 from=$2 to=$3
	shift 3
	for ((i = from; i < to; i += 3)); do
		pairs $i $((i + 3 < to ? i + 3 : to)) | jsonl-split |
		    dpo-pair
	done | shard-cat -o "$file" "$@"
}

# part FILE: one data frame of FILE, as a part of a stream, to "part".
part() {
	python3 - "$1" <<-'END'
	import struct, subprocess, sys
	# zstd writes the size of a file, not of what comes from a pipe.
	frame = subprocess.run(["zstd", "-cq", "--check", sys.argv[1]],
	                       stdout=subprocess.PIPE, check=True).stdout
	open("part", "wb").write(
	    struct.pack("<III", 0x184D2A50, 4, len(frame)) + frame)
	END
}

# numbers: of the pairs that come in.
numbers() {
	jq -r '.chosen.content | ltrimstr("yes ")' | paste -sd ' '
}

@test "records come out as JSON Lines, to the byte as they went in" {
	pairs 0 20 | jsonl-split | dpo-pair >stream
	zstd -dcq stream >want
	shard-cat stream | cmp - want
	shard-cat <stream | cmp - want
	shard-cat -o shard stream
	shard-cat shard | cmp - want
}

@test "one record, or a range with both ends, by number" {
	shard s 0 20
	[ "$(shard-cat -n 0 s | numbers)" = 0 ]
	[ "$(shard-cat -n 19 s | numbers)" = 19 ]
	[ "$(shard-cat -n 4-9 s | numbers)" = "4 5 6 7 8 9" ]
	[ "$(shard-cat -n 7-7 s | numbers)" = 7 ]
	[ "$(shard-cat -n 4-5 <s | numbers)" = "4 5" ]
	# A pipe cannot be sought in.
	# shellcheck disable=SC2002
	[ "$(cat s | shard-cat -n 4-5 | numbers)" = "4 5" ]
}

@test "numbers run on over the files, and over what cat has joined" {
	shard a 0 5
	shard b 5 12
	pairs 12 20 | jsonl-split | dpo-pair >c
	cat a b >ab
	for files in "a b c" "ab c"; do
		# shellcheck disable=SC2086
		[ "$(shard-cat -n 3-13 $files | numbers)" = \
		    "3 4 5 6 7 8 9 10 11 12 13" ]
	done
}

@test "beyond the last record it exits 1, after what there is" {
	shard s 0 5
	run --separate-stderr shard-cat -n 5 s
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "$stderr" = "shard-cat: error: no record 5: there are 5" ]
	run --separate-stderr shard-cat -n 3-9 s
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 2 ]
}

@test "a record is fetched by the table: damage elsewhere does not matter" {
	shard s 0 30
	n=$(stat -c %s s)
	# In the middle of the file: not in the first frame, nor the table.
	printf 'XXXX' | dd of=s bs=1 seek=$((n / 4)) conv=notrunc status=none
	[ "$(shard-cat -n 0 s | numbers)" = 0 ]
	[ "$(shard-cat -n 29 s | numbers)" = 29 ]
	run shard-cat s
	[ "$status" = 3 ]
}

@test "--check says how much there is, and exits 0" {
	shard s 0 20
	run shard-cat --check s
	[ "$status" = 0 ]
	[ "$output" = "s: ok: 20 records, 0 with an error, in 7 data frames; \
0 rejected before" ]
	run shard-cat --check -q s
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "--check names each damaged frame, and exits 3" {
	shard s 0 30 -z 0
	# The text of records 7 and 22: of data frames 2 and 7.
	LC_ALL=C sed -i 's/yes 7"/yes 8"/; s/yes 22"/yes 23"/' s
	run --separate-stderr shard-cat --check s
	[ "$status" = 3 ]
	[ "$output" = "s: DAMAGED: 24 records, 0 with an error, in 10 data \
frames; 0 rejected before" ]
	[ "$(grep -c 'error: data frame' <<<"$stderr")" = 2 ]
	[[ $stderr == *"s: error: data frame 2: frame at byte "*"checksum"* ]]
	[[ $stderr == *"data frame 7: frame at byte "* ]]
	run --separate-stderr shard-cat --check -q s
	[ "$status" = 3 ]
	[ -z "$output$stderr" ]
}

@test "--check finds any flipped bit in a frame" {
	shard s 0 6 -z 0
	python3 - <<-'END'
	import struct, subprocess
	whole = open("s", "rb").read()
	at = whole.index(struct.pack("<II", 0x184D2A50, 4))
	end = at + 12 + struct.unpack_from("<I", whole, at + 8)[0]
	for bit in range(8 * at, 8 * end, 7):
	    flipped = bytearray(whole)
	    flipped[bit // 8] ^= 1 << bit % 8
	    rc = subprocess.run(["shard-cat", "--check", "-q"],
	                        input=flipped).returncode
	    assert rc == 3, (bit, rc)
	END
}

@test "a stream cut at any byte ends it with 3, whatever is asked" {
	shard s 0 3
	size=$(stat -c %s s)
	for ((n = 0; n < size; n += 13)); do
		for option in --check --lengths "-o x" ""; do
			rc=0
			# shellcheck disable=SC2086
			head -c $n s | shard-cat $option >/dev/null 2>&1 || rc=$?
			[ "$rc" = 3 ]
		done
	done
	[ ! -e x ]
}

@test "-o joins shards and streams into one, with one table" {
	shard a 0 5
	pairs 5 12 | jsonl-split | dpo-pair >b
	shard c 12 20
	shard-cat -o all a b c
	[ "$(shard-cat all | numbers)" = "$(echo {0..19})" ]
	[ "$(shard-cat -n 11-13 all | numbers)" = "11 12 13" ]
	shard-cat --check -q all
	cat a b c | shard-cat -o all2
	cmp all all2
	shard-cat -o all3 all
	cmp all all3
}

@test "-o with -n keeps the range, and publishes nothing beyond the last" {
	shard s 0 20
	shard-cat -o part -n 4-10 s
	[ "$(shard-cat part | numbers)" = "4 5 6 7 8 9 10" ]
	shard-cat --check -q part
	run shard-cat -o none -n 15-25 s
	[ "$status" = 1 ]
	[ ! -e none ]
}

@test "-o leaves what was there when an input is damaged" {
	shard s 0 6
	echo before >out
	head -c 300 s >short
	run shard-cat -o out s short
	[ "$status" = 3 ]
	[ "$(cat out)" = before ]
	[ "$(ls -A)" = "$(printf 'out\ns\nshort')" ]
}

@test "a part of a stream is read with --fragment" {
	shard s 0 20 -z 0
	python3 - <<-'END'
	import struct
	whole = open("s", "rb").read()
	at = whole.index(struct.pack("<II", 0x184D2A50, 4))
	open("part", "wb").write(whole[at:whole.index(b"\x52\x2a\x4d\x18")])
	END
	run shard-cat part
	[ "$status" = 3 ]
	[ "$(shard-cat --fragment part | numbers)" = "$(echo {0..19})" ]
	shard-cat --fragment -o whole part
	[ "$(shard-cat whole | numbers)" = "$(echo {0..19})" ]
}

@test "--lengths prints tokens in columns, from the shard's own account" {
	printf '%s\n' '{"audio":[{"tokens":7},{"tokens":9}]}' '{}' >lines
	part lines
	want=$(printf '0\t0\t0\t7,9\n1\t0\t0\t\n')
	[ "$(shard-cat --lengths --fragment part)" = "$want" ]
	shard-cat --fragment -o s part
	[ "$(shard-cat --lengths s)" = "$want" ]
	[ "$(shard-cat --lengths -n 1 s)" = "$(printf '1\t0\t0\t\n')" ]
	zstd -dcq s >/dev/null
	LC_ALL=C grep -qa '"records":\[2\],"chosen":\[0,0\],"rejected":\[0,0\],"audio":\[\[7,9\],\[\]\]' s
}

@test "--text spells the tokens of each side, and what is trained on" {
	pairs 0 3 | jsonl-split | dpo-pair | tokpack -m "$demo/model" -o s
	run shard-cat --text -m "$demo/model" -n 1 s
	[ "$status" = 0 ]
	[ "$(jq -r .record <<<"$output")" = 1 ]
	[[ $(jq -r .chosen.text <<<"$output") == *"question 1<|im_end|>"* ]]
	[ "$(jq -r .chosen.labels <<<"$output")" = "yes 1<|im_end|>" ]
	[ "$(jq -r .rejected.labels <<<"$output")" = "no 1<|im_end|>" ]
}

@test "--text of records without tokens names the program that adds them" {
	shard s 0 3
	run shard-cat --text -m "$demo/model" s
	[ "$status" = 3 ]
	[[ $output == *"record 0: the record has no chosen_input_ids"* ]]
	[[ $output == *"hint: tokpack adds it"* ]]
}

@test "wrong usage is one line and exits 2" {
	shard s 0 3
	for args in "--no-such" "-n x s" "-n 5-3 s" "-n -1 s" "-n 1- s" \
	    "--check --lengths s" "--check -o x s" "--check -n 1 s" \
	    "-z 3 s" "--text s" "-m x s" "-z 1.5 -o x s" "-z 99 -o x s"; do
		# shellcheck disable=SC2086
		run --separate-stderr shard-cat $args
		[ "$status" = 2 ]
		[ -z "$output" ]
		[ "$(grep -c error: <<<"$stderr")" = 1 ]
	done
	[ ! -e x ]
}

@test "a file that is not there, or no stream, exits 3 and is named" {
	run shard-cat nothing
	[ "$status" = 3 ]
	[[ $output == *'cannot open "nothing": No such file'* ]]
	echo '{"a":1}' >text
	run shard-cat text
	[ "$status" = 3 ]
	[[ $output == *"text: byte 0:"* ]]
	[[ $output == *"hint:"*"jsonl-split"* ]]
	run shard-cat --check text
	[ "$status" = 3 ]
	run shard-cat </dev/null
	[ "$status" = 3 ]
	[[ $output == *"the input is empty"* ]]
}

@test "a reader that goes away ends it quietly, as SIGPIPE does" {
	shard s 0 3000
	rc=0
	out=$(set -o pipefail; shard-cat s s s s s s s s 2>&1 |
	    head -n 1) || rc=$?
	[ "$rc" = 141 ]
	[ "$(wc -l <<<"$out")" = 1 ]
}

@test "a full disk is exit 3, with a message" {
	[ -c /dev/full ]
	shard s 0 30
	for option in "" --lengths --check "-n 3"; do
		rc=0
		# shellcheck disable=SC2086
		shard-cat $option s 2>err >/dev/full || rc=$?
		[ "$rc" = 3 ]
		grep -q "No space left" err
	done
}

@test "names in messages are escaped" {
	run shard-cat $'no\e[31mthing\n'
	[ "$status" = 3 ]
	[[ $output == *'no\x1b[31mthing\n'* ]]
}

@test "a frame beyond --max-frame is refused, and the hint says how" {
	python3 -c 'print("{\"a\":\"" + "x" * 100000 + "\"}")' >big
	part big
	run shard-cat --fragment --max-frame 64KiB part
	[ "$status" = 3 ]
	[[ $output == *"content of 100009 bytes is more than the limit of \
65536"* ]]
	[[ $output == *"hint: a higher --max-frame lets it in"* ]]
	shard-cat --fragment part | cmp - big
}

@test "the examples of the page work, but for those in Python" {
	awk '/^\.Sh EXAMPLES/ { on = 1 } /^\.Sh DIAG/ { on = 0 }
	    on && /^\.Ed/ { print "END" }
	    on && text { gsub(/\\e/, "\\"); print }
	    /^\.Bd/ { text = 1 } /^\.Ed/ { text = 0 }' \
	    "$BATS_TEST_DIRNAME/../../man/shard-cat.1" |
	    grep -v '^\.' >examples
	pairs 0 120 >data.json
	jsonl-split data.json | dpo-pair | tokpack -m "$demo/model" -o train.zst
	cp train.zst train-1.zst
	shard train-2.zst 0 5
	ln -s "$demo/model" MODEL
	n=0 example=
	while IFS= read -r line; do
		if [ "$line" != END ]; then
			example+=$line$'\n'
			continue
		fi
		if [[ $example != *python3* ]]; then
			bash -euo pipefail -c "$example" >out
			n=$((n + 1))
		fi
		example=
	done <examples
	[ "$n" = 5 ]
	shard-cat --check -q all.zst text.zst
}
