#!/bin/sh
# A disk that is full, or read-only: a file system of a few pages of memory,
# mounted where nobody else sees it.

# Root or not: in a namespace of our own we may mount.
[ -n "${INSIDE-}" ] || INSIDE=1 exec unshare -rm "$0"
# shellcheck source=tests/torture/lib.sh
. "$(dirname "$0")/lib.sh"
plan 4

# streams: what each program reads, s0 to s4, and the shard that comes of it.
streams() {
	cp -R "$demo/clips" .
	{ jq -c '.[:6][], .[23]' "$demo/data.json"; texts 2000; } >s0
	jsonl-split s0 >s1
	dpo-pair -q <s1 >s2
	audio-check -q <s2 >s3
	melspec <s3 >s4
	tokpack -q -m "$model" -r rejects -o shard <s4
	shard-cat -n 0-3 -o part shard
	mkdir disk
	mount -t tmpfs -o size=4k none disk
}

# each FUNCTION: call it for each program that writes a shard, with its
# input and its command line.
each() {
	"$1" s0 jsonl-split -q
	"$1" s1 dpo-pair -q
	"$1" s2 audio-check -q
	"$1" s3 melspec
	"$1" s4 tokpack -q -m "$model"
}

# again OPTIONS: mount the disk again with these, and none of those it has,
# which an ordinary user may not repeat.
again() {
	mount -t tmpfs -o "remount,$1" none disk
}

# resize PAGES: the disk has so many.
resize() {
	again "size=$((4 * $1))k"
}

# on_disk COMMAND...: COMMAND says that there is no room, leaves what there
# was and nothing beside it; or it succeeds.
on_disk() {
	got=0
	"$@" 2>err || got=$?
	[ "$got" = 0 ] || [ "$got" = 3 ] || {
		echo "exit $got: $*" >&2
		return 1
	}
	[ -z "$(temporaries)" ]
	[ "$got" = 0 ] || grep -q 'error: .*No space left on device' err
}

# fill INPUT COMMAND...: with more and more room, until there is enough.
fill() {
	in=$1
	shift
	"$@" -r rejects.want -o want <"$in"
	most=$((($(bytes want) + $(bytes rejects.want)) / 4096 + 8))
	step=$((most / (30 * SCALE) + 1))
	pages=2		# which what was there takes
	while :; do
		resize $((most + 8))
		echo before >disk/x
		echo before >disk/rejects
		resize "$pages"
		on_disk "$@" -r disk/rejects -o disk/x <"$in"
		n=$((n + 1))
		[ "$got" != 0 ] || break
		[ "$(cat disk/x)" = before ]
		# Of the rejects those that were met are there.
		[ "$(cat disk/rejects)" = before ] ||
		    head -c "$(bytes disk/rejects)" rejects.want |
		    cmp - disk/rejects
		pages=$((pages + step))
		[ "$pages" -lt $((most + step + 8)) ]
	done
	[ "$pages" -gt 2 ]
	cmp disk/x want
	cmp disk/rejects rejects.want
	rm disk/*
}

shards() {
	n=0
	each fill
	echo "$n disks"
}

# pour INPUT COMMAND...: to standard output, which is a file there.
pour() {
	in=$1
	shift
	"$@" <"$in" >want
	most=$(($(bytes want) / 4096 + 2))
	step=$((most / (30 * SCALE) + 1))
	pages=1
	while :; do
		resize "$pages"
		got=0
		"$@" <"$in" >disk/x 2>err || got=$?
		n=$((n + 1))
		[ "$got" != 0 ] || break
		[ "$got" = 3 ]
		grep -q 'error: .*No space left on device' err
		# What is there is no stream.
		fails 3 shard-cat --check disk/x >said
		rm disk/x
		pages=$((pages + step))
		[ "$pages" -lt $((most + step + 2)) ]
	done
	[ "$pages" -gt 1 ]
	cmp disk/x want
	rm disk/x
}

streams_fill() {
	n=0
	# tokpack packs no errored record.
	dpo-pair -q -r rejects <s1 | audio-check -q -r rejects | melspec >s4
	each pour
	pour shard shard-cat
	echo "$n disks"
}

# join: shard-cat has no rejects, but its shard is one like any other.
joined() {
	n=0
	pages=1
	most=$(($(bytes part) / 4096 + 8))
	while :; do
		resize $((most + 8))
		echo before >disk/x
		resize "$pages"
		on_disk shard-cat -o disk/x part
		n=$((n + 1))
		[ "$got" != 0 ] || break
		[ "$(cat disk/x)" = before ]
		pages=$((pages + most / (30 * SCALE) + 1))
	done
	cmp disk/x part
	rm disk/x
	echo "$n disks"
}

# deny INPUT COMMAND...: what a folder denies is not done elsewhere.
deny() {
	in=$1
	shift
	for option in -o -r --stats; do
		fails 3 "$@" "$option" disk/y <"$in" >out 2>err
		grep -q 'error: .*Read-only file system' err
		n=$((n + 1))
	done
	[ "$(ls -A disk)" = x ]
	[ "$(cat disk/x)" = before ]
}

read_only() {
	n=0
	resize 4
	echo before >disk/x
	again ro
	each deny
	fails 3 shard-cat -o disk/y shard 2>err
	grep -q 'error: .*Read-only file system' err
	again rw
	echo "$((n + 1)) refusals"
}

streams
try "a shard on a disk full after any number of pages: what was there, or all" \
    shards
try "a shard that is joined there: the same" joined
try "a stream to a file there: exit 3, and what is written is no stream" \
    streams_fill
try "a folder that may not be written to: exit 3, and nothing is changed" \
    read_only
umount disk
finish
