#!/usr/bin/env bats
# --stats: what a monitor reads of a run, as JSON and as Prometheus has it.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	page=$PWD/man/ossicle.7
	prometheus=$PWD/tests/tools/prometheus.py
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || exit
	# Number 3 has no second answer.
	for ((i = 0; i < 40; i++)); do
		echo '{"messages":[{"role":"user","content":"Say '$i'"}],' \
		    '"chosen":{"role":"assistant","content":"It is '$i'."},' \
		    '"rejected":{"role":"assistant","content":"No."}}'
	done | sed '3s/"rejected"/"else"/' | jsonl-split >in.zst
}

# The series of all files $1..., strictly read, as lines of JSON.
series() {
	if command -v promtool >/dev/null; then
		for file in "$@"; do
			promtool check metrics <"$file" >&2
		done
	fi
	python3 "$prometheus" "$@"
}

# The object that --stats JSON would hold, of the series on stdin, and with
# its keys sorted.
as_json() {
	jq -cS --slurp '(map(select(.name == "ossicle_state"))) as $states |
	    (map({(.name): .value}) | add) as $value |
	    {program: .[0].program,
	    state: $states | map(select(.value == 1).state) | join(" "),
	    records: $value.ossicle_records_total,
	    errors: $value.ossicle_errors_total,
	    rejected: $value.ossicle_rejected_total,
	    bytes_read: $value.ossicle_read_bytes_total,
	    bytes_total: ($value.ossicle_input_bytes // 0),
	    bytes_written: $value.ossicle_written_bytes_total,
	    seconds: $value.ossicle_elapsed_seconds,
	    records_per_second: $value.ossicle_records_per_second,
	    eta_seconds: $value.ossicle_eta_seconds}'
}

# The object on stdin, without the numbers that depend on how long it took.
timeless() {
	jq -cS '(.seconds, .records_per_second, .eta_seconds) |= type'
}

# both INPUT OPTION...: run dpo-pair on INPUT twice, once for each form, and
# compare them.  Its exit status is in $code.
both() {
	input=$1
	shift
	code=0
	dpo-pair -q -j 1 --stats a.json "$@" <"$input" >/dev/null || code=$?
	dpo-pair -q -j 1 --stats a.prom "$@" <"$input" >/dev/null ||
	    [ $? -eq $code ]
	diff <(timeless <a.json) <(series a.prom | as_json | timeless)
}

@test "both forms say the same, all of it, of a run that is done" {
	both in.zst
	[ "$(jq -c '[.state, .records, .errors, .rejected]' a.json)" = \
	    '["done",40,1,0]' ]
	both in.zst -r rejects.jsonl
	[ "$(jq -c '[.state, .records, .errors, .rejected]' a.json)" = \
	    '["done",40,0,1]' ]
}

@test "both forms say the same of a run that has failed" {
	both in.zst -r rejects.jsonl --max-rejects 0
	[ "$code" -eq 1 ]
	[ "$(jq -r .state a.json)" = failed ]
	head -c 4000 in.zst >half.zst
	both half.zst
	[ "$code" -eq 3 ]
	[ "$(jq -r .state a.json)" = failed ]
}

@test "how much there is, and when it ends, is told of a file only" {
	cat <in.zst | dpo-pair -q --stats pipe.prom >/dev/null
	dpo-pair -q --stats file.prom <in.zst >/dev/null
	[ "$(series pipe.prom | grep -c 'input_bytes\|eta_seconds')" -eq 0 ]
	[ "$(series file.prom | jq 'select(.name == "ossicle_input_bytes").value')" \
	    -eq "$(wc -c <in.zst)" ]
	series file.prom | grep -q ossicle_eta_seconds
}

@test "runs of one folder share no series, whatever their names are" {
	mkdir folder
	for name in train-1 train-2 'two words' 'a"b' 'a\b' 'a\"b' größe \
	    $'a\nb' 'a\nb' $'a\xff' $'a\xfe' .prom. x.json; do
		dpo-pair -q --stats "folder/$name.prom" <in.zst >/dev/null
	done
	series folder/*.prom folder/.prom..prom >all
	[ "$(jq -r 'select(.name == "ossicle_records_total").run' all |
	    sort -u | wc -l)" -eq 13 ]
	grep -qF '"run": "train-2"' all
	[ "$(jq -s 'map(select(.name == "ossicle_records_total").value) | add' \
	    all)" -eq $((13 * 40)) ]
}

@test "the end of the name decides, and nothing else does" {
	for name in prom a.prom.json .prom/a a.PROM a.promx; do
		mkdir -p .prom
		dpo-pair -q --stats "$name" <in.zst >/dev/null
		[ "$(jq -r .state "$name")" = "done" ]
	done
}

@test "a reader never sees a file that is not whole" {
	mkfifo fifo
	dpo-pair -q --stats a.prom <fifo >/dev/null &
	job=$!
	exec 9>fifo
	cat in.zst >&9
	until [ -e a.prom ]; do
		:
	done
	# 40 of them are through, and it waits for more: until that is told,
	# once a second, read what is there as often as can be, as the
	# collector does: all that ends in .prom, hidden or not.
	shopt -s dotglob
	: >seen
	reads=0
	until [ "$(jq 'select(.name == "ossicle_records_total").value' seen
	    )" = 40 ]; do
		python3 "$prometheus" ./*.prom >seen
		[ $((reads += 1)) -lt 300 ]
	done
	[ "$(as_json <seen | jq -r .state)" = running ]
	before=$(stat -c %i a.prom)
	cat in.zst >&9
	exec 9>&-
	wait $job
	[ "$(stat -c %i a.prom)" != "$before" ]
	[ "$(series a.prom | as_json | jq -c '[.state, .records]')" = \
	    '["done",80]' ]
}

@test "a folder that is not there is told of before anything is done" {
	for name in st.json st.prom; do
		run bash -c "dpo-pair -o x --stats no/$name <in.zst"
		[ "$status" -eq 3 ]
		[ "$output" = "dpo-pair: error: cannot create no/$name: No \
such file or directory" ]
		[ ! -e x ]
	done
}

@test "what ossicle(7) gives to watch(1) shows each run" {
	# What watch does, once: its arguments are a shell's.
	mkdir bin runs
	printf '#!/bin/sh\nexec sh -c "$*"\n' >bin/watch
	chmod +x bin/watch
	PATH=$PWD/bin:$PATH
	awk '/^\.Bd -literal/ { block = ""; next }
	/^\.Ed/ { if (block ~ /^watch/) printf "%s", block; next }
	{ block = block $0 "\n" }' "$page" | sed "s/\\\\(aq/'/g" >lines
	[ "$(grep -c '^watch' lines)" -eq 2 ]
	cd runs
	for name in one two; do
		cat <../in.zst | dpo-pair -q --stats $name.json >/dev/null
		dpo-pair -q --stats $name.prom <../in.zst >/dev/null
	done
	bash ../lines >shown
	[ "$(sed 's/\t/ /g' shown | head -n 2)" = \
"dpo-pair done 40 0  one.json
dpo-pair done 40 0  two.json" ]
	for name in one two; do
		grep -qx "ossicle_state{.*run=\"$name\",state=\"done\"} 1" shown
		grep -qx "ossicle_records_total{.*run=\"$name\"} 40" shown
	done
	[ "$(wc -l <shown)" -eq 8 ]
}
