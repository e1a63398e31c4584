# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of mdev-ctl share: running it with its results kept, and expectations about them.

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

MDEV_CTL=$(realpath -m "${MDEV_CTL:-$(dirname "${BASH_SOURCE[0]}")/../../mdev-ctl/mdev-ctl}")
if [ ! -x "$MDEV_CTL" ]; then
	echo "Bail out! $MDEV_CTL is missing: run make -C tools/mdev-ctl"
	exit 1
fi

# So that a sanitizer's complaint cannot pass for an expected failure. The link order matters to it only because of
# the preloaded shim.
export ASAN_OPTIONS=exitcode=99:verify_asan_link_order=0 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
unset MDEV_CTL_ROOT MDEVCTL_ENV_ROOT

# own_mounts COMMAND...: in a mount namespace. Who may have one without a user namespace takes that: in a chroot there
# are no user namespaces, and other users have no other way.
own_mounts() {
	if unshare -m true 2>/dev/null; then unshare -m "$@"; else unshare -rm "$@"; fi
}

# Runs the tool; leaves $rc, $work/out and $work/err.
run() {
	last="mdev-ctl $*"
	"$MDEV_CTL" "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
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

