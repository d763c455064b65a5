# Helpers for tests of what programs say on stderr, to the letter.
#
# GOLDEN=rewrite in the environment writes the expected texts anew.

# says FILE: what is on stdin is what tests/golden/messages/FILE.txt holds.
says() {
	local golden=$ROOT/tests/golden/messages/$1.txt
	if [ "${GOLDEN:-}" = rewrite ]; then
		cat >"$golden"
	else
		diff -u "$golden" -
	fi
}
