#!/usr/bin/env bats
# tokpack: ids and labels, what a cut may not take, and what it refuses.
bats_require_minimum_version 1.5.0

setup() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	cd "$ROOT" || return
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	# shellcheck source=tests/tools/messages.bash
	. "$ROOT/tests/tools/messages.bash"
	demo=$ROOT/examples/demo
	model=$demo/model
	cp "$ROOT"/tests/bad/*cut*.jsonl "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return
}

# pairs N: pairs of text alone, as a stream.
pairs() {
	seq "$1" | jq -c '{instruction: "Say \(.)", chosen: "It is \(.).",
	    rejected: "No."}' >data.jsonl
	jsonl-split data.jsonl | dpo-pair
}

# heard FILE: FILE as far as audio-check.
heard() {
	jsonl-split "$1" | dpo-pair -q |
	    audio-check -q --no-pcm --root "$demo"
}

# text FILE: what the chosen ids of FILE say.
text() {
	shard-cat --text -m "$model" "$1" | jq -r .chosen.text
}

@test "the text that the ids stand for is the template's" {
	cat >one.jsonl <<-'END'
	{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Ho"},{"from":"human","value":"Say {{idx}} and {{idx}}"}],"chosen":{"from":"gpt","value":"yes"},"rejected":{"from":"gpt","value":"no"},"system":"Be brief."}
	END
	jsonl-split one.jsonl | dpo-pair -q | tokpack -m "$model" -o one.zst
	[ "$(text one.zst)" = \
	    "$(printf '%s\n' '<|im_start|>system' 'Be brief.<|im_end|>' \
	    '<|im_start|>user' 'Hi<|im_end|>' '<|im_start|>assistant' \
	    'Ho<|im_end|>' '<|im_start|>user' 'Say 1 and {{idx}}<|im_end|>' \
	    '<|im_start|>assistant' 'yes<|im_end|>')" ]
}

@test "--default-system is the system text of records without one" {
	pairs 1 >in.zst
	for system in "" "Sei kurz."; do
		tokpack -m "$model" --default-system "$system" -o out.zst \
		    <in.zst
		text=$(text out.zst)
		if [ -z "$system" ]; then
			[[ $text == "<|im_start|>user"* ]]
		else
			[[ $text == "<|im_start|>system"$'\n'"Sei kurz."* ]]
		fi
	done
	tokpack -m "$model" -o out.zst <in.zst
	[[ $(text out.zst) == *"You are a helpful assistant."* ]]
}

@test "a named tool format ends a function turn without a newline" {
	cat >one.jsonl <<-'END'
	{"instruction":"Hi","chosen":"yes","rejected":"no"}
	{"conversations":[{"from":"human","value":"Hi"}],"chosen":{"from":"function_call","value":"{\"name\": \"f\", \"arguments\": {}}"},"rejected":{"from":"gpt","value":"no"}}
	END
	jsonl-split one.jsonl | dpo-pair >in.zst
	tokpack -m "$model" -o plain.zst <in.zst
	tokpack -m "$model" --tool-format default -o named.zst <in.zst
	shard-cat --lengths plain.zst | awk '{ print $2 - (NR == 2), $3 }' \
	    >lengths
	cmp lengths <(shard-cat --lengths named.zst | awk '{ print $2, $3 }')
}

@test "what a cut spoils is an error, what it shortens a note" {
	for code in header-cut audio-cut cutoff; do
		heard "$code.jsonl" | tokpack -j1 -m "$model" --cutoff-len 300 \
		    -r rejects.jsonl --max-rejects 100% -o out.zst 2>&1 |
		    says "$code"
		if [ "$code" = cutoff ]; then
			[ ! -s rejects.jsonl ]
			[ "$(shard-cat out.zst | jq -r '.notes[].code' |
			    sort -u)" = "$code" ]
		else
			[ "$(jq -r .error.code rejects.jsonl | sort -u)" = \
			    $code ]
			[ -z "$(shard-cat out.zst)" ]
		fi
	done
}

@test "the cut-off that the hint names keeps the pair whole" {
	for n in 572 438 482; do
		heard header-cut.jsonl | tokpack -m "$model" -q -z 1 \
		    --cutoff-len $n -r rejects.jsonl --max-rejects 100% \
		    -o out.zst
		[ "$(shard-cat out.zst | jq -s 'map(select(.notes)) |
		    length')" -eq 0 ]
		shard-cat --lengths out.zst | grep "	$n	"
		tokpack -m "$model" -q --cutoff-len $((n - 1)) -r rejects.jsonl \
		    --max-rejects 100% -o out.zst < <(heard header-cut.jsonl)
		run -1 grep "	$n	" <(shard-cat --lengths out.zst)
	done
}

@test "no errored record is packed: -r takes it, or the run fails" {
	pairs 3 >/dev/null
	echo '{"instruction":"Hi","chosen":"yes"}' >>data.jsonl
	jsonl-split data.jsonl | dpo-pair -q >in.zst
	run -1 tokpack -m "$model" -o out.zst <in.zst
	[ ! -e out.zst ]
	tokpack -m "$model" -o out.zst -r rejects.jsonl <in.zst
	[ "$(shard-cat out.zst | wc -l)" -eq 3 ]
	[ "$(jq -r .error.code rejects.jsonl)" = missing-field ]
}

@test "it may stand before melspec or after it" {
	jsonl-split "$demo/data.json" | dpo-pair | audio-check >in.zst \
	    2>/dev/null
	melspec <in.zst | tokpack -m "$model" -r rejects -q >last.zst
	tokpack -m "$model" -r rejects -q <in.zst | melspec >first.zst
	cmp <(shard-cat --lengths last.zst) <(shard-cat --lengths first.zst)
	cmp <(shard-cat --text -m "$model" last.zst) \
	    <(shard-cat --text -m "$model" first.zst)
	[ "$(shard-cat last.zst | wc -l)" -eq 30 ]
}

@test "a record that lacks what comes before ends the run, and names who" {
	cat >audio.jsonl <<-'END'
	{"instruction":"<audio>","chosen":"yes","rejected":"no","audios":["clips/weather.wav"]}
	END
	jsonl-split audio.jsonl >split.zst
	dpo-pair <split.zst >pair.zst
	run -3 tokpack -m "$model" -o out.zst <split.zst
	[[ $output == *"a record has no messages"*"dpo-pair"* ]]
	run -3 tokpack -m "$model" -o out.zst <pair.zst
	[[ $output == *"audio facts, though it has audios"*"audio-check"* ]]
}

@test "wrong options are one line and exit 2" {
	pairs 1 >in.zst
	for o in "" "-m $model --template qwen" "-m $model --cutoff-len 0" \
	    "-m $model --cutoff-len x" "-m $model --tool-format qwen"; do
		# shellcheck disable=SC2086
		run -2 tokpack $o <in.zst
		[ "${#lines[@]}" -le 2 ]
	done
}

@test "a model that is not there, or not whole, is exit 3" {
	pairs 1 >in.zst
	run -3 tokpack -m "$BATS_TEST_TMPDIR/nowhere" <in.zst
	cp -R "$model" model
	echo '{' >model/tokenizer.json
	run -3 tokpack -m "$BATS_TEST_TMPDIR/model" <in.zst
	[[ $output == *tokenizer.json* ]]
}

@test "the provenance tells what the ids depend on" {
	pairs 1 | tokpack -m "$model" --cutoff-len 77 --default-system é \
	    --tool-format default >out.zst
	for text in '"template":"qwen2_audio"' '"cutoff-len":77' \
	    '"default-system":"é"' '"tool-format":"default"' \
	    "$(sha256sum "$model/tokenizer.json" | cut -d' ' -f1)"; do
		grep -aqF -- "$text" out.zst
	done
}

@test "-j changes nothing" {
	pairs 3000 >in.zst
	tokpack -m "$model" -j1 -o one.zst <in.zst
	tokpack -m "$model" -j4 -o four.zst <in.zst
	cmp one.zst four.zst
}
