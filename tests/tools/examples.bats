#!/usr/bin/env bats
# The folders in examples/ that need one host and no other system, each run as
# its README says; tests/examples has those that do.

# begin sets what is used; a test is a subshell, and what it sets stays there.
# shellcheck disable=SC2030,SC2031,SC2154
load examples

setup() {
	begin
}

run_make() {
	make -s -C examples/make DATA="$data" MODEL="$model" OUT="$out" "$@"
}

@test "make: a hundred shards, killed in the middle, are those of a calm run" {
	make_data 10
	run_calm 100
	set_trap 40
	kill_in_the_middle make -j 2 -C examples/make DATA="$data" \
	    MODEL="$model" OUT="$out" K=100
	list_shards >"$dir/before"
	[ "$(wc -l <"$dir/before")" -ge 38 ]
	[ "$(wc -l <"$dir/before")" -lt 100 ]

	run_make -j 2 K=100 2>/dev/null
	check_shards "$out/data" 100
	[ -z "$(list_halves)" ]
	# What was there has not been made again.
	[ -z "$(list_shards | comm -13 - "$dir/before")" ]
	list_shards >"$dir/before"
	run_make K=100 check join
	list_shards | cmp - "$dir/before"
	diff <(shard-cat "$out/all.zst") <(for ((i = 1; i <= 100; i++)); do
		shard-cat "$out/data-$i-of-100.zst"
	done)
}

@test "make: what is made by something else is made again, the rest is not" {
	make_data 1
	cp "$data" "$dir/more.jsonl"
	cp -R "$model" "$dir/model"
	model=$dir/model
	local -a both=(DATA="$data $dir/more.jsonl" K=2)
	# made ARGUMENT...: which shards a run makes anew, in one line.
	made() {
		local before

		before=$(list_shards)
		run_make "${both[@]}" "$@" 2>/dev/null
		list_shards | comm -13 <(echo "$before") - | cut -d ' ' -f 1 |
		    paste -s
	}
	all=$'data-1-of-2.zst\tdata-2-of-2.zst\tmore-1-of-2.zst\tmore-2-of-2.zst'

	[ "$(made)" = "$all" ]
	[ -z "$(made)" ]
	rm "$out/more-1-of-2.zst"
	[ "$(made)" = more-1-of-2.zst ]
	sed '/cut.wav/d' "$data" >"$dir/more.jsonl"
	[ "$(made)" = $'more-1-of-2.zst\tmore-2-of-2.zst' ]
	[ "$(made MELSPEC='--type bf16')" = "$all" ]
	# Another number of threads makes nothing else.
	[ -z "$(made MELSPEC='--type bf16' J=2)" ]
	[ "$(made)" = "$all" ]
	# The same model with files of another day is the same model.
	touch "$model"/*
	[ -z "$(made)" ]
	echo >>"$model/tokenizer.json"
	[ "$(made)" = "$all" ]
}

@test "make: another version of a program makes the shards again" {
	make_data 1
	run_make K=2 2>/dev/null
	before=$(list_shards)
	mkdir "$dir/newer"
	# It differs in the version that it names.
	sed "s/$(melspec --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')\x00/9.9.9\x00/" \
	    "$BUILD/melspec" >"$dir/newer/melspec"
	chmod +x "$dir/newer/melspec"
	PATH=$dir/newer:$PATH run_make K=2 2>/dev/null
	[ -z "$(list_shards | comm -12 - <(echo "$before"))" ]
}

@test "make check: a damaged shard, a lost reject and a stranger are found" {
	make_data 1
	run_make K=2 2>/dev/null
	run_make K=2 check

	cp "$out/data-1-of-2.zst" "$dir/sound"
	printf X | dd of="$out/data-1-of-2.zst" bs=1 seek=9000 conv=notrunc \
	    2>/dev/null
	run run_make K=2 check
	[ "$status" -ne 0 ]
	[[ $output == *"data-1-of-2.zst: error: data frame "* ]]

	# A sound shard in the place of another.
	cp "$out/data-2-of-2.zst" "$out/data-1-of-2.zst"
	run run_make K=2 check
	[ "$status" -ne 0 ]
	[[ $output == *"> "* ]]
	cp "$dir/sound" "$out/data-1-of-2.zst"
	run_make K=2 check

	sed -i 1d "$out/data-2-of-2.rejects.jsonl"
	run run_make K=2 check
	[ "$status" -ne 0 ]
	[[ $output == *"< "* ]]

	cp "$dir/sound" "$out/old-1-of-3.zst"
	run run_make K=2 check
	[ "$status" -ne 0 ]
	[[ $output == *"from another run: $out/old-1-of-3.zst"* ]]
}

@test "GNU parallel: all killed in the middle, it goes on where it was" {
	make_data 5
	run_calm 20
	set_trap 9
	kill_in_the_middle examples/gnu-parallel/run "$data" "$model" "$out" \
	    20 -j 2
	list_shards >"$dir/before"
	[ "$(wc -l <"$dir/before")" -ge 7 ]
	[ "$(wc -l <"$dir/before")" -lt 20 ]
	done_before=$(awk 'NR > 1 && $7 == 0' "$out/joblog-20" | wc -l)

	examples/gnu-parallel/run "$data" "$model" "$out" 20 -j 2 2>/dev/null
	check_shards "$out/train" 20
	[ -z "$(list_halves)" ]
	# What the log called done has not been made again.
	[ "$(list_shards | comm -12 - "$dir/before" | wc -l)" -ge "$done_before" ]
	[ "$(awk 'NR > 1 && $7 == 0 { print $1 }' "$out/joblog-20" | sort -u |
	    wc -l)" = 20 ]
}

@test "GNU parallel: a job that failed is run again, the others are not" {
	make_data 1
	run_calm 3
	mkdir -p "$out/train-2-of-3.zst"	# where no shard can be put
	run examples/gnu-parallel/run "$data" "$model" "$out" 3 -j 1
	[ "$status" -eq 1 ]
	list_shards | grep -v train-2 >"$dir/before"
	rmdir "$out/train-2-of-3.zst"
	examples/gnu-parallel/run "$data" "$model" "$out" 3 -j 1
	check_shards "$out/train" 3
	[ -z "$(list_shards | comm -13 - "$dir/before")" ]
}

@test "GNU parallel: newer data, another model: what was done is done again" {
	make_data 1
	cp -R "$model" "$dir/model"
	model=$dir/model
	again() {
		list_shards >"$dir/before"
		examples/gnu-parallel/run "$data" "$model" "$out" 2 2>/dev/null
		list_shards | comm -13 "$dir/before" - | wc -l
	}
	mkdir "$out"
	[ "$(again)" = 2 ]
	[ "$(again)" = 0 ]
	touch "$data"
	[ "$(again)" = 2 ]
	echo >>"$model/tokenizer.json"
	[ "$(again)" = 2 ]
	[ "$(again)" = 0 ]
}

@test "GNU parallel --pipe: the parts make the whole" {
	make_data 2
	examples/gnu-parallel/pipe "$data" "$model" "$dir/piped.zst" -j 2 \
	    --block 1M 2>/dev/null
	jsonl-split -q "$data" | dpo-pair -q | audio-check -q | melspec |
	    tokpack -q -m "$model" -r "$dir/rejects" -o "$dir/whole.zst"
	diff <(shard-cat "$dir/whole.zst") <(shard-cat "$dir/piped.zst")
	cmp "$dir/rejects" "$dir/piped.zst.rejects.jsonl"
	diff <(shard-cat --lengths "$dir/whole.zst") \
	    <(shard-cat --lengths "$dir/piped.zst")
}

@test "GNU parallel --pipe: where a part is killed, nothing is published" {
	make_data 2
	mkdir "$dir/trap"
	: >"$dir/armed"
	# The second part dies before it has written anything.
	cat >"$dir/trap/melspec" <<-END
	#!/bin/bash
	if [ "\$PARALLEL_SEQ" = 2 ] && rm "$dir/armed" 2>/dev/null; then
		kill -KILL \$\$
	fi
	exec "$BUILD/melspec" "\$@"
	END
	chmod +x "$dir/trap/melspec"
	PATH=$dir/trap:$PATH run examples/gnu-parallel/pipe "$data" "$model" \
	    "$dir/piped.zst" -j 2 --block 1M
	[ "$status" -ne 0 ]
	[ ! -e "$dir/armed" ]
	[ ! -e "$dir/piped.zst" ]
	examples/gnu-parallel/pipe "$data" "$model" "$dir/piped.zst" -j 2 \
	    --block 1M 2>/dev/null
	{ shard-cat "$dir/piped.zst"; cat "$dir/piped.zst.rejects.jsonl"; } |
	    places | diff <(jsonl-split -q "$data" | shard-cat | places) -
}
