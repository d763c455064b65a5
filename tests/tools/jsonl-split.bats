#!/usr/bin/env bats
# jsonl-split: JSON of every form into records, and what is wrong with them.
bats_require_minimum_version 1.5.0

setup() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	cd "$ROOT" || return
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	# shellcheck source=tests/tools/messages.bash
	. "$ROOT/tests/tools/messages.bash"
	cp "$ROOT"/tests/bad/{bad,duplicate,too,record}-*.jsonl \
	    "$BATS_TEST_TMPDIR"
	cp "$ROOT/examples/demo/data.json" "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return
}

# records ARGUMENT...: what jsonl-split makes of it, as JSON Lines.
records() {
	jsonl-split "$@" 2>err | zstd -dcq
}

# whole ARGUMENT...: the same, where the end of a stream is to be there too.
whole() {
	jsonl-split -q "$@" | shard-cat
}

# pairs N: a pair a line, of different lengths.
pairs() {
	seq "$1" | awk '{
		printf "{\"prompt\":\"%d\",", $1
		printf "\"chosen\":\"%*s\",\"rejected\":\"é 中 \\\"]}\"}\n",
		    $1 % 97, ""
	}'
}

@test "the demo's array is one record an element, as it was" {
	[ "$(whole data.json | jq -c .data)" = "$(jq -c '.[]' data.json)" ]
	whole data.json | jq -r '.at | "\(.file) \(.line)"' >places
	[ "$(sort -u places | wc -l)" = "$(jq length data.json)" ]
	# Each stands where at says.
	whole data.json | jq -r '"\(.at.offset) \(.data.chosen.value)"' |
	    head -5 | while read -r offset chosen; do
		tail -c +$((offset + 1)) data.json | head -c 1 | grep -q '{'
		tail -c +$((offset + 1)) data.json |
		    jq -n --stream 'first(fromstream(inputs))' 2>/dev/null |
		    jq -e --arg c "$chosen" '.chosen.value == $c'
	done
}

@test "an array, JSON Lines, concatenated JSON give the same records" {
	pairs 3000 >lines.jsonl
	jq -s . lines.jsonl >array.json
	jq -sc . lines.jsonl >one-line.json
	jq . lines.jsonl >pretty.json
	whole lines.jsonl | jq -c .data >want
	[ "$(wc -l <want)" -eq 3000 ]
	cmp want lines.jsonl
	for f in array.json one-line.json pretty.json; do
		cmp want <(whole $f | jq -c .data)
		# From a pipe, and compressed, with the same places.
		whole $f | sed 's/"file":"[^"]*"/"file":"-"/' >places
		# shellcheck disable=SC2002
		cmp places <(cat $f | whole -)
		cmp places <(whole <$f)
		zstd -q $f
		cmp places <(whole $f.zst | sed 's/"file":"[^"]*"/"file":"-"/')
		cmp places <(zstd -dcq $f.zst | zstd -c | whole)
	done
}

@test "whitespace goes, every other byte stays" {
	printf '%s' '[ { "a" : 1.50e+01 , "\u0041\/" : "  \u00e9 é  " } ]' >x
	records x | grep -qF '"data":{"a":1.50e+01,"\u0041\/":"  \u00e9 é  "}}'
}

@test "files follow one another, and - is standard input" {
	echo '{"n":1}' >a
	echo '[{"n":2},{"n":3}]' | zstd -q >b
	echo '{"n":4}' | whole a b - a | jq -c '[.at.file,.data.n]' >got
	printf '["a",1]\n["b",2]\n["b",3]\n["-",4]\n["a",1]\n' | cmp - got
}

@test "no input, no records, and a stream all the same" {
	: >empty
	printf '\n \n' >blank
	echo '[]' >array
	for f in empty blank array /dev/null; do
		run whole $f
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
}

@test "the same bytes whatever -j is" {
	pairs 5000 | sed '17s/}$//; 4000s/:/;/' >x.jsonl
	jsonl-split -q -j 1 x.jsonl >one
	for j in 2 4 5; do
		jsonl-split -q -j $j x.jsonl | cmp one -
	done
	jq -s . <(pairs 5000) >x.json
	jsonl-split -j 1 x.json >one
	jsonl-split -j 4 x.json | cmp one -
}

@test "shares of arrays and lines are the whole, K from 1 to 7" {
	pairs 500 >a.jsonl
	jq -s . <(pairs 100) >b.json
	jq . <(pairs 50) >c.json
	: >d.jsonl
	for set in a.jsonl b.json c.json "a.jsonl d.jsonl b.json c.json" \
	    "b.json a.jsonl"; do
		# shellcheck disable=SC2086
		whole $set | jq -c 'del(.at.line)' >want
		for k in 1 2 3 4 5 6 7; do
			for i in $(seq $k); do
				# shellcheck disable=SC2086
				whole --share "$i/$k" $set
			done | jq -c 'del(.at.line)' | cmp want -
		done
	done
	# A share of an array knows its lines.
	whole b.json | grep -vE '"offset":0,' >want
	for i in 1 2 3; do whole --share $i/3 b.json; done | cmp want -
	[ "$(whole --share 2/2 a.jsonl | jq '.at | has("line")' |
	    sort -u)" = false ]
}

@test "of what has no bytes to share, shares deal records out" {
	pairs 20 >a.jsonl
	for i in 1 2 3; do
		# shellcheck disable=SC2002
		cat a.jsonl | whole --share $i/3 | jq -r .data.prompt >got
		seq "$i" 3 20 | cmp - got
	done
	zstd -q a.jsonl
	whole --share 2/7 a.jsonl.zst | jq -r .data.prompt | xargs >got
	[ "$(cat got)" = "2 9 16" ]
}

@test "a share that is none is a wrong option" {
	for s in 0/1 2/1 1/0 1 1/ /1 a/b 1/2/3 1/2x -1/2 1.5/2 \
	    1/1000001 99999999999999999999/99999999999999999999; do
		run jsonl-split --share $s data.json
		[ "$status" -eq 2 ]
		[ "${#lines[@]}" -le 2 ]
	done
}

@test "each line is a path with --paths" {
	printf 'a/b.wav\n\n sp ace.flac\r\n"q".ogg\n' >list
	records --paths list >got
	jq -c .audios got >audios
	printf '["a/b.wav"]\n[" sp ace.flac"]\n["\\"q\\".ogg"]\n' |
	    cmp - audios
	[ "$(jq -c '[.at.offset,.at.line]' got | xargs)" = "[0,1] [9,3] [23,4]" ]
	seq -f 'clips/%g.wav' 1000 >list
	whole --paths list | jq -r '.audios[]' | cmp list -
	for i in 1 2 3 4; do
		whole --paths --share $i/4 list
	done | jq -r '.audios[]' | cmp list -
}

@test "bad-json, bad-utf8, duplicate-key, too-deep: each costs itself" {
	for code in bad-json bad-utf8 duplicate-key too-deep; do
		f=$code.jsonl
		records $f >got
		says $code <err
		# As many records as lines, each at its own, in order.
		sed 's/.*"line":\([0-9]*\)}.*/\1/' got |
		    cmp <(seq "$(wc -l <$f)") -
		[ "$(grep -o '"code":"[^"]*' got | sort -u)" = "\"code\":\"$code" ]
		# What does not pass is there to the byte.
		# (jq does not read what is so deep.)
		grep '"error"' got | jq -r 'select(.raw) | .raw' >raw
		while read -r line; do
			grep -qxF -e "$line" $f
		done <raw
		grep '"error"' got | jq -r '.raw_base64 // empty' | while read -r line; do
			printf %s "$line" | base64 -d | grep -qaxF -f - $f
		done
	done
	# 512 deep is not too deep.
	[ "$(records too-deep.jsonl | grep -c '"error"')" -eq 2 ]
	records too-deep.jsonl | head -1 | grep -v '"error"'
}

@test "record-too-long: the rest is not lost" {
	records --max-record 300 record-too-long.jsonl >got
	says record-too-long <err
	[ "$(jq -r '.error.code // "ok"' got | xargs)" = \
	    "ok record-too-long ok" ]
	jq -s . record-too-long.jsonl | jsonl-split --max-record 400 2>err |
	    zstd -dc | jq -r '.error.code // "ok"' | xargs >got
	[ "$(cat got)" = "ok record-too-long ok" ]
	# 40 MB in one record, of which 64 KiB go on.
	(
		echo '{"a":1}'
		printf '{"a":"%040000000d"}\n' 7
		echo '{"a":2}'
	) >big
	# A sanitizer reserves more than any limit, and is not what is measured.
	(
		grep -qE '__[at]san_init' "$(command -v jsonl-split)" ||
		    ulimit -v 300000
		jsonl-split -q -j 1 big
	) | zstd -dc >got
	[ "$(jq -r '.error.code // .data.a' got | xargs)" = \
	    "1 record-too-long 2" ]
	[ "$(jq '.raw // "" | length' got | xargs)" = "0 65536 0" ]
}

@test "wrong-type: a record that is no object keeps its data" {
	printf '{}\n[1, 2]\n"x"\nnull\n' >x
	records x | jq -c '[.data,.error.code]' >got
	printf '[{},null]\n[[1,2],"wrong-type"]\n["x","wrong-type"]\n%s\n' \
	    '[null,"wrong-type"]' | cmp - got
	says record-wrong-type <err
}

@test "a bad element of an array costs itself" {
	cat >x.json <<-'END'
	[
	 {"a": 1},
	 {"a": NaN},
	 {"a": 2,
	  "b": [1,]},
	 {"a": "3
	 3"} {"a": 4},
	 {"a": 5, "a": 5}, {"a": 6}
	]
	END
	records x.json >got
	says bad-array <err
	[ "$(jq -r '.error.code // .data.a' got | xargs)" = \
	    "1 bad-json bad-json bad-json bad-json duplicate-key 6" ]
}

@test "a broken array ends with 3 at its place, after what came before" {
	try() {
		printf '%b' "$1" >x.json
		run jsonl-split x.json
		[ "$status" -eq 3 ]
		jsonl-split x.json 2>err | shard-cat --fragment >got
		[ "$(wc -l <got)" -eq "$2" ]
		head -1 err >>all
		# And no shard comes of it.
		run jsonl-split -o x.zst x.json
		[ "$status" -eq 3 ]
		[ ! -e x.zst ]
	}
	: >all
	try '[{"a":1},\n {"a":[2},\n {"a":3}]' 1
	try '[{"a":1},\n {"a":2},,{"a":3}]' 2
	try '[{"a":1},\n {"a":2},\n]' 2
	try '[{"a":1}\n' 1
	try '[{"a":1},\n {"a":"2},\n {"a":3}]' 1
	try '[{"a":1}]\n}' 1
	try '{\n"a":1}\n{"a":2' 1
	try '{\n"a":1},\n{"a":2}' 1
	says broken-array <all
}

@test "what came before a broken place is written, however much" {
	(
		printf '['
		pairs 20000 | sed 's/$/,/'
		echo '{"a":[}]'
	) >x.json
	run jsonl-split -j 4 -o x.zst x.json
	[ "$status" -eq 3 ]
	[ ! -e x.zst ]
	jsonl-split -j 4 x.json 2>err | shard-cat --fragment >got || true
	[ "$(wc -l <got)" -eq 20000 ]
	run ! shard-cat --check <(jsonl-split x.json 2>err)
}

@test "files that cannot be read: 3, before anything is written" {
	# shellcheck disable=SC2154
	for f in no/such/file . $'a\e[31mb'; do
		run --separate-stderr jsonl-split data.json "$f"
		[ "$status" -eq 3 ]
		[ -z "$output" ]
		[[ $stderr == "jsonl-split: error: cannot read"* ]]
		[[ $stderr != *$'\e'* ]]
	done
	printf '\xff\xfe{\0}\0' >utf16
	run jsonl-split utf16
	[ "$status" -eq 3 ]
	[[ $output == *"utf16 is UTF-16, not UTF-8"* ]]
	# A compressed file that is cut.
	pairs 1000 | zstd -q | head -c 1000 >cut.zst
	run jsonl-split cut.zst
	[ "$status" -eq 3 ]
}

@test "mended rejects go through the same command, to what they were" {
	pairs 30 >good.jsonl
	sed '3s/:/;/; 7s/"chosen"/"prompt"/; 9s/.*/[9]/; 30s/.$//' good.jsonl \
	    >x.jsonl
	jsonl-split -q -r rejects.jsonl x.jsonl >x.zst
	[ "$(shard-cat x.zst | wc -l)" -eq 26 ]
	[ "$(jq -r .error.code rejects.jsonl | xargs)" = \
	    "bad-json duplicate-key wrong-type bad-json" ]
	# Not mended, they are rejected again, as they are.
	jsonl-split -q -r again.jsonl rejects.jsonl | shard-cat | cmp - /dev/null
	[ "$(jq -c 'del(.error)' again.jsonl)" = \
	    "$(jq -c 'del(.error)' rejects.jsonl)" ]
	# Mended.
	jq -c --slurpfile good good.jsonl '
	    if .raw then .raw = ($good[.at.line - 1] | tojson)
	    else .data = $good[.at.line - 1] end' rejects.jsonl >mended.jsonl
	jsonl-split -r again.jsonl mended.jsonl >y.zst
	[ ! -s again.jsonl ]
	shard-cat x.zst y.zst | jq -sc 'sort_by(.at.line) | .[]' >got
	cmp <(whole good.jsonl | jq -c 'del(.at.offset)') \
	    <(sed 's/x\.jsonl/good.jsonl/' got | jq -c 'del(.at.offset)')
}

@test "a canonical reject goes on without error, notes and audio" {
	cat >x.jsonl <<-'END'
	{"at":{"file":"d.json","offset":7},"messages":[],"chosen":{},"rejected":{},"audios":["a"],"audio":[{"path":"a"}],"extra":{"k":1},"notes":[{"code":"cutoff"}],"error":{"stage":"audio-check","code":"audio-missing","message":"m"},"new":[1]}
	{"at":{"file":"d.json","offset":7},"messages":[]}
	END
	records x.jsonl >got
	[ "$(head -1 got)" = '{"at":{"file":"d.json","offset":7},"messages":[],"chosen":{},"rejected":{},"audios":["a"],"extra":{"k":1},"new":[1]}' ]
	# Without an error it is no reject, but data like any other.
	[ "$(tail -1 got)" = '{"at":{"file":"x.jsonl","offset":'"$(head -1 x.jsonl | wc -c)"',"line":2},"data":{"at":{"file":"d.json","offset":7},"messages":[]}}' ]
}

@test "--max-rejects judges, and then nothing is published" {
	pairs 100 | sed '1,20s/}$//' >x.jsonl
	run jsonl-split -q -r r.jsonl -o x.zst x.jsonl
	[ "$status" -eq 1 ]
	[ ! -e x.zst ]
	[ "$(wc -l <r.jsonl)" -eq 20 ]
	jsonl-split -q -r r.jsonl --max-rejects 20 -o x.zst x.jsonl
	[ "$(shard-cat x.zst | wc -l)" -eq 80 ]
}

@test "control characters of the data do not reach the terminal" {
	printf '{"a\x1b[31m":1}\n{"\xc2\x9b31m":1,"\xc2\x9b31m":2}\n' >x.jsonl
	jsonl-split x.jsonl 2>err | zstd -dcq >/dev/null
	[ "$(grep -c error err)" -eq 2 ]
	LC_ALL=C run ! grep -q "$(printf '[\x1b\xc2]')" err
}

@test "the provenance says what was read and how" {
	jsonl-split --share 1/2 --max-record 1KiB data.json |
	    head -c 2000 | strings | grep -o '{"ossicle":1.*' | head -1 >got
	jq -e '.program == "jsonl-split" and .inputs == ["data.json"] and
	    .options.share == "1/2" and .options["max-record"] == 1024' \
	    <(sed 's/}}.*/}}/' got)
}

@test "the examples of the manual run" {
	mkdir clips
	cp "$ROOT"/tests/bad/audio/audio-silent-zeros.wav clips
	jsonl-split data.json >/dev/null
	pairs 100 >data.jsonl
	jsonl-split --share 3/8 data.jsonl | dpo-pair -q -o train-3.zst
	find clips -name '*.wav' | jsonl-split --paths |
	    audio-check -q -o clips.zst
	[ "$(shard-cat clips.zst | jq -c .audios)" = \
	    '["clips/audio-silent-zeros.wav"]' ]
	sed '3s/}$//' data.jsonl >data.json
	jsonl-split -q -r rejects.jsonl data.json | dpo-pair -q -o train.zst
	sed -i 's/]}\\""/]}\\"}"/' rejects.jsonl
	jsonl-split -q -r again.jsonl rejects.jsonl | dpo-pair -q -o more.zst
	shard-cat -o all.zst train.zst more.zst
	[ "$(shard-cat all.zst | wc -l)" -eq 100 ]
}

@test "a stream is not taken for data" {
	echo '{"a":1}' | jsonl-split >made.zst
	run -3 --separate-stderr jsonl-split -o no made.zst
	[[ $stderr == *"this is an ossicle stream, not data"* ]]
	[[ $stderr == *"hint: "*"shard-cat"* ]]
	[ ! -e no ]
}
