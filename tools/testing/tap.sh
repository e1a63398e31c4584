# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Tests in bash that print TAP; to be sourced.
#
# A test is a function test_NAME; it is run in a subshell, after the function setup, in the order of definition, and
# fails when one of its expectations does. All expectations of a test are checked, not only the first that fails. A
# test calls `skip WHY` to leave. Of a test that passes, lines that begin with "# " are shown. `tap_main NAME..` runs
# the named tests only. What an expectation is about stands in $last; scratch files belong into the directory $work.

# shellcheck disable=SC2034 # of the script that sources this
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
last=''

setup() { :; }

fail() {
	echo "# $*"
	: >"$work/failed"
}

# show LABEL FILE
# shellcheck disable=SC1003 # the backslash belongs to sed
show() {
	if [ -s "$2" ]; then
		sed -e "s/^/# $1 /" -e '$a\' "$2"
	else
		echo "# $1 (nothing)"
	fi
}

# differ WHAT EXPECTED-FILE GOT-FILE
differ() {
	cmp -s "$2" "$3" && return
	fail "$last: $1"
	show expected: "$2"
	show 'got:     ' "$3"
}

# expect_has FILE TEXT: FILE in $work contains TEXT.
expect_has() {
	grep -qF -e "$2" "$work/$1" && return
	fail "$last: $1"
	echo "# expected: .. $2 .."
	sed 's/^/# got:      /' "$work/$1"
}

expect_equal() {
	[ "$1" = "$2" ] && return
	fail "$last: ${3:-value}"
	printf '# expected: %s\n# got:      %s\n' "$1" "$2"
}

skip() {
	echo "$*" >"$work/skipped"
	exit 0
}

# Exit code 1: a test failed; 4: nothing was tested.
tap_main() {
	local names name n=0 failed=0 skipped=0

	names=$(sed -n 's/^test_\([a-z0-9_]*\)() {.*/\1/p' "$0")
	for name; do
		if ! grep -qx -e "$name" <<<"$names"; then
			echo "Bail out! no test '$name'; there are: ${names//$'\n'/ }"
			exit 1
		fi
	done
	[ $# -gt 0 ] && names=$*

	for name in $names; do
		n=$((n + 1))
		rm -f "$work/failed" "$work/skipped"
		(setup && "test_$name") >"$work/diagnostics" || fail "$name: broken off" >>"$work/diagnostics"
		if [ -e "$work/failed" ]; then
			failed=$((failed + 1))
			echo "not ok $n - $name"
			cat "$work/diagnostics"
		elif [ -e "$work/skipped" ]; then
			skipped=$((skipped + 1))
			echo "ok $n - $name # SKIP $(cat "$work/skipped")"
		else
			grep '^# ' "$work/diagnostics"
			echo "ok $n - $name"
		fi
	done
	echo "1..$n"
	[ $failed -eq 0 ] || exit 1
	[ $skipped -lt $n ] || exit 4
}
