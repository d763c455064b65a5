#!/usr/bin/env bats
# `make demo', and that the README shows what it really says.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	BUILD=$(cd "${BUILD:-build}" && pwd)
	export BUILD
	# The demo writes below BUILD: give it one of its own.
	mkdir "$BATS_TEST_TMPDIR/build"
	ln -s "$BUILD"/* "$BATS_TEST_TMPDIR/build"
	rm -f "$BATS_TEST_TMPDIR/build/demo"
}

demo() {
	BUILD=$BATS_TEST_TMPDIR/build examples/demo/run |
	    sed "s|$BATS_TEST_TMPDIR/||g"
}

@test "thirty pairs go into the shard, two into the rejects" {
	demo
	PATH=$BUILD:$PATH
	out=$BATS_TEST_TMPDIR/build/demo
	[ "$(shard-cat "$out/train.zst" | wc -l)" -eq 30 ]
	[ "$(jq -r .error.code "$out/rejects.jsonl" | xargs)" = \
	    "audio-count audio-truncated" ]
}

@test "the README shows what the demo says" {
	# The first fenced block; programs of a pipe speak in any order.
	shown=$(awk '/^```/ { if (n++) exit; next } n' README.md | sort)
	[ -n "$shown" ]
	said=$(demo | sed 's/^    //' | sort)
	[ -z "$(comm -23 <(echo "$shown") <(echo "$said"))" ]
}

@test "it fails where a program of the pipe is missing" {
	rm "$BATS_TEST_TMPDIR/build/melspec"
	BUILD=$BATS_TEST_TMPDIR/build run examples/demo/run
	[ "$status" -eq 3 ]
	[[ $output == *"melspec: not found"* ]]
}

@test "what the demo ships is what its script makes of the same words" {
	# The clips need espeak-ng; the data need nothing but Python.
	cp -R examples/demo "$BATS_TEST_TMPDIR/made"
	python3 -B "$BATS_TEST_TMPDIR/made/make.py" data
	cmp examples/demo/data.json "$BATS_TEST_TMPDIR/made/data.json"
	cmp examples/demo/dataset_info.json \
	    "$BATS_TEST_TMPDIR/made/dataset_info.json"
}
