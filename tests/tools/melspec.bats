#!/usr/bin/env bats
# melspec: what becomes of samples, facts and records without them.
# run sets stderr:
# shellcheck disable=SC2154
bats_require_minimum_version 1.5.0

setup() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	cd "$ROOT" || return
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	demo=$ROOT/examples/demo
	cd "$BATS_TEST_TMPDIR" || return
}

# paths [FILE...]: records of these clips of the demo, on their way.
paths() {
	printf '%s\n' "$@" | jsonl-split --paths
}

# heard [FILE...]: the same, measured, with their samples.
heard() {
	paths "$@" | audio-check -q --root "$demo/clips"
}

# header FILE N: the safetensors header of record N of shard FILE.
header() {
	local n

	shard-cat -n "$2" -o one.zst "$1"
	zstd -dcq one.zst >one
	n=$(od -An -tu8 -N8 one | tr -d ' ')
	tail -c +9 one | head -c "$n"
}

# shape FILE N: the name, type and shape of each tensor of record N.
shape() {
	header "$1" "$2" | jq -r 'del(.__metadata__) | to_entries[] |
	    "\(.key) \(.value.dtype) \(.value.shape | join(" "))"'
}

@test "samples give way to a spectrogram of as many columns as they reach" {
	heard weather.wav platform.wav >in.zst
	melspec -o out.zst <in.zst
	for n in 0 1; do
		samples=$(shard-cat -n $n out.zst | jq '.audio[0].samples')
		[ "$samples" -gt 16000 ]
		[ "$(shape out.zst $n)" = \
		    "input_features.0 F32 128 $(((samples + 359) / 160))" ]
	done
}

@test "only pad is new in what is known of an audio" {
	heard weather.wav platform.wav >in.zst
	melspec <in.zst >out.zst
	shard-cat in.zst >before
	shard-cat out.zst >after
	run ! grep -q '"pad":' before
	[ "$(grep -c '"pad":' after)" = 2 ]
	sed 's/,"pad":-\{0,1\}[0-9.]*}/}/' after | cmp - before
}

@test "pad, f32 or cast, is what the padded columns hold" {
	heard weather.wav >in.zst
	for type in f32 f16 bf16; do
		melspec --type $type <in.zst | shard-cat |
		    jq '.audio[0].pad' >pad.$type
	done
	# Between 0.5 and 1 an f16 is a multiple of 1/2048, a bf16 of 1/256.
	jq -es '.[0] as $x | .[1] as $h | .[2] as $b |
	    ($x - $h | fabs) <= 0.000245 and ($h * 2048 | . == round) and
	    ($x - $b | fabs) <= 0.00196 and ($b * 256 | . == round) and
	    $x < -0.5 and $x > -1' pad.f32 pad.f16 pad.bf16
}

@test "--type is the tensor's, and in the provenance" {
	heard weather.wav >in.zst
	for type in f32 f16 bf16; do
		melspec --type $type -o out.zst <in.zst
		[[ $(shape out.zst 0) == \
		    "input_features.0 ${type^^} 128 "* ]]
		grep -aq "\"program\":\"melspec\".*\"mels\":128,\"type\":\"$type\"" \
		    out.zst
	done
	melspec <in.zst >as-it-comes.zst
	melspec --type f32 <in.zst | cmp - as-it-comes.zst
}

@test "-m takes the number of bands from the model, and names its file" {
	mkdir model
	for mels in 80 128; do
		jq ".feature_size = $mels" \
		    "$demo/model/preprocessor_config.json" \
		    >model/preprocessor_config.json
		heard weather.wav | melspec -m model -o out.zst
		[[ $(shape out.zst 0) == "input_features.0 F32 $mels "* ]]
		sum=$(sha256sum model/preprocessor_config.json)
		grep -aqF "\"preprocessor_config.json\":\"${sum%% *}\"" out.zst
	done
}

@test "what a model asks for that is not implemented is refused" {
	mkdir model
	heard weather.wav >in.zst
	for change in .hop_length=200 .n_fft=512 .feature_size=64 \
	    .sampling_rate=22050 .chunk_length=20 .dither=0.1 \
	    '.feature_extractor_type="EncodecFeatureExtractor"'; do
		jq "$change" "$demo/model/preprocessor_config.json" \
		    >model/preprocessor_config.json
		run -3 --separate-stderr melspec -m model -o out.zst <in.zst
		[[ $stderr == *preprocessor_config.json:*not\ implemented* ]]
		[ ! -e out.zst ]
	done
}

@test "records without audios pass to the byte" {
	echo '{"messages":[],"more": 1}
	{"audios":[],"audio":[]}' | jsonl-split >in.zst
	melspec <in.zst | shard-cat >after
	shard-cat in.zst | cmp - after
}

@test "records with an error pass" {
	heard none.wav weather.wav >in.zst
	melspec -q -o out.zst -r rejects <in.zst
	[ "$(jq -r .error.code rejects)" = audio-missing ]
	[ "$(shard-cat out.zst | wc -l)" = 1 ]
}

@test "samples that are missing end it with 3, and audio-check is named" {
	paths weather.wav >in.zst
	run -3 --separate-stderr melspec -o out.zst <in.zst
	[ ! -e out.zst ]
	[[ $stderr == *"audios[0] comes without "*"hint: put audio-check, "* ]]
	paths weather.wav | audio-check --no-pcm --root "$demo/clips" >in.zst
	run -3 --separate-stderr melspec -o out.zst <in.zst
	[[ $stderr == *"without its samples"*"without --no-pcm"* ]]
	# They are gone after melspec, too.
	heard weather.wav | melspec >in.zst
	run -3 --separate-stderr melspec -o out.zst <in.zst
	[[ $stderr == *"without its samples"* ]]
}

@test "-j 1, 4, and each code for the processor give the same bytes" {
	(cd "$demo/clips" && ls) >names
	for _ in 1 2 3; do cat names; done | jsonl-split --paths |
	    audio-check -q --root "$demo/clips" >in.zst
	for type in f32 f16 bf16; do
		melspec -q -j 1 --type $type <in.zst >one.zst
		melspec -q -j 4 --type $type <in.zst | cmp - one.zst
		OSSICLE_MEL=generic melspec -q --type $type <in.zst |
		    cmp - one.zst
		for path in avx2 avx512; do
			[ "$(uname -m)" = x86_64 ] || continue
			grep -qw ${path/512/512f} /proc/cpuinfo || continue
			OSSICLE_MEL=$path melspec -q --type $type <in.zst |
			    cmp - one.zst
		done
	done
	OSSICLE_MEL=abacus run -2 melspec <in.zst
}

@test "a type that there is not is a wrong option" {
	run -2 --separate-stderr melspec --type f64 </dev/null
	[ "${#stderr_lines[@]}" = 1 ]
	run -2 melspec operand </dev/null
}

@test "a stream that is cut ends it with 3" {
	heard weather.wav >in.zst
	head -c -30 in.zst >cut.zst
	run -3 --separate-stderr melspec -o out.zst <cut.zst
	[ ! -e out.zst ]
	run -3 --separate-stderr melspec -o out.zst </dev/null
	[ ! -e out.zst ]
}
