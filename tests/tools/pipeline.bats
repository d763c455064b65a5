#!/usr/bin/env bats
# Nothing is lost: what goes into the pipe is in the shard or in the rejects,
# once, in its order, and what was mended comes in by the same command.
# run sets output and stderr:
# shellcheck disable=SC2030,SC2031,SC2154
bats_require_minimum_version 1.5.0

setup() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	cd "$ROOT" || return
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	demo=$ROOT/examples/demo
	model=$demo/model
	cd "$BATS_TEST_TMPDIR" || return
}

# pack IN SHARD REJECTS [OPTION...]: the whole pipe; options are tokpack's.
pack() {
	local in=$1 shard=$2 rejects=$3
	shift 3
	jsonl-split -q "$in" | dpo-pair -q |
	    audio-check -q --root . --max 30.5 | melspec |
	    tokpack -q -m "$model" -r "$rejects" -o "$shard" "$@"
}

# lines: the demo's records as JSON Lines, beside its clips.
lines() {
	cp -R "$demo/clips" .
	jq -c '.[]' "$demo/data.json" >demo.jsonl
}

# texts N BAD: N pairs of text alone; the first BAD have an empty answer.
texts() {
	jq -cn --argjson n "$1" --argjson bad "$2" 'range($n) |
	    {instruction: "Say \(.)", chosen: "It is \(.).",
	    rejected: (if . < $bad then "" else "No." end)}'
}

# mixed: in mixed.jsonl a record for every kind of fault that tests/bad
# holds, among good ones, with the audio they name.
mixed() {
	lines
	cp -R "$ROOT/tests/bad/audio" .
	mkdir -p roof
	echo outside >../outside.wav
	{
		cat demo.jsonl
		for file in "$ROOT"/tests/bad/*.jsonl; do
			cat "$file"
			# A last line without a newline costs no other one.
			echo
			texts 1 0
		done
		printf '%s\n' audio/* roof nowhere.wav ../outside.wav |
		    jq -Rc '{instruction: "<audio>", chosen: "a",
		    rejected: "b", audios: [.]}'
		printf '{"instruction":"%05000000d"}\n' 1
		cat demo.jsonl
	} >mixed.jsonl
}

# whole DATA SHARD REJECTS: every record of DATA is in SHARD or REJECTS, once,
# in its order, with its error in REJECTS and without one in SHARD.
whole() {
	jsonl-split -q "$1" | shard-cat >in
	shard-cat "$2" >packed
	python3 - "$3" <<-'END'
	import json, sys

	def read(path):
	    with open(path, encoding="utf-8") as f:
	        return [json.loads(line) for line in f]

	def places(records):
	    p = [(r["at"]["offset"], r["at"]["line"]) for r in records]
	    assert p == sorted(set(p)), p
	    return p

	packed, rejects = read("packed"), read(sys.argv[1])
	assert not [r for r in packed if "error" in r]
	for r in rejects:
	    assert list(r)[0] == "at" and list(r)[-1] == "error", r
	    assert list(r["error"])[:3] == ["stage", "code", "message"], r
	    assert all(r["error"].values()), r
	assert sorted(places(packed) + places(rejects)) == places(read("in"))
	END
	shard-cat --check -q "$2"
	LC_ALL=C grep -ao '{"frames":[^}]*}' "$2" | jq -e --argjson \
	    packed "$(wc -l <packed)" --argjson rejected "$(wc -l <"$3")" '
	    .records == $packed and .errors == 0 and .rejected == $rejected'
	# As many records as lines went in.
	[ "$(cat packed "$3" | wc -l)" = "$(grep -ac . "$1")" ]
}

@test "the demo: records in are records in the shard, and rejects" {
	lines
	pack demo.jsonl out rejects
	whole demo.jsonl out rejects
	[ "$(wc -l <packed)" = 30 ]
	[ "$(jq .at.line rejects | xargs)" = "24 30" ]
}

@test "the demo: each record is at its place in the data, as it was" {
	cp -R "$demo/clips" "$demo/data.json" .
	pack data.json out rejects
	(shard-cat out; cat rejects) >records
	python3 - <<-'END'
	import json
	raw, n = open("data.json", "rb").read(), 0
	for line in open("records", encoding="utf-8"):
	    r = json.loads(line)
	    at = r["at"]["offset"]
	    assert raw[:at].count(b"\n") + 1 == r["at"]["line"]
	    was, _ = json.JSONDecoder().raw_decode(raw[at:].decode())
	    if "data" in r:
	        assert r["data"] == was
	    else:
	        assert r["chosen"]["content"] == was["chosen"]["value"]
	        assert r.get("audios", []) == was["audios"]
	    n += 1
	assert n == 32
	END
}

@test "of every kind of fault, no record is lost" {
	mixed
	pack mixed.jsonl out rejects --cutoff-len 300 --max-rejects 100%
	whole mixed.jsonl out rejects
	[ "$(wc -l <packed)" -gt 80 ]
	[ "$(wc -l <rejects)" -gt 150 ]
	# Each code that makes an error was among them, but for a decoder
	# that crashes.
	grep -o '"error":{"stage":"[a-z-]*","code":"[a-z0-9-]*"' rejects |
	    sed 's/.*:"//; s/"//' | sort -u >seen
	awk '/^\.It Sy .*error/ && $3 != "audio-decoder" { print $3 }' \
	    "$ROOT/man/ossicle.5" | sort >codes
	[ "$(wc -l <codes)" -gt 25 ]
	[ -z "$(comm -13 seen codes)" ]
}

@test "with --strict doubtful records are rejected, and none is lost" {
	mixed
	jsonl-split --strict -q mixed.jsonl | dpo-pair --strict -q |
	    audio-check --strict -q --root . | melspec --strict |
	    tokpack --strict -q -m "$model" -r rejects --cutoff-len 300 \
	    --max-rejects 100% -o out
	whole mixed.jsonl out rejects
	run ! grep '"notes":' packed
	grep -q '"code":"same-response"' rejects
	grep -q '"code":"cutoff"' rejects
}

@test "rejects fed in again as they are, are the same rejects" {
	mixed
	pack mixed.jsonl out rejects --cutoff-len 300 --max-rejects 100%
	pack rejects none again --cutoff-len 300 --max-rejects 100%
	[ -z "$(shard-cat none)" ]
	python3 - <<-'END'
	import json

	def read(path):
	    for line in open(path, encoding="utf-8"):
	        r = json.loads(line)
	        e = r.pop("error")
	        # What is doubtful is found anew, in the record as it is now;
	        # of one that is too long, only its beginning is there.
	        r.pop("notes", None)
	        code = e["code"].replace("record-too-long", "bad-json")
	        yield (e["stage"], code, r)

	for a, b in zip(read("rejects"), read("again")):
	    assert a == b, (a, b)
	END
	[ "$(wc -l <again)" = "$(wc -l <rejects)" ]
}

@test "mended rejects of every kind come in by the same command" {
	mixed
	pack mixed.jsonl out rejects --cutoff-len 300 --max-rejects 100%
	# As found, unread, or read: each in its own form.
	# (jq 1.6 does not read what is nested more than 256 deep.)
	python3 - >mended <<-'END'
	import base64, json
	good = {"instruction": "Say it", "chosen": "a", "rejected": "b"}
	text = json.dumps(good)
	for line in open("rejects", encoding="utf-8"):
	    r = json.loads(line)
	    if "raw_base64" in r:
	        r["raw_base64"] = base64.b64encode(text.encode()).decode()
	    elif "raw" in r:
	        r["raw"] = text
	    elif "data" in r:
	        r["data"] = good
	    else:
	        r["audios"] = []
	        r["messages"] = [{"role": "user", "content": "Say it"}]
	        for side in "chosen", "rejected":
	            r[side] = {"role": "assistant", "content": side}
	    print(json.dumps(r, separators=(",", ":")))
	END
	for form in raw raw_base64 data messages; do
		grep -q "\"at\":{[^}]*},.*\"$form\":" mended
	done
	pack mended more again --cutoff-len 300
	[ ! -s again ]
	shard-cat -o all out more
	shard-cat --check -q all
	jsonl-split -q mixed.jsonl | shard-cat | grep -o '^{"at":{[^}]*}' |
	    sort >want
	shard-cat all | grep -o '^{"at":{[^}]*}' | sort | cmp want -
	run ! grep '"error":' <(shard-cat all)
	# They are told of by the line at which they were.
	grep '"code":"audio-missing"' rejects | head -n 1 >missing
	# shellcheck disable=SC2016
	run -1 --separate-stderr bash -c 'jsonl-split missing | dpo-pair |
	    audio-check --root . | melspec | tokpack -m "$0" -o no' "$model"
	[[ $stderr == *"mixed.jsonl:$(jq .at.line missing): error: "* ]]
}

@test "a mended shard is what the mended data would have given" {
	lines
	pack demo.jsonl out rejects
	jq -c 'if .error.code == "audio-count"
	    then .data.audios += ["clips/numbers.ogg"]
	    else .audios = ["clips/weather.wav"] end' rejects >mended
	pack mended more again
	[ ! -s again ]
	shard-cat -o all out more
	jq -c 'if (.audios | length) == 1 and
	    ((.conversations | tojson) | split("<audio>") | length) == 3
	    then .audios += ["clips/numbers.ogg"] else . end |
	    if .audios == ["clips/cut.wav"]
	    then .audios = ["clips/weather.wav"] else . end' demo.jsonl |
	    sed 's/^/ /' >demo2
	mv demo2 demo.jsonl
	pack demo.jsonl want rejects
	[ ! -s rejects ]
	(shard-cat all; echo) | jq -sc 'sort_by(.at.line)[] |
	    del(.at.offset)' >got
	shard-cat want | jq -c 'del(.at.offset)' | cmp got -
	for i in 0 7 23 29 31; do
		shard-cat -n "$i" want >one
		line=$(jq .at.line one)
		n=$(shard-cat all | jq .at.line | grep -nx "$line" |
		    cut -d: -f1)
		shard-cat -n $((n - 1)) -o a all
		shard-cat -n "$i" -o b want
		# Behind the header, where the offset in the file is.
		cmp <(tensors a) <(tensors b)
	done
}

# tensors SHARD: the tensors of its one record, without their header.
tensors() {
	zstd -dcq "$1" >"$1.content"
	tail -c +$((9 + $(od -An -tu8 -N8 "$1.content"))) "$1.content"
}

@test "tokpack before melspec gives the bytes that it gives after" {
	lines
	pack demo.jsonl after rejects
	jsonl-split -q demo.jsonl | dpo-pair -q | audio-check -q |
	    tokpack -q -m "$model" -r rejects.2 | melspec -o before
	zstd -dcq after >content
	zstd -dcq before | cmp content -
	cmp rejects rejects.2
	cmp <(shard-cat --lengths before) <(shard-cat --lengths after)
	# The ids need no samples.
	jsonl-split -q demo.jsonl | dpo-pair -q | audio-check -q --no-pcm |
	    tokpack -q -m "$model" -r rejects.2 -o ids
	cmp <(shard-cat --text -m "$model" ids) \
	    <(shard-cat --text -m "$model" after)
}

@test "-r of an earlier program takes records out, and the end tells" {
	mixed
	pack mixed.jsonl out rejects --cutoff-len 300 --max-rejects 100%
	jsonl-split -q -r r1 --max-rejects 100% mixed.jsonl |
	    dpo-pair -q -r r2 --max-rejects 100% |
	    audio-check -q --root . --max 30.5 -r r3 --max-rejects 100% |
	    melspec -r r4 --max-rejects 100% |
	    tokpack -q -m "$model" --cutoff-len 300 -r r5 \
	    --max-rejects 100% -o each
	zstd -dcq out >content
	zstd -dcq each | cmp content -
	for stage in jsonl-split:r1 dpo-pair:r2 audio-check:r3 melspec:r4 \
	    tokpack:r5; do
		grep "\"error\":{\"stage\":\"${stage%:*}\"" rejects |
		    cmp - "${stage#*:}" || [ "$stage" = melspec:r4 ]
	done
	[ ! -s r4 ]
	for r in r1 r2 r3 r5; do [ -s $r ]; done
	sort r1 r2 r3 r5 | cmp - <(sort rejects)
	LC_ALL=C grep -aoq "\"rejected\":$(wc -l <rejects),\"table\":true" each
	# shard-cat adds them up, too.
	shard-cat -o twice out each
	LC_ALL=C grep -aoq "\"rejected\":$((2 * $(wc -l <rejects)))," twice
	shard-cat --check twice | grep "; $((2 * $(wc -l <rejects))) rejected"
}

@test "-r without an errored record leaves an empty file" {
	echo before >rejects
	texts 5 0 | jsonl-split | dpo-pair |
	    tokpack -m "$model" -r rejects -o out
	[ -e rejects ]
	[ ! -s rejects ]
}

# judged STATUS N BAD [OPTION...]: BAD of N records are rejected, and tokpack
# with OPTION ends with STATUS, and a shard only where that is 0.
judged() {
	local want=$1 n=$2 bad=$3
	shift 3
	rm -f out rejects
	run -"$want" tokpack -q -m "$model" -r rejects -o out "$@" \
	    < <(texts "$n" "$bad" | jsonl-split | dpo-pair -q)
	[ "$(wc -l <rejects)" = "$bad" ]
	if [ "$want" = 0 ]; then
		[ "$(shard-cat out | wc -l)" = $((n - bad)) ]
	else
		[ ! -e out ]
		[[ $output == *"$bad of $n records were rejected"* ]]
	fi
}

@test "--max-rejects N: N pass, one more fails" {
	judged 0 9 0 --max-rejects 0
	judged 1 9 1 --max-rejects 0
	judged 0 9 3 --max-rejects 3
	judged 1 9 4 --max-rejects 3
	judged 0 20 20 --max-rejects 20
	judged 1 20 20 --max-rejects 19
}

@test "--max-rejects P%: just as many pass, one more fails" {
	judged 0 9 0 --max-rejects 0%
	judged 1 9 1 --max-rejects 0%
	judged 0 200 3 --max-rejects 1.5%
	judged 1 200 4 --max-rejects 1.5%
	judged 1 199 3 --max-rejects 1.5%
	judged 0 20 20 --max-rejects 100%
	judged 1 20 20 --max-rejects 99.9%
	judged 0 3 1 --max-rejects 33.4%
	judged 1 3 1 --max-rejects 33.3%
}

@test "as it comes, 10 pass, or 5 % where that is more" {
	judged 0 10 10
	judged 1 11 11
	judged 0 220 11
	judged 1 219 11
	judged 0 240 12
	judged 1 239 12
}

@test "records that -r took out upstream count, and are counted with" {
	try() {
		rm -f out
		# shellcheck disable=SC2016
		run -"$1" bash -c 'jsonl-split -q -r r1 data.jsonl |
		    dpo-pair -q -r r2 | tokpack -q -m "$0" -r r3 \
		    --cutoff-len 60 --max-rejects "$1" -o out' "$model" "$2"
		if [ "$1" = 0 ]; then [ -e out ]; else [ ! -e out ]; fi
		for r in r1:1 r2:2 r3:1; do
			[ "$(wc -l <${r%:*})" = "${r#*:}" ]
		done
	}
	{
		texts 10 2
		echo '{'
		texts 1 0 | jq -c '.instruction = "Say \([range(99)])"'
		texts 3 0
	} >data.jsonl
	try 0 4
	try 1 3
	[[ $output == *"4 of 15 records were rejected"* ]]
	try 0 26.7%
	try 1 26.6%
}

@test "too many rejects in the middle: 1 there, 3 at the end, no shard" {
	texts 30 12 >data.jsonl
	# shellcheck disable=SC2016
	run -3 --separate-stderr bash -c 'jsonl-split data.jsonl |
	    { dpo-pair -q -r r1; echo $? >status; } |
	    tokpack -m "$0" -r r2 -o out' "$model"
	[ "$(cat status)" = 1 ]
	[ ! -e out ]
	[ "$(wc -l <r1)" = 12 ]
	[[ $stderr == *"dpo-pair: error: 12 of 30 records were rejected"* ]]
}

@test "without -r an errored record is never packed: 1, nothing published" {
	lines
	echo before >out
	# shellcheck disable=SC2016
	pipe='jsonl-split -q demo.jsonl | dpo-pair -q | audio-check -q |
	    melspec | tokpack -q -m "$0"'
	run -1 bash -c "$pipe -o out" "$model"
	[ "$(cat out)" = before ]
	[[ $output == *"demo.jsonl:24: "*"\"audio-count\""*"-r FILE"* ]]
	[ -z "$(find . -name '.*' -type f)" ]
	# Nor does what went to stdout pass for a stream.
	run -1 bash -c "$pipe >stream" "$model"
	run -3 shard-cat -o no stream
	[ ! -e no ]
}

@test "a program left out is named by the next one that needs it" {
	lines
	texts 3 0 >>demo.jsonl
	try() {
		run -3 --separate-stderr bash -c "jsonl-split -q demo.jsonl |
		    $3 -r rejects -o out"
		[ ! -e out ]
		[[ $stderr == *"$1: error: demo.jsonl:1: "* ]]
		[[ $(grep hint: <<<"$stderr" | head -n 1) == *"$2"* ]]
	}
	tokpack="tokpack -m $model"
	try audio-check dpo-pair "audio-check"
	try tokpack dpo-pair "$tokpack"
	try tokpack dpo-pair "melspec | $tokpack"
	try melspec audio-check "dpo-pair -q | melspec"
	try tokpack audio-check "dpo-pair -q | $tokpack"
	try melspec audio-check "dpo-pair -q | audio-check -q --no-pcm |
	    melspec"
	# Not at once: those that went before it have done no harm.
	try melspec audio-check "dpo-pair -q | melspec | $tokpack"
	try tokpack audio-check "dpo-pair -q | $tokpack | melspec"
}

@test "no records at all are a shard, too" {
	for data in '[]' '' '[ ]' '

'; do
		printf %s "$data" >data.json
		pack data.json out rejects
		shard-cat --check out | grep '^out: ok: 0 records'
		[ -z "$(shard-cat out)" ]
		[ ! -s rejects ]
		rm out
	done
}

@test "only faulty records are an empty shard, and all in the rejects" {
	texts 7 7 >data.jsonl
	pack data.jsonl out rejects
	whole data.jsonl out rejects
	[ ! -s packed ]
}

@test "a reject broken by who mended it is itself again once mended" {
	lines
	pack demo.jsonl out rejects
	# One that is raw, one with data, one with messages.
	echo '{"instruction":"x" "chosen":"a","rejected":"b"}' >raw.jsonl
	pack raw.jsonl none raw
	cat raw >>rejects
	[ "$(wc -l <rejects)" = 3 ]
	sed 's/}$/,}/' rejects >broken
	pack broken none broken.2
	[ "$(jq -r '.at.file + " " + .error.code' broken.2 | sort -u)" = \
	    "broken bad-json" ]
	# Another slip, and then right.
	jq -c '.raw |= sub(",}$"; ";}")' broken.2 >broken.3
	pack broken.3 none broken.4
	[ "$(jq -c .at broken.4)" = "$(jq -c .at broken.2)" ]
	jq -c '.raw |= sub(";}$"; "}")' broken.4 >whole
	pack whole none again
	[ -z "$(shard-cat none)" ]
	[ "$(jq -c '[.at, .data, .messages]' again)" = \
	    "$(jq -c '[.at, .data, .messages]' rejects)" ]
	# A mended reject is not taken for data that happen to hold messages.
	jq -c '.raw |= (sub(";}$"; "}") | sub("clips/cut"; "clips/weather"))' \
	    broken.4 >mended
	pack mended more again
	[ "$(shard-cat more | jq -c '[.at.line, .system, .extra]')" = \
	    "[30,null,null]" ]
}

@test "a record as deep as may be is no deeper for having been rejected" {
	python3 - >deep.jsonl <<-'END'
	for name, n in ("chosen", 511), ("other", 511), ("other", 512):
	    print('{"%s":%s1%s}' % (name, "[" * n, "]" * n))
	END
	jsonl-split -q deep.jsonl | dpo-pair -q -r rejects >/dev/null
	jsonl-split -q rejects | dpo-pair -q -r again >/dev/null
	for f in rejects again; do
		sed 's/.*"stage":"\([^"]*\)","code":"\([^"]*\)".*/\1 \2/' $f
	done >codes
	[ "$(head -n 3 codes)" = "$(tail -n 3 codes)" ]
	grep -o '^{"at":{[^}]*},"[a-z]*":' rejects >places
	grep -o '^{"at":{[^}]*},"[a-z]*":' again | cmp places -
	[ "$(wc -l <places)" = 3 ]
}
