# lib.sh: what the tortures that are shell scripts share.  Read it with
#
#	. "$(dirname "$0")/lib.sh"
#
# and find yourself in an empty folder that goes at exit, with the programs in
# PATH, and in BUILD their folder, in root the tree's, in demo the demo's, in
# model the demo's model, in SCALE how many times the usual to do.
#
#	plan N			that many tests follow
#	try SENTENCE COMMAND...	a test: COMMAND, a function as a rule, in a
#				shell of its own that ends at the first failure
#
# The last line that COMMAND writes to stdout is the figure of the test; all
# that it says is shown where it fails.  finish is the last line of a script.
# shellcheck shell=sh disable=SC2034

set -u
export LC_ALL=C.UTF-8
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
BUILD=$(cd "$root" && cd "${BUILD:-build}" && pwd) || exit 1
SCALE=${SCALE:-1}
export BUILD SCALE
PATH=$BUILD:$PATH
demo=$root/examples/demo
model=$demo/model
dir=$(mktemp -d) || exit 1
tried=0
fell=0
trap 'cd / && rm -rf "$dir"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$dir" || exit 1

plan() {
	echo "1..$1"
	planned=$1
}

try() {
	sentence=$1
	shift
	tried=$((tried + 1))
	# Not as a condition, where set -e would be none.
	(set -e; "$@") >"$dir/.said" 2>"$dir/.told" </dev/null
	status=$?
	if [ $status = 0 ]; then
		figure=$(tail -n 1 "$dir/.said")
		echo "ok $tried - $sentence${figure:+ # $figure}"
	else
		fell=$((fell + 1))
		echo "not ok $tried - $sentence"
		tail -n 40 "$dir/.said" "$dir/.told" | sed 's/^/# /'
		echo "# exit $status"
	fi
	rm -f "$dir/.said" "$dir/.told"
}

finish() {
	[ "$tried" = "$planned" ] || echo "# $tried of $planned tests were run"
	[ $fell = 0 ] && [ "$tried" = "$planned" ]
}

# fails STATUS COMMAND...: COMMAND ends with STATUS, and with no other.
fails() {
	want=$1
	shift
	got=0
	"$@" || got=$?
	[ $got = "$want" ] || {
		echo "exit $got, not $want: $*" >&2
		return 1
	}
}

# texts N: N pairs of text alone, as JSON Lines.
texts() {
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++)
			printf("{\"instruction\":\"Say %d\",\"chosen\":" \
			    "\"It is %d, é 中 🍅.\",\"rejected\":\"No.\"}\n",
			    i, i * i)
	}'
}

# bytes FILE: how many it has.
bytes() {
	wc -c <"$1" | tr -d ' '
}

# temporaries: what the programs have left behind in this folder and below.
temporaries() {
	find . -name '.*.tmp' -type f
}
