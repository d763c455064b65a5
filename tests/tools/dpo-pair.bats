#!/usr/bin/env bats
# dpo-pair: the usual layouts into the canonical record, and what it refuses.
bats_require_minimum_version 1.5.0

ERRORS="missing-field wrong-type not-a-pair role-order empty-response
    bad-tools media-unsupported audio-count audio-inline"
NOTES="same-response placeholder audio-in-system audio-in-answer"

setup() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	cd "$ROOT" || return
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	# shellcheck source=tests/tools/messages.bash
	. "$ROOT/tests/tools/messages.bash"
	cp "$ROOT"/tests/bad/*.jsonl "$BATS_TEST_TMPDIR"
	cp "$ROOT"/examples/demo/data.json "$ROOT"/examples/demo/*info.json \
	    "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return
}

# records FILE [OPTION...]: what dpo-pair makes of FILE, as JSON Lines.
records() {
	jsonl-split "$1" | dpo-pair -q "${@:2}" | zstd -dc
}

# layouts: one pair in each of them, and in LLaMA-Factory's two ways.
layouts() {
	cat >sharegpt.jsonl <<-'END'
	{"conversations":[{"from":"human","value":"Hi <audio>"}],"chosen":{"from":"gpt","value":"yes"},"rejected":{"from":"gpt","value":"no"},"audios":["a.wav"],"system":"Be brief.","id":7}
	END
	cat >alpaca.jsonl <<-'END'
	{"instruction":"Hi <audio>","input":"","chosen":"yes","rejected":"no","audios":["a.wav"],"system":"Be brief.","id":7}
	END
	cat >trl.jsonl <<-'END'
	{"prompt":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi "},{"type":"audio"}]}],"chosen":[{"role":"assistant","content":"yes"}],"rejected":[{"role":"assistant","content":"no"}],"audios":["a.wav"],"id":7}
	END
	cat >swift.jsonl <<-'END'
	{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi <audio>"},{"role":"assistant","content":"yes"}],"rejected_response":"no","audios":["a.wav"],"id":7}
	END
	cat >openai.jsonl <<-'END'
	{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi <audio>"}],"chosen":{"role":"assistant","content":"yes"},"rejected":{"role":"assistant","content":"no"},"audios":["a.wav"],"id":7}
	END
}

@test "each layout becomes the same canonical record" {
	layouts
	want='{"system":"Be brief.","messages":[{"role":"user","content":"Hi <audio>"}],"chosen":{"role":"assistant","content":"yes"},"rejected":{"role":"assistant","content":"no"},"audios":["a.wav"],"extra":{"id":7}}'
	for f in sharegpt alpaca trl swift; do
		[ "$(records $f.jsonl | jq -c 'del(.at)')" = "$want" ]
		[ "$(records $f.jsonl --format $f | jq -c 'del(.at)')" = "$want" ]
	done
}

@test "openai's system text is the one that LLaMA-Factory makes" {
	layouts
	[ "$(records openai.jsonl --format openai | jq -r .system)" = \
	    "$(printf 'Be brief.\ndetailed thinking off')" ]
	cmp <(records openai.jsonl) <(records openai.jsonl --format openai)
}

@test "the way around openai's addition that dpo-pair(1) gives is one" {
	layouts
	cat >dataset_info.json <<-'END'
	{"mine": {"formatting": "sharegpt", "ranking": true,
	  "columns": {"messages": "messages", "chosen": "chosen",
	              "rejected": "rejected", "audios": "audios"},
	  "tags": {"role_tag": "role", "content_tag": "content",
	           "user_tag": "user", "assistant_tag": "assistant",
	           "observation_tag": "tool", "function_tag": "function",
	           "system_tag": "system"}}}
	END
	[ "$(records openai.jsonl --info dataset_info.json --name mine |
	    jq -r .system)" = "Be brief." ]
}

@test "each error is told in the words of the data" {
	for code in $ERRORS control-token; do
		jsonl-split "$code.jsonl" | dpo-pair -j1 2>&1 >/dev/null |
		    says "$code"
	done
}

@test "each note is told in the words of the data" {
	for code in $NOTES; do
		jsonl-split "$code.jsonl" | dpo-pair -j1 2>&1 >/dev/null |
		    says "$code"
	done
}

@test "bad records go on, in their order, with their code and data" {
	for code in $ERRORS; do
		records "$code.jsonl" >out
		[ "$(jq -r .error.code out | sort -u)" = "$code" ]
		[ "$(jq -r .error.stage out | sort -u)" = dpo-pair ]
		[ "$(wc -l <out)" -eq "$(wc -l <"$code.jsonl")" ]
		cmp <(jq -c .data out) <(jq -c . "$code.jsonl")
	done
	[ "$(records control-token.jsonl | jq -r .error.code | xargs)" = \
	    "control-token control-token control-token null null" ]
}

@test "doubtful records go on with a note, and are errors with --strict" {
	for code in $NOTES; do
		records "$code.jsonl" >out
		[ "$(jq -r '.notes[].code' out | sort -u)" = "$code" ]
		[ "$(jq -r .error out | sort -u)" = null ]
		records "$code.jsonl" --strict >out
		[ "$(jq -r .error.code out | sort -u)" = "$code" ]
	done
}

@test "what goes in comes out, in the output or in the rejects" {
	for code in $ERRORS $NOTES control-token; do
		cat "$code.jsonl"
	done >all.jsonl
	records all.jsonl -r rejects.jsonl --max-rejects 100% >out
	cat out rejects.jsonl | jq -c .at.line | sort -n >lines
	cmp lines <(seq "$(wc -l <all.jsonl)")
	jq -es 'map(.at.line) | . == sort' out
	jq -es 'map(.at.line) | . == sort' rejects.jsonl
}

@test "rejects are read again once they are mended" {
	records audio-count.jsonl -r rejects.jsonl --max-rejects 100% >out
	[ ! -s out ]
	# In the data's own words, since the record is as it was found.
	sed 2,9d rejects.jsonl | jq -c '.data.audios += ["b.wav"]' >mended
	records mended >again
	jq -e '.audios == ["rain.wav", "b.wav"] and .at.line == 1 and
	    .at.file == "audio-count.jsonl" and .error == null' again
}

@test "a canonical record is checked, and passed on as it is" {
	layouts
	records sharegpt.jsonl | jq -c '.error = {}' >canonical
	records canonical >again
	cmp again <(jq -c 'del(.error)' canonical)
	jq -c '.audios += ["b.wav"]' canonical >spoilt
	[ "$(records spoilt | jq -r .error.message)" = \
	    "1 <audio> tag but 2 entries in audios" ]
}

@test "columns and tags are those of dataset_info.json" {
	cat >named.jsonl <<-'END'
	{"dialog":[{"wer":"Mensch","was":"Hi"}],"gut":{"wer":"KI","was":"ja"},"schlecht":{"wer":"KI","was":"nein"},"system":"not named","töne":[]}
	END
	cat >info.json <<-'END'
	{"mine": {"formatting": "sharegpt", "ranking": true,
	  "columns": {"messages": "dialog", "chosen": "gut",
	              "rejected": "schlecht", "audios": "töne"},
	  "tags": {"role_tag": "wer", "content_tag": "was",
	           "user_tag": "Mensch", "assistant_tag": "KI"}},
	 "plain": {"formatting": "sharegpt", "ranking": true}}
	END
	[ "$(records named.jsonl --info info.json --name mine |
	    jq -c 'del(.at)')" = '{"messages":[{"role":"user","content":"Hi"}],"chosen":{"role":"assistant","content":"ja"},"rejected":{"role":"assistant","content":"nein"},"extra":{"system":"not named"}}' ]
	jsonl-split named.jsonl >in.zst
	run -2 dpo-pair --info info.json --name plain <in.zst
	[ "${lines[0]}" = 'dpo-pair: error: info.json: data set "plain": "columns" names no "chosen"' ]
	run -2 dpo-pair --info info.json --name other <in.zst
	run -2 dpo-pair --info info.json <in.zst
	run -2 dpo-pair --name mine <in.zst
	run -2 dpo-pair --format alpaca --info info.json --name mine <in.zst
	run -2 dpo-pair --format sharegtp <in.zst
	run -3 dpo-pair --info absent.json --name mine <in.zst
}

@test "a tag where the data set names no audios is an error of the record" {
	echo '{"m":[{"from":"human","value":"<audio>Hi"}],"c":{"from":"gpt",' \
	    '"value":"a"},"r":{"from":"gpt","value":"b"}}' >tag.jsonl
	echo '{"x":{"formatting":"sharegpt","ranking":true,"columns":' \
	    '{"messages":"m","chosen":"c","rejected":"r"}}}' >info.json
	[ "$(records tag.jsonl --info info.json --name x |
	    jq -r '.error.code + ": " + .error.message')" = \
	    "audio-count: 1 <audio> tag but no audios" ]
}

@test "a record without data or messages ends the run, and names who" {
	echo a.wav >paths
	jsonl-split --paths paths >in.zst
	run -3 bash -c 'dpo-pair <in.zst 2>&1 >/dev/null'
	[[ $output == *"a record has neither data nor messages"* ]]
	[[ $output == *jsonl-split* ]]
}

@test "the provenance tells the layout and its names" {
	jsonl-split data.json | dpo-pair --info dataset_info.json \
	    --name demo >out.zst
	grep -aq '"format":"sharegpt"' out.zst
	grep -aq '"name":"demo"' out.zst
	grep -aq '"conversations"' out.zst
}

@test "-j changes nothing" {
	for code in $ERRORS $NOTES control-token; do
		cat "$code.jsonl"
	done >all.jsonl
	for _ in 1 2 3 4 5 6 7 8; do cat all.jsonl; done >more.jsonl
	jsonl-split more.jsonl >in.zst
	dpo-pair -j1 <in.zst >one.zst 2>one.err
	dpo-pair -j4 <in.zst >four.zst 2>four.err
	cmp one.zst four.zst
	cmp one.err four.err
}
