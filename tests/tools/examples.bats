#!/usr/bin/env bats
# The folders in examples/, each run as its README says, on the demo.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	BUILD=$(cd "${BUILD:-build}" && pwd)
	PATH=$BUILD:$PATH
	data=$PWD/examples/demo/data.json
	model=$PWD/examples/demo/model
	out=$BATS_TEST_TMPDIR/shards
	unset MAKEFLAGS MAKELEVEL	# those of `make check'
}

# The records of one run over all of the data, in order.
whole() {
	jsonl-split "$data" | dpo-pair | audio-check | melspec |
	    tokpack -q -m "$model" -r "$BATS_TEST_TMPDIR/rejects.jsonl" \
	    -o "$BATS_TEST_TMPDIR/whole.zst" 2>/dev/null
	shard-cat "$BATS_TEST_TMPDIR/whole.zst"
}

# All shards train-1 to train-K, one after the other.
shards() {
	for ((i = 1; i <= $1; i++)); do
		shard-cat "$out/train-$i-of-$1.zst"
	done
}

# The records of $1 shards are those of the whole, in their order, and no
# reject is missing.
check_shards() {
	# An array's shares are cut by bytes: `file' and the rest are the same.
	diff <(whole) <(shards "$1")
	diff "$BATS_TEST_TMPDIR/rejects.jsonl" \
	    <(for ((i = 1; i <= $1; i++)); do
		cat "$out/rejects-$i-of-$1.jsonl"
	    done)
}

@test "make: shares make the whole, and nothing is made twice" {
	make -s -j 2 -C examples/make DATA="$data" MODEL="$model" \
	    OUT="$out" K=3 2>/dev/null
	check_shards 3
	diff <(whole) <(shard-cat "$out/train.zst")
	run make -C examples/make DATA="$data" MODEL="$model" OUT="$out" K=3
	[[ $output == *"Nothing to be done"* ]]
}

@test "make: what is missing is made again, the same to the byte" {
	make -s -C examples/make DATA="$data" MODEL="$model" OUT="$out" \
	    K=2 2>/dev/null
	sum=$(cksum <"$out/train-2-of-2.zst")
	rm "$out/train-2-of-2.zst"
	make -s -C examples/make DATA="$data" MODEL="$model" OUT="$out" \
	    K=2 2>/dev/null
	[ "$(cksum <"$out/train-2-of-2.zst")" = "$sum" ]
}

@test "GNU parallel: shares make the whole" {
	examples/gnu-parallel/run "$data" "$model" "$out" 4 -j 2 2>/dev/null
	check_shards 4
}

@test "GNU parallel: a job that failed is run again, the others are not" {
	mkdir -p "$out"
	mkdir "$out/train-2-of-3.zst"	# where no shard can be put
	run examples/gnu-parallel/run "$data" "$model" "$out" 3 -j 1
	[ "$status" -eq 1 ]
	before=$(stat -c %y "$out/train-1-of-3.zst")
	rmdir "$out/train-2-of-3.zst"
	examples/gnu-parallel/run "$data" "$model" "$out" 3 -j 1
	check_shards 3
	[ "$(stat -c %y "$out/train-1-of-3.zst")" = "$before" ]
}

@test "Slurm: the tasks of an array make the whole" {
	for i in 1 2 3; do
		SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_MAX=3 DATA=$data \
		    MODEL=$model OUT=$out bash examples/slurm/shards.sbatch \
		    2>/dev/null
	done
	check_shards 3
}
