#!/usr/bin/env bats
# audio-check: what it makes of sound files, and of what only looks like one.

setup_file() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export ROOT
	BUILD=$(cd "${BUILD:-$ROOT/build}" && pwd)
	export BUILD
	export PATH=$BUILD:$PATH
	${CC:-cc} -D_GNU_SOURCE -O1 -fPIC -shared \
	    -o "$BATS_FILE_TMPDIR/hostile.so" \
	    "$ROOT/tests/tools/hostile.c" -ldl
}

setup() {
	# shellcheck source=tests/tools/messages.bash
	. "$ROOT/tests/tools/messages.bash"
	dir=$(mktemp -d)
	cd "$dir" || exit 1
	audio=$ROOT/tests/bad/audio
}

teardown() {
	cd / && rm -rf "$dir"
}

# records: the JSON of what is on stdin, tensors or not.
records() {
	cat >out.zst && shard-cat out.zst
}

# pairs FILE...: a stream of a pair about each audio.
pairs() {
	for f; do
		printf '{"messages":[{"role":"user","content":"<audio>?"}],'
		printf '"chosen":{"role":"assistant","content":"a"},'
		printf '"rejected":{"role":"assistant","content":"b"},'
		printf '"audios":["%s"]}\n' "$f"
	done >data.jsonl
	jsonl-split data.jsonl | dpo-pair
}

# Without what is said where the kernel has no Landlock or no seccomp.
no_warning() {
	sed '/: warning: decoders run without/d'
}

# code FILE: the code of FILE's error, or of its first note, or "ok".
code() {
	audio-check -q "$1" 2>err | records |
	    jq -r '.error.code // .notes[0].code // "ok"'
}

@test "each file in tests/bad/audio earns the code that it is named for" {
	n=0
	for f in "$audio"/*; do
		name=$(basename "$f")
		want=$(echo "$name" | sed -E 's/^(ok|audio-[a-z]+)-.*/\1/')
		got=$(code "$f")
		[ "$got" = "$want" ] || { echo "$name: $got"; false; }
		n=$((n + 1))
	done
	[ "$n" -ge 70 ]
}

@test "what it says of each is in the golden file" {
	cd "$audio"
	for f in audio-*; do
		audio-check --no-pcm "$f" 2>&1 >/dev/null
	done | no_warning | says audio-check
}

@test "the facts of a clip, in their order" {
	got=$(cd "$audio" && audio-check --no-pcm ok-six.wav |
	    (cd "$dir" && records) | jq -c '.audio[0] | keys_unsorted')
	[ "$got" = '["path","format","subtype","rate","channels","samples_in","seconds","samples","resample","peak","rms","dc","clipped","frames","tokens"]' ]
	got=$(cd "$audio" && audio-check --no-pcm ok-321.wav |
	    (cd "$dir" && records) |
	    jq -c '.audio[0] | [.path,.rate,.samples,.resample,.frames,.tokens]')
	[ "$got" = '["ok-321.wav",16000,321,"none",3,1]' ]
}

@test "-j 1, 2 and 5 give the same bytes" {
	set -- "$audio"/ok-* "$audio"/audio-* "$audio"/ok-*
	audio-check -q -j 1 "$@" >1.zst
	audio-check -q -j 2 "$@" >2.zst
	audio-check -q -j 5 "$@" >5.zst
	cmp 1.zst 2.zst
	cmp 1.zst 5.zst
}

@test "pcm is what the file holds, as i16 where it is that" {
	audio-check "$audio/ok-321.wav" >one.zst
	zstd -dcq one.zst >image
	n=$(od -An -tu8 -N8 image)
	tail -c 642 image >pcm
	tail -c 642 "$audio/ok-321.wav" | cmp - pcm
	dd if=image bs=1 skip=8 count="$n" 2>/dev/null |
	    jq -e '.["pcm.0"] == {"dtype":"I16","shape":[321],"data_offsets":[0,642]}'
}

@test "--no-pcm passes facts on, and no tensors" {
	audio-check --no-pcm "$audio/ok-321.wav" | zstd -dcq | jq -e .audio[0].tokens
}

@test "--clip cuts, with a note; --max refuses; --min too" {
	run code "$audio/ok-321.wav"
	[ "$output" = ok ]
	audio-check -q --clip 0.02 "$audio/ok-whole.wav" | records >r
	jq -e '.audio[0].samples == 320 and .audio[0].samples_in == 800 and .notes[0].code == "audio-long"' r
	audio-check -q --max 0.05 "$audio/ok-whole.wav" | records |
	    jq -e 'has("error") | not'
	audio-check -q --max 0.0499 "$audio/ok-whole.wav" | records |
	    jq -e '.error.code == "audio-long"'
	audio-check -q --min 0.05 "$audio/ok-whole.wav" | records |
	    jq -e 'has("error") | not'
	audio-check -q --min 0.0501 "$audio/ok-whole.wav" | records |
	    jq -e '.error.code == "audio-short"'
	audio-check -q --min 0 "$audio/audio-short-1.wav" | records |
	    jq -e 'has("error") | not'
}

@test "--strict makes notes errors" {
	audio-check -q --strict "$audio/audio-silent-zeros.wav" | records |
	    jq -e '.error.code == "audio-silent" and (has("notes") | not)'
}

@test "--resample changes the samples, and the provenance says so" {
	audio-check "$audio/ok-1Hz.wav" >a.zst
	audio-check --resample sinc "$audio/ok-1Hz.wav" >b.zst
	run cmp -s a.zst b.zst
	[ "$status" -eq 1 ]
	grep -aq '"resample":"sinc"' b.zst
	grep -aq '"soxr":"0' a.zst
	run audio-check --resample other "$audio/ok-1Hz.wav"
	[ "$status" -eq 2 ]
}

@test "a path starts at the folder of the data" {
	mkdir -p sub/clips
	cp "$audio/ok-321.wav" sub/clips/a.wav
	(cd sub && pairs clips/a.wav >/dev/null)
	jsonl-split sub/data.jsonl | dpo-pair | audio-check --no-pcm |
	    records | jq -e '.audio[0].tokens == 1'
}

@test "missing, elsewhere, no file: each is told apart" {
	mkdir in folder
	mkfifo in/pipe
	ln -s /etc/passwd in/link
	cp "$audio/ok-321.wav" out.wav
	pairs in/none.wav in/pipe in in/link /etc/passwd "$dir/out.wav" \
	    ../x.wav https://example.org/a.wav >in.zst || true
	timeout 20 audio-check <in.zst 2>err | records >got
	[ "$(jq -r '.error.code // "ok"' got | tr '\n' ' ')" = \
	    "audio-missing audio-not-a-file audio-not-a-file audio-outside audio-outside ok audio-missing audio-inline " ]
	no_warning <err | sed "s#$dir#DIR#g" | says audio-check-paths
}

@test "--root is the only place then, and paths start there" {
	mkdir one two
	cp "$audio/ok-321.wav" one/a.wav
	cp "$audio/ok-321.wav" two/b.wav
	cp "$audio/ok-321.wav" c.wav
	pairs a.wav b.wav c.wav two/b.wav "$dir/two/b.wav" "$dir/c.wav" >in.zst
	audio-check -q --root one --root two <in.zst | records >got
	[ "$(jq -r '.error.code // "ok"' got | tr '\n' ' ')" = \
	    "ok ok audio-missing audio-missing ok audio-outside " ]
	run audio-check --root nowhere <in.zst
	[ "$status" -eq 3 ]
}

@test "a record that dpo-pair has not read ends the run, and the hint says so" {
	echo '{"a":1}' >x.jsonl
	run bash -c 'jsonl-split x.jsonl | audio-check >/dev/null'
	[ "$status" -eq 3 ]
	[[ $output == *"dpo-pair comes before audio-check"* ]]
}

@test "a list of paths is checked through jsonl-split --paths" {
	cp "$audio/ok-321.wav" "$audio/audio-empty-file.wav" .
	printf 'ok-321.wav\naudio-empty-file.wav\n' >list
	jsonl-split --paths list | audio-check -q --no-pcm | records |
	    jq -r '.error.code // "ok"' >got
	[ "$(tr '\n' ' ' <got)" = "ok audio-empty " ]
}

@test "a record of several audios has them all, or the first fault" {
	cp "$audio/ok-321.wav" a.wav
	cp "$audio/audio-empty-file.wav" b.wav
	printf '%s\n' '{"messages":[{"role":"user","content":"<audio><audio>"}],"chosen":{"role":"assistant","content":"a"},"rejected":{"role":"assistant","content":"b"},"audios":["a.wav","a.wav"]}' \
	    '{"messages":[{"role":"user","content":"<audio><audio>"}],"chosen":{"role":"assistant","content":"a"},"rejected":{"role":"assistant","content":"b"},"audios":["a.wav","b.wav"]}' >data.jsonl
	jsonl-split data.jsonl | dpo-pair | audio-check -q >two.zst
	shard-cat two.zst >got
	jq -se '(.[0].audio | length) == 2 and .[1].error.code == "audio-empty" and (.[1] | has("audio") | not)' got
}

# hostile WHAT: a file that makes the decoder do WHAT, between two honest ones.
hostile() {
	cp "$audio/ok-321.wav" a.wav
	cp "$audio/ok-whole.wav" b.wav
	printf 'HOSTILE %s\n' "$1" >bad.wav
	LD_PRELOAD=$BATS_FILE_TMPDIR/hostile.so \
	    audio-check -j 1 "${@:2}" a.wav bad.wav b.wav 2>err | records |
	    jq -r '.error.code // "ok"' | tr '\n' ' '
}

sanitized() {
	nm "$BUILD/audio-check" | grep -q '__[at]san_init'
}

@test "a decoder that crashes, loops or eats memory costs one record" {
	sanitized && return
	for what in crash memory loop; do
		[ "$(hostile $what)" = "ok audio-decoder ok " ]
	done
	grep 'no progress in 10 s' err
}

@test "a decoder reaches no file, no network, no program" {
	sanitized && return
	[ "$(hostile open)" = "ok audio-decoder ok " ]
	grep 'signal 6' err
	for what in socket exec; do
		[ "$(hostile $what)" = "ok audio-decoder ok " ]
		grep 'may not do' err
	done
}

@test "--sandbox=off takes the walls away, and require insists on them" {
	sanitized && return
	[ "$(hostile open --sandbox off)" = "ok audio-decoder ok " ]
	grep 'without an answer' err
	audio-check -q --sandbox require "$audio/ok-321.wav" >/dev/null
	audio-check -q --sandbox off "$audio/ok-321.wav" >off.zst
	audio-check -q "$audio/ok-321.wav" | cmp - off.zst
}

@test "where there is no Landlock, a warning says so once, and require fails" {
	sanitized && return
	export NO_LANDLOCK=1
	[ "$(hostile open -j 4)" = "ok audio-decoder ok " ]
	[ "$(grep -c 'decoders run without Landlock' err)" = 1 ]
	grep 'signal 6' err
	run hostile open --sandbox require
	[[ "$(cat err)" == *"the sandbox cannot be had in full: no Landlock"* ]]
	[[ "$(cat err)" == *"--sandbox=auto"* ]]
}

@test "no process outlives it, however it ends" {
	mkfifo in
	pairs "$audio/ok-321.wav" >one.zst
	audio-check -j 2 --root "$audio" <in >out.zst 3>&- &
	pid=$!
	exec 9>in
	head -c 400 one.zst >&9
	sleep 0.3
	children=$(pgrep -P $pid)
	[ -n "$children" ]
	kill -9 $pid
	wait $pid || true
	exec 9>&-
	for _ in $(seq 50); do
		alive=0
		for c in $children; do
			kill -0 "$c" 2>/dev/null && alive=1
		done
		[ $alive = 0 ] && return
		sleep 0.2
	done
	false
}

@test "the options of --help are those of the manual page" {
	audio-check --help | grep -oE -- '--[a-z-]+' | sort -u >help
	sed -n 's/^\.It.* Fl -\([a-z-]*\).*/--\1/p' "$ROOT/man/audio-check.1" |
	    sort -u >page
	diff help page
}
