# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What cli_test.sh and real_test.sh share: TAP output, and running mdev-ctl with its results kept.
#
# A test is a function test_NAME; it is run in a subshell, in the order of definition, and fails when one of its
# expectations does. All expectations of a test are checked, not only the first that fails. A test calls `skip WHY`
# to leave. `tap_main NAME..` runs the named tests only.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MDEV_CTL=$(realpath -m "${MDEV_CTL:-$here/../../mdev-ctl/mdev-ctl}")
if [ ! -x "$MDEV_CTL" ]; then
	echo "Bail out! $MDEV_CTL is missing: run make -C tools/mdev-ctl"
	exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# So that a sanitizer's complaint cannot pass for an expected failure. The link order matters to it only because of
# the preloaded shim.
export ASAN_OPTIONS=exitcode=99:verify_asan_link_order=0 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
export LC_ALL=C
unset MDEV_CTL_ROOT

# Runs the tool; leaves $rc, $work/out and $work/err.
run() {
	last="mdev-ctl $*"
	"$MDEV_CTL" "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
}

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

expect_rc() {
	[ "$rc" = "$1" ] && return
	fail "$last: exit code"
	printf '# expected: %s\n# got:      %s\n' "$1" "$rc"
	sed 's/^/# stderr:   /' "$work/err"
}

# The whole of stdout or stderr is what stdin says.
expect_out() { cat >"$work/want"; differ stdout "$work/want" "$work/out"; }
expect_err() { cat >"$work/want"; differ stderr "$work/want" "$work/err"; }
# The same, without newline at the end.
expect_json() { printf %s "$(cat)" >"$work/want"; differ stdout "$work/want" "$work/out"; }
expect_no_out() { : >"$work/want"; differ stdout "$work/want" "$work/out"; }
expect_no_err() { : >"$work/want"; differ stderr "$work/want" "$work/err"; }

# expect_has FILE TEXT: FILE (out or err) contains TEXT.
expect_has() {
	grep -qF -e "$2" "$work/$1" && return
	fail "$last: std$1"
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

	names=$(sed -n 's/^test_\([a-z0-9_]*\)() {$/\1/p' "$0")
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
			echo "ok $n - $name"
		fi
	done
	echo "1..$n"
	[ $failed -eq 0 ] || exit 1
	[ $skipped -lt $n ] || exit 4
}
