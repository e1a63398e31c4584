#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the lanes with checkers catch what they are for? Each test that is about a checker of this kernel boots the kernel, loads a
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
	local root kdir
	root=$(kernel_root "$kver") || return
	kdir=${root%/}/lib/modules/$kver/build
	mkdir -p "$built"
	ln -sf "$here/planted/planted.c" "$here/planted/Kbuild" "$built/"
	# shellcheck disable=SC2046 # a word or none
	make $(clang_of "$kdir") -s -C "$kdir" M="$built" modules
}

# caught OPTION FAULT TEXT COMMAND: the run fails, and its log or output says TEXT
caught() {
	local status=0
	grep -q "^CONFIG_$1=y" "$(kernel_root "$kver")/boot/config-$kver" || skip "this kernel has no $1"
	shift
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

test_lock_inversion() { caught PROVE_LOCKING inversion 'possible circular locking dependency' true; }
test_use_after_free() { caught KASAN use-after-free 'KASAN: slab-use-after-free' true; }
test_atomic_sleep() { caught DEBUG_ATOMIC_SLEEP atomic-sleep 'sleeping function called from invalid context' true; }
test_unheld() { caught PROVE_LOCKING unheld 'WARNING: ' true; }
test_leak() { caught DEBUG_KMEMLEAK leak 'not ok 1 - nothing was leaked' "rmmod planted && $leaks"; }
test_race() { caught KCSAN race 'KCSAN: data-race in planted_count [planted] / planted_count [planted]' true; }
test_uninitialised() { caught KMSAN uninitialised 'KMSAN: uninit-value in planted_uninitialised' true; }
test_infoleak() { caught KMSAN infoleak 'KMSAN: kernel-infoleak' true; }

# A kernel that is about to fail by itself now and then, see run.sh
test_four_levels_of_page_tables() {
	"$here/run.sh" --name planted-levels --time-limit 180 --kver "$kver" -- sh -c '! grep -w la57 /proc/cpuinfo' \
		< /dev/null > "$work/out" 2>&1 || fail "$(cat "$work/out")"
}

tap_main "$@"
