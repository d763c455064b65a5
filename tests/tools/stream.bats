#!/usr/bin/env bats
# The stream holds: through the whole pipe, in any number of threads and
# shares, cut, flipped, joined, and with any of its programs killed.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	demo=$PWD/examples/demo
	model=$demo/model
	cd "$BATS_TEST_TMPDIR" || return
}

# demos N: the demo's records as JSON Lines, N times.
demos() {
	jq -c '.[]' "$demo/data.json" >once.jsonl
	for _ in $(seq "$1"); do cat once.jsonl; done
}

# texts N: pairs of text alone, of different lengths; every ninth is broken.
texts() {
	jq -cn --argjson n "$1" 'range($n) | {instruction: "Say \(.)",
	    chosen: "It is \(. * . * .), é 中 🍅 \"]}[{\", of \($n).",
	    rejected: (if . % 9 == 4 then "" else "No." end)}'
}

# tiny: a pair about a clip so short that its tensors are small, as each
# program in turn writes it: 1.zst to 5.zst.
tiny() {
	python3 - <<-'END'
	import struct
	pcm = struct.pack("<400h", *(k * 7919 % 20001 - 10000
	                             for k in range(400)))
	open("tiny.wav", "wb").write(struct.pack("<4sI8sIHHIIHH4sI",
	    b"RIFF", 36 + len(pcm), b"WAVEfmt ", 16, 1, 1, 16000, 32000, 2, 16,
	    b"data", len(pcm)) + pcm)
	END
	echo '{"instruction":"<audio>","chosen":"y","rejected":"n",' \
	    '"audios":["tiny.wav"]}' >tiny.jsonl
	jsonl-split tiny.jsonl >1.zst
	dpo-pair <1.zst >2.zst
	audio-check <2.zst >3.zst
	melspec <3.zst >4.zst
	tokpack -m "$model" <4.zst >5.zst
}

# sum FILE MEMBER: what the end markers of FILE say of it, added up.
sum() {
	LC_ALL=C grep -ao '{"frames":[^}]*}' "$1" | jq -s "map(.$2) | add"
}

@test "the whole pipe gives the same bytes with -j 1, 2 and 5" {
	demos 6 >demos.jsonl	# of 32 records each two are broken
	for j in 1 2 5; do
		jsonl-split -j $j demos.jsonl 2>$j.err1 |
		    dpo-pair -j $j 2>$j.err2 |
		    audio-check -j $j --root "$demo" 2>$j.err3 |
		    melspec -j $j 2>$j.err4 |
		    tokpack -j $j -m "$model" -r $j.rejects \
		    --max-rejects 12 -o $j.zst 2>$j.err5
		for file in zst rejects err1 err2 err3 err4 err5; do
			cmp 1.$file $j.$file
		done
	done
	[ "$(shard-cat 1.zst | wc -l)" = 180 ]
	[ "$(wc -l <1.rejects)" = 12 ]
	[ "$(cat 1.err? | grep -c error:)" = 12 ]
}

@test "each program gives the same bytes with -j 1, 2 and 5" {
	(demos 2; texts 900) >0.jsonl
	jsonl-split -q 0.jsonl >1.zst
	dpo-pair -q <1.zst >2.zst
	audio-check -q --root "$demo" <2.zst >3.zst
	melspec <3.zst >4.zst
	n=0
	: >0.zst	# what jsonl-split does not read
	for command in "jsonl-split 0.jsonl" dpo-pair \
	    "audio-check --root $demo" melspec "tokpack -m $model"; do
		for option in "" "-o out"; do
			for j in 1 2 5; do
				# shellcheck disable=SC2086
				$command -j $j $option -r rejects.$j \
				    --max-rejects 100% <$n.zst \
				    >out.$j 2>err.$j
				[ ! -e out ] || mv out out.$j
				cmp out.1 out.$j
				cmp rejects.1 rejects.$j
				cmp err.1 err.$j
			done
			shard-cat --check -q out.1
		done
		n=$((n + 1))
	done
	[ "$n" = 5 ]
	[ "$(shard-cat out.1 | wc -l)" = $((60 + 900 - 100)) ]
	[ "$(wc -l <rejects.1)" = $((4 + 100)) ]
}

@test "a stream or shard cut at any byte ends every program with 3" {
	tiny
	shard-cat -o shard 2.zst
	echo '{"instruction":"x","chosen":"y","rejected":"n"}' |
	    jsonl-split | dpo-pair >text.zst
	cat >cut.py <<-'END'
	import os, subprocess, sys
	from concurrent.futures import ThreadPoolExecutor

	step, file, argv = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
	whole = open(file, "rb").read()

	def cut(n):
	    out = "cut-%d" % n
	    r = subprocess.run(argv + ["-o", out], input=whole[:n],
	                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
	    assert r.returncode == 3, (argv, n, r)
	    assert not os.path.exists(out), (argv, n)
	    assert r.stderr.count(b"error: ") == 1, (argv, n, r)
	    if "shard-cat" not in argv:
	        return
	    r = subprocess.run(argv + ["--check", "-q"], input=whole[:n])
	    assert r.returncode == 3, (argv, n, r)

	with ThreadPoolExecutor(2) as pool:
	    list(pool.map(cut, range(0, len(whole), step)))
	assert not [f for f in os.listdir() if f.startswith(".")]
	# And whole it is none of these.
	assert subprocess.run(argv + ["-o", "whole"], input=whole).returncode == 0
	END
	python3 cut.py 1 1.zst dpo-pair -j 1
	python3 cut.py 1 2.zst audio-check -j 1
	python3 cut.py 1 text.zst melspec -j 1
	python3 cut.py 1 text.zst tokpack -j 1 -m "$model"
	python3 cut.py 1 2.zst shard-cat
	python3 cut.py 1 shard shard-cat
	# In tensors and tables: steps that meet each offset of a word.
	python3 cut.py 3 shard audio-check
	python3 cut.py 7 3.zst melspec
	python3 cut.py 17 4.zst tokpack -m "$model"
	python3 cut.py 17 5.zst shard-cat
}

@test "a cut anywhere in the pipe leaves no shard, with or without pipefail" {
	demos 1 >demos.jsonl
	jsonl-split demos.jsonl >1.zst
	dpo-pair -q <1.zst >2.zst
	audio-check -q --root "$demo" <2.zst >3.zst
	for pipefail in -o +o; do
		set $pipefail pipefail
		# shellcheck disable=SC2016
		run -3 sh -c 'head -c 9999 1.zst | dpo-pair -q |
		    audio-check -q --root "$0" | melspec |
		    tokpack -m "$1" -r rejects -o out' "$demo" "$model"
		# shellcheck disable=SC2016
		run -3 sh -c 'dpo-pair -q <1.zst | head -c 9999 |
		    audio-check -q --root "$0" | melspec |
		    tokpack -m "$1" -r rejects -o out' "$demo" "$model"
		# shellcheck disable=SC2016
		run -3 sh -c 'head -c 300000 3.zst | melspec |
		    tokpack -m "$1" -r rejects -o out' "$demo" "$model"
	done
	set +o pipefail
	[ ! -e out ]
}

@test "shares of every form of input add up to the whole, K from 1 to 7" {
	texts 100 >lines.jsonl
	jq -s . lines.jsonl >array.json
	jq . lines.jsonl >values.json
	# share FILE OUT OPTION...: through the pipe.
	share() {
		local file=$1 out=$2
		shift 2
		jsonl-split -j 1 "$@" "$file" | dpo-pair -j 1 -q |
		    tokpack -j 1 -m "$model" -q -r "$out.rejects" \
		    --max-rejects 100% -o "$out"
	}
	for file in lines.jsonl array.json values.json; do
		share $file whole
		# Lines of one share have no number, as nobody counted them.
		shard-cat whole | jq -c 'del(.at.line)' >want
		jq -c 'del(.at.line)' whole.rejects >want.rejects
		[ "$(cat want want.rejects | wc -l)" = 100 ]
		for k in 1 2 3 4 5 6 7; do
			shards=()
			: >got.rejects
			for i in $(seq $k); do
				share $file "part-$i" --share "$i/$k"
				shards+=("part-$i")
				cat "part-$i.rejects" >>got.rejects
				[ "$(sum "part-$i" rejected)" = \
				    "$(wc -l <"part-$i.rejects")" ]
			done
			shard-cat -o all "${shards[@]}"
			shard-cat --check -q all
			shard-cat all | jq -c 'del(.at.line)' | cmp want -
			jq -c 'del(.at.line)' got.rejects | cmp want.rejects -
			[ "$(sum all rejected)" = "$(wc -l <want.rejects)" ]
		done
	done
}

@test "shares of what has no bytes add up too, record by record" {
	texts 100 >lines.jsonl
	jsonl-split lines.jsonl | shard-cat | jq -c .data >want
	for k in 2 3 7; do
		for i in $(seq $k); do
			# shellcheck disable=SC2002
			cat lines.jsonl | jsonl-split --share "$i/$k" -o "part-$i"
		done
		shard-cat $(seq -f part-%g $k) | jq -c .data | sort |
		    cmp <(sort want) -
	done
}

@test "shares of the demo make the shard that the whole makes" {
	pipe() {
		jsonl-split "$@" "$demo/data.json" | dpo-pair -q |
		    audio-check -q | melspec | tokpack -q -m "$model" \
		    -r rejects -o part
		cat rejects >>all.rejects
	}
	for k in 1 3; do
		rm -f all.rejects
		for i in $(seq $k); do
			pipe --share "$i/$k"
			mv part "part-$i"
		done
		shard-cat -z 1 -o all-$k $(seq -f part-%g $k)
		[ "$(jq .at.line all.rejects | xargs)" = "25 31" ]
	done
	zstd -dcq all-1 >one
	zstd -dcq all-3 | cmp - one
	cmp <(shard-cat --lengths all-1) <(shard-cat --lengths all-3)
}

@test "--check finds every flipped bit that changes anything" {
	tiny
	tokpack -m "$model" <3.zst >without-mel.zst
	shard-cat -z 0 -o stored 1.zst
	shard-cat -z 19 -o packed 2.zst
	# With a frame of a kind that nobody knows, 0x184D2A57, in front.
	(printf 'W*M\x18\x05\0\0\0hello'; cat 1.zst) >unknown
	cat >flip.py <<-'END'
	import os, re, struct, subprocess, sys

	whole, step = open(sys.argv[1], "rb").read(), int(sys.argv[2])

	def content(path):
	    return subprocess.run(["zstd", "-dcq", path], check=True,
	                          stdout=subprocess.PIPE).stdout

	# What no sum covers: how many were rejected, which nothing else in
	# the stream tells; which unknown kind an unknown frame is of, and
	# what is in it.
	end = re.search(rb'"rejected":(\d+),"table"', whole)
	free = set(range(*end.span(1)))
	if whole.startswith(b"W*M\x18"):
	    free |= {0} | set(range(8, 13))
	plain = content(sys.argv[1])
	bits = range(0, 8 * len(whole), step)
	missed = 0
	for first in range(0, len(bits), 400):
	    names = []
	    for bit in bits[first:first + 400]:
	        flipped = bytearray(whole)
	        flipped[bit // 8] ^= 1 << bit % 8
	        names.append("flip-%d" % bit)
	        open(names[-1], "wb").write(flipped)
	    r = subprocess.run(["shard-cat", "--check"] + names,
	                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
	                       universal_newlines=True)
	    assert r.returncode == 3, r
	    lines = r.stdout.splitlines()
	    assert [l.split(":")[0] for l in lines] == names, r
	    for name, line in zip(names, lines):
	        if ": DAMAGED: " not in line:
	            # Some bits of compressed blocks mean nothing to zstd.
	            at = int(name[5:]) // 8
	            assert at in free or content(name) == plain, line
	            missed += 1
	    for name in names:
	        os.unlink(name)
	print(missed, "of", len(bits))
	END
	python3 flip.py stored 1 >said
	# Four bits that make a 0 another digit.
	[ "$(cat said)" = "4 of $((8 * $(stat -c %s stored)))" ]
	python3 flip.py unknown 1
	python3 flip.py packed 3
	python3 flip.py without-mel.zst 29
	python3 flip.py 5.zst 61
}

@test "every program reads streams that cat has joined as one" {
	demos 1 | tail -n 12 >a.jsonl
	(texts 40; cat a.jsonl) >b.jsonl
	for x in a b; do
		jsonl-split $x.jsonl >$x.1
		dpo-pair -q -r $x.out <$x.1 >$x.2
		audio-check -q --root "$demo" <$x.2 >$x.3
		melspec <$x.3 >$x.4
	done
	n=1
	for command in "dpo-pair -q" "audio-check -q --root $demo" melspec \
	    "tokpack -q -m $model" shard-cat; do
		[ $n -lt 5 ] || n=4
		for x in a b; do
			$command -r $x.rejects <$x.$n >$x.zst 2>/dev/null ||
			    shard-cat <$x.$n >$x.zst
		done
		if [ "$command" = shard-cat ]; then
			cat a.4 b.4 | shard-cat | cmp - <(cat a.zst b.zst)
			continue
		fi
		for order in "a b" "b a a"; do
			for x in $order; do cat "$x.$n"; done |
			    $command -r rejects --max-rejects 100% >ab.zst
			for x in $order; do cat "$x.zst"; done >want.zst
			shard-cat --check -q ab.zst
			cmp <(zstd -dcq ab.zst) <(zstd -dcq want.zst)
			for x in $order; do cat "$x.rejects"; done |
			    cmp rejects -
			for member in frames records errors rejected; do
				[ "$(sum ab.zst $member)" = \
				    "$(sum want.zst $member)" ]
			done
		done
		n=$((n + 1))
	done
}

@test "a stream and a shard joined by cat are one, cut they are none" {
	texts 20 | jsonl-split | dpo-pair -q -r rejects >a
	texts 20 | jsonl-split | dpo-pair -q -r rejects -o b
	for joined in "a b" "b a" "b b"; do
		# shellcheck disable=SC2086
		cat $joined | tokpack -q -m "$model" -o out
		[ "$(shard-cat out | wc -l)" = 36 ]
		[ "$(sum out rejected)" = 4 ]
		rm out
		for cut in 1 9 100; do
			# shellcheck disable=SC2086
			run -3 tokpack -q -m "$model" -o out \
			    < <(cat $joined | head -c -$cut)
			[ ! -e out ]
		done
	done
}

@test "a killed program of the pipe: the last ends with 3, without a shard" {
	demos 20 >demos.jsonl
	for victim in 0 1 2 3; do
		rm -f p?
		mkfifo p0 p1 p2 p3 p4
		pids=()
		jsonl-split <p0 >p1 2>err0 & pids+=($!)
		dpo-pair <p1 >p2 2>err1 & pids+=($!)
		audio-check --root "$demo" <p2 >p3 2>err2 & pids+=($!)
		melspec <p3 >p4 2>err3 & pids+=($!)
		echo before >out
		timeout 30 tokpack -m "$model" -r rejects -o out <p4 2>err4 &
		last=$!
		exec 9>p0
		cat demos.jsonl >&9
		# Let something come out at the other end.
		for _ in $(seq 50); do
			[ -z "$(find . -name '.*' -size +0)" ] || break
			sleep 0.1
		done
		children=$(cat /proc/"${pids[victim]}"/task/*/children ||
		    true)
		kill -9 "${pids[victim]}"
		# Upstream still has its input: nobody waits for that.
		status=0
		wait $last || status=$?
		[ "$status" = 3 ]
		[ "$(cat out)" = before ]
		[ -z "$(find . -name '.*' -type f)" ]
		exec 9>&-
		for pid in "${pids[@]}"; do
			wait "$pid" || true
		done
		# Whom it had started is gone as well.
		for child in $children; do
			for _ in $(seq 50); do
				[ -e "/proc/$child" ] || break
				sleep 0.1
			done
			[ ! -e "/proc/$child" ]
		done
		grep -q '^tokpack: error: ' err4
	done
}

@test "the last program killed leaves what was there" {
	demos 5 >demos.jsonl
	jsonl-split demos.jsonl | dpo-pair -q |
	    audio-check -q --root "$demo" >3.zst
	echo before >out
	echo before >rejects
	mkfifo p
	tokpack -m "$model" -r rejects -o out <p &
	last=$!
	exec 9>p
	head -c 900000 3.zst >&9
	kill -9 $last
	run ! wait $last
	exec 9>&-
	[ "$(cat out rejects | xargs)" = "before before" ]
}
