#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the debug lanes catch what they are for? Each test boots the kernel, loads a
# module that has one defect, and expects the run to fail for that very reason.
#
#   planted.sh KVER [TEST...]

set -u

kver=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
top=$here/../../..
built=$top/build/planted/$kver

build() {
	local root
	root=$(kernel_root "$kver") || return
	mkdir -p "$built"
	ln -sf "$here/planted/planted.c" "$here/planted/Kbuild" "$built/"
	make -s -C "${root%/}/lib/modules/$kver/build" M="$built" modules
}

# caught FAULT TEXT COMMAND: the run fails, and its log or output says TEXT
caught() {
	local status=0
	last="planted $1"
	build > "$work/build" 2>&1 || { fail "$(cat "$work/build")"; return; }
	"$here/run.sh" --name "planted-$1" --time-limit 180 --kver "$kver" --out "$work/out.d" -- \
		sh -c "insmod build/planted/$kver/planted.ko fault=$1 && $3" \
		< /dev/null > "$work/out" 2>&1 || status=$?
	cat "$work/out.d/console.log" >> "$work/out"
	[[ $status != 0 ]] || fail 'the run succeeded'
	expect_has out "$2"
}

# The lane's own step for leaks decides; it prints TAP
leaks="tools/testing/lab/leaks.sh | tee /dev/stderr | grep -q '^ok'"

test_lock_inversion() { caught inversion 'possible circular locking dependency' true; }
test_use_after_free() { caught use-after-free 'KASAN: slab-use-after-free' true; }
test_atomic_sleep() { caught atomic-sleep 'sleeping function called from invalid context' true; }
test_leak() { caught leak 'not ok 1 - nothing was leaked' "rmmod planted && $leaks"; }

# A kernel that is about to fail by itself now and then, see run.sh
test_four_levels_of_page_tables() {
	"$here/run.sh" --name planted-levels --time-limit 180 --kver "$kver" -- sh -c '! grep -w la57 /proc/cpuinfo' \
		< /dev/null > "$work/out" 2>&1 || fail "$(cat "$work/out")"
}

tap_main "$@"
