#!/usr/bin/env bats
# What all filters have in common, tried with the real programs.

FILTERS="jsonl-split dpo-pair audio-check melspec tokpack"

setup() {
	BUILD=${BUILD:-build}
	PATH=$(cd "$BUILD" && pwd):$PATH
	dir=$(mktemp -d)
	cd "$dir" || exit 1
	i=0
	while [ $i -lt 40 ]; do
		echo '{"messages":[{"role":"user","content":"Say '$i'"}],' \
		    '"chosen":{"role":"assistant","content":"It is '$i'."},' \
		    '"rejected":{"role":"assistant","content":"No."}}'
		i=$((i + 1))
	done >data.jsonl
	# Number 3 has no second answer.
	sed '3s/"rejected"/"else"/' data.jsonl >one-bad.jsonl
	jsonl-split data.jsonl >in.zst
}

teardown() {
	cd / && rm -rf "$dir"
}

# Only stdout of the command, to a file: a stream is no text.
quietly() {
	"$@" 2>err >out
}

# The files in the folder that no test has named.
temporaries() {
	find . -name '.*' -type f
}

@test "--help begins with the usage and lists the common options" {
	for p in $FILTERS; do
		run $p --help
		[ "$status" -eq 0 ]
		[[ "${lines[0]}" == "usage: $p [OPTION]..."* ]]
		for o in output threads level rejects max-rejects strict \
		    fragment max-frame progress stats quiet help version; do
			[[ "$output" == *"--$o"* ]]
		done
		[[ "$output" != *completion* ]]
	done
}

@test "--version names the program and the version" {
	for p in $FILTERS; do
		run $p --version
		[ "$status" -eq 0 ]
		[[ "$output" =~ ^$p\ \(ossicle\)\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	done
}

@test "an unknown option is one line, and exit 2" {
	for p in $FILTERS; do
		for o in --nonsense -Y --strict=1 "-j 0" "-z 99" -o; do
			# shellcheck disable=SC2086
			run quietly $p $o
			[ "$status" -eq 2 ]
			[ "$(wc -l <err)" -eq 1 ]
			[[ "$(cat err)" == "$p: error: "* ]]
			[ ! -s out ]
		done
	done
}

@test "a terminal is refused as output, with a hint" {
	for p in jsonl-split dpo-pair; do
		run script -qec "$p <data.jsonl" /dev/null
		[ "$status" -eq 2 ]
		[[ "$output" == *"$p: error: a stream is not written to a terminal"* ]]
		[[ "$output" == *"hint: use -o FILE, or a pipe"* ]]
	done
}

@test "a terminal is refused as input of a stream" {
	run script -qec "dpo-pair -o x.zst" /dev/null
	[ "$status" -eq 2 ]
	[[ "$output" == *"a stream is not read from a terminal"* ]]
	[ ! -e x.zst ]
}

@test "with -o a terminal is nobody's business" {
	run script -qec "dpo-pair -o x.zst <in.zst" /dev/null
	[ "$status" -eq 0 ]
	[ -s x.zst ]
	[ -z "$(temporaries)" ]
}

@test "a full disk ends it with 3 and says so" {
	run quietly sh -c 'dpo-pair <in.zst >/dev/full'
	[ "$status" -eq 3 ]
	[[ "$(cat err)" == "dpo-pair: error: "*"No space left on device" ]]
	run quietly sh -c 'jsonl-split data.jsonl >/dev/full'
	[ "$status" -eq 3 ]
}

@test "a closed output is an error, even where a file is opened" {
	run quietly sh -c 'dpo-pair -r rej <in.zst >&-'
	[ "$status" -eq 3 ]
	[ ! -s rej ]
	run quietly sh -c 'dpo-pair <&-'
	[ "$status" -eq 3 ]
}

@test "nothing on standard input is a truncated stream" {
	run quietly dpo-pair </dev/null
	[ "$status" -eq 3 ]
	[ "$(head -n1 err)" = "dpo-pair: error: the input is empty" ]
	[[ "$(cat err)" == *"hint: "* ]]
}

@test "what is no stream is refused" {
	run quietly dpo-pair <data.jsonl
	[ "$status" -eq 3 ]
	[ "$(grep -c error: err)" -eq 1 ]
	[ ! -s out ]
}

@test "a reader that goes away ends the pipe quietly" {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		cat data.jsonl data.jsonl data.jsonl data.jsonl data.jsonl \
		    >bigger && cat bigger bigger bigger >data.jsonl
		[ "$(wc -c <data.jsonl)" -lt 5000000 ] || break
	done
	run bash -c 'jsonl-split data.jsonl 2>err1 | dpo-pair 2>err2 |
	    head -c 10 >/dev/null; echo "${PIPESTATUS[@]}"'
	[ "$output" = "141 141 0" ]
	[ ! -s err1 ]
	[ ! -s err2 ]
}

@test "any number of threads gives the same bytes and messages" {
	jsonl-split -j 1 one-bad.jsonl | dpo-pair -j 1 >1.zst 2>1.err
	[ "$(grep -c 'error:' 1.err)" -eq 1 ]
	for j in 2 5; do
		jsonl-split -j $j one-bad.jsonl | dpo-pair -j $j >$j.zst 2>$j.err
		cmp 1.zst $j.zst
		cmp 1.err $j.err
	done
}

@test "a fault is told of by the program that finds it, and by no other" {
	jsonl-split one-bad.jsonl | dpo-pair >a.zst 2>a.err
	[[ "$(head -n1 a.err)" == "one-bad.jsonl:3: error: "*"]" ]]
	run quietly dpo-pair <a.zst
	[ "$status" -eq 0 ]
	[ ! -s err ]
	run quietly dpo-pair -q <in.zst
	[ ! -s err ]
}

@test "-r takes faulty records out, and what is left counts them" {
	jsonl-split one-bad.jsonl | dpo-pair -q -r rej >a.zst
	[ "$(wc -l <rej)" -eq 1 ]
	[[ "$(cat rej)" == '{"at":{"file":"one-bad.jsonl","offset":'*'"error":{'* ]]
	[ "$(zstd -dc a.zst | wc -l)" -eq 39 ]
	grep -a '"records":39,"errors":0,"rejected":1' a.zst
	[ -z "$(temporaries)" ]
}

@test "mended rejects go through the same command" {
	jsonl-split one-bad.jsonl | dpo-pair -q -r rej -o a.zst
	sed 's/"else"/"rejected"/' rej >mended
	jsonl-split mended | dpo-pair -r rej2 -o b.zst
	[ ! -s rej2 ]
	[ "$(zstd -dc b.zst | wc -l)" -eq 1 ]
	zstd -dc b.zst | grep -q '"file":"one-bad.jsonl","offset":[0-9]*,"line":3'
	zstd -dc b.zst | grep -vq '"error"'
}

@test "too many rejects: 1, no shard, and the rejects are there" {
	sed 's/"rejected"/"else"/' data.jsonl >bad.jsonl
	run quietly sh -c 'jsonl-split bad.jsonl |
	    dpo-pair -q -r rej -o x.zst'
	[ "$status" -eq 1 ]
	[ ! -e x.zst ]
	[ "$(wc -l <rej)" -eq 40 ]
	[[ "$(head -n1 err)" == "dpo-pair: error: 40 of 40 records were rejected"* ]]
	run quietly sh -c 'jsonl-split bad.jsonl |
	    dpo-pair -q -r rej --max-rejects 40 -o x.zst'
	[ "$status" -eq 0 ]
	[ -s x.zst ]
	[ -z "$(temporaries)" ]
}

@test "a program that failed upstream leaves no data set behind" {
	run quietly sh -c 'head -c 3000 in.zst | dpo-pair 2>err1 |
	    dpo-pair -o x.zst 2>err2'
	[ "$status" -eq 3 ]
	[ ! -e x.zst ]
	[ -s err1 ]
	[ -s err2 ]
	[ -z "$(temporaries)" ]
}

@test "kill -9 upstream ends what follows with 3, and nothing is published" {
	mkfifo a b
	dpo-pair <a >b &
	first=$!
	dpo-pair -o x.zst <b &
	last=$!
	exec 9>a
	head -c 2000 in.zst >&9
	sleep 0.2
	kill -9 $first
	status=0
	wait $last || status=$?
	exec 9>&-
	[ "$status" -eq 3 ]
	[ ! -e x.zst ]
	[ -z "$(temporaries)" ]
}

@test "a signal leaves no temporary, and what was there before" {
	echo before >x.zst
	echo before >rej
	for signal in TERM INT HUP; do
		mkfifo a
		# A shell's own jobs ignore INT.
		env --default-signal=INT dpo-pair -o x.zst -r rej <a &
		job=$!
		exec 9>a
		head -c 2000 in.zst >&9
		for i in 1 2 3 4 5 6 7 8 9 10; do
			[ "$(temporaries | wc -l)" -eq 2 ] && break
			sleep 0.1
		done
		[ "$(temporaries | wc -l)" -eq 2 ]
		kill -$signal $job
		status=0
		wait $job || status=$?
		exec 9>&-
		[ "$status" -eq $((128 + $(kill -l $signal))) ]
		[ -z "$(temporaries)" ]
		[ "$(cat x.zst)" = before ]
		[ "$(cat rej)" = before ]
		rm a
	done
}

@test "--stats FILE says in JSON how it ended" {
	dpo-pair --stats st.json <in.zst >/dev/null
	python3 -c '
import json
s = json.load(open("st.json"))
assert s["program"] == "dpo-pair" and s["state"] == "done"
assert s["records"] == 40 and s["errors"] == 0 and s["rejected"] == 0
assert s["bytes_read"] > 0 and s["bytes_written"] > 0'
	[ -z "$(temporaries)" ]
}

@test "--progress draws a line on stderr, and -q does not hide a fault" {
	dpo-pair --progress <in.zst >/dev/null 2>err
	grep -q '40 done' err
	run quietly dpo-pair -q </dev/null
	[ "$status" -eq 3 ]
	[ -s err ]
}

@test "a part of a stream is read with --fragment only" {
	# From the first prefix to before the end marker.
	python3 - <<'END'
s = open("in.zst", "rb").read()
open("part", "wb").write(
    s[s.index(b"P*M\x18\4\0\0\0"):s.rindex(b"]*M\x18")])
END
	run quietly dpo-pair <part
	[ "$status" -eq 3 ]
	dpo-pair --fragment <part >whole.zst
	[ "$(dpo-pair <whole.zst | zstd -dc | wc -l)" -eq 40 ]
}

@test "a frame beyond --max-frame is refused before it is read" {
	head -c 200000 /dev/zero | tr '\0' x |
	    sed 's/.*/{"messages":"&"}/' >long.jsonl
	jsonl-split long.jsonl >long.zst
	run quietly dpo-pair --max-frame 64KiB <long.zst
	[ "$status" -eq 3 ]
	run quietly dpo-pair <long.zst
	[ "$status" -eq 0 ]
}

@test "a record too long for a frame goes on as record-too-long" {
	head -c 70000 /dev/zero | tr '\0' x |
	    sed 's/.*/{"messages":"&"}/' >long.jsonl
	run quietly jsonl-split --max-frame 64KiB long.jsonl
	[ "$status" -eq 0 ]
	[[ "$(head -n1 err)" == "long.jsonl:1: error: the record takes 70"*" bytes, and a frame holds 65536 [record-too-long]" ]]
	[[ "$(zstd -dc <out)" == '{"at":{"file":"long.jsonl","offset":0,"line":1},"error":{"stage":"jsonl-split","code":"record-too-long",'* ]]
	dpo-pair --max-frame 64KiB <out >/dev/null
}

@test "streams that were joined are one stream" {
	cat in.zst in.zst | dpo-pair -o x.zst
	[ "$(zstd -dc x.zst | wc -l)" -eq 80 ]
	grep -a -q '"records":80' x.zst
}

@test "-o follows a link, and replaces nothing but files" {
	echo before >there
	ln -s there link
	dpo-pair -o link <in.zst
	[ -L link ]
	zstd -t there
	run quietly dpo-pair -o /dev/null <in.zst
	[ "$status" -eq 3 ]
	run quietly dpo-pair -o nowhere/x.zst <in.zst
	[ "$status" -eq 3 ]
	[[ "$(cat err)" == "dpo-pair: error: cannot create "* ]]
}

@test "the same file is not written twice" {
	run quietly dpo-pair -o x -r x <in.zst
	[ "$status" -eq 2 ]
	[ ! -e x ]
}

@test "a file is not read and written at once" {
	echo '{}' >data.jsonl
	for option in -o -r --stats; do
		run quietly jsonl-split "$option" ./data.jsonl data.jsonl
		[ "$status" -eq 2 ]
		[[ "$(cat err)" == *'"./data.jsonl" would be read and written' ]]
	done
	[ "$(cat data.jsonl)" = '{}' ]
}

@test "bash takes the completion" {
	for p in $FILTERS; do
		run bash -c "source <($p --completion bash) && complete -p $p"
		[ "$status" -eq 0 ]
	done
}
