#!/usr/bin/env bats
# What `make install' puts where, and that it takes the same away.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit
	export BUILD=${BUILD:-build} DESTDIR=$BATS_TEST_TMPDIR PREFIX=/opt/o
	export VERSION PKGS
	# shellcheck disable=SC2016
	PKGS=$(make -s --eval='pkgs: ; @echo $(PKGS)' pkgs)
	VERSION=$(sed -n 's/.*OSSICLE_VERSION "\(.*\)"/\1/p' lib/ossicle.h)
	for main in bin/*.c; do
		programs+=("$(basename "$main" .c)")
	done
	scripts/install install "${programs[@]}"
	at=$DESTDIR$PREFIX
}

@test "every program is installed and runs where it is" {
	for program in "${programs[@]}"; do
		run "$at/bin/$program" --version
		[ "$status" -eq 0 ]
		[[ $output == *"$program"*"$VERSION"* ]]
	done
}

@test "every page is installed in its section" {
	for page in man/*.[157]; do
		cmp "$page" "$at/share/man/man${page##*.}/${page#man/}"
	done
}

@test "each shell has a completion of each program, with its options" {
	for program in "${programs[@]}"; do
		bash -n "$at/share/bash-completion/completions/$program"
		for file in "bash-completion/completions/$program" \
		    "zsh/site-functions/_$program" \
		    "fish/vendor_completions.d/$program.fish"; do
			grep -q version "$at/share/$file"
			grep -q "$program" "$at/share/$file"
		done
	done
}

@test "bash offers what --help names" {
	for program in "${programs[@]}"; do
		offered=$(bash -c '. "$1"; COMP_WORDS=("$2" "--m")
		    COMP_CWORD=1; COMP_LINE="$2 --m"
		    $(complete -p "$2" | sed "s/.*-F \([^ ]*\) .*/\1/") \
		        "$2" --m "$2"; printf "%s\n" "${COMPREPLY[@]}"' - \
		    "$at/share/bash-completion/completions/$program" \
		    "$program" | grep -o -- '--m[a-z-]*' | sort)
		named=$("$at/bin/$program" --help |
		    grep -oE '^ +(-., )?--m[a-z-]*' | grep -o -- '--m.*' | sort)
		[ "$offered" = "$named" ]
	done
}

@test "a C program finds the library through pkg-config" {
	cat >"$BATS_TEST_TMPDIR/user.c" <<-'END'
	#include <ossicle.h>
	#include <string.h>
	int
	main(void)
	{
		return strcmp(ossicle_version(), OSSICLE_VERSION) != 0;
	}
	END
	DESTDIR='' PREFIX=$BATS_TEST_TMPDIR/usr scripts/install install
	export PKG_CONFIG_PATH=$BATS_TEST_TMPDIR/usr/lib/pkgconfig
	[ "$(pkg-config --modversion ossicle)" = "$VERSION" ]
	flags=$(pkg-config --cflags --libs ossicle)
	# The library may be one built for a sanitizer, which it then needs.
	for san in "" -fsanitize=address,undefined -fsanitize=thread; do
		# shellcheck disable=SC2086
		if cc $san -o "$BATS_TEST_TMPDIR/user" \
		    "$BATS_TEST_TMPDIR/user.c" $flags 2>/dev/null; then
			break
		fi
	done
	"$BATS_TEST_TMPDIR/user"
}

@test "uninstall leaves no file behind" {
	scripts/install uninstall "${programs[@]}"
	run find "$DESTDIR$PREFIX" -type f
	[ -z "$output" ]
}
