#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the lanes with checkers catch what they are for? A module with one defect after the other is loaded, for each checker that
# this kernel has, and the run has to fail and to complain of each of them.
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

# Faults, each with the checker that it is for, in this order: what is leaked is not found while its address stands in a stack
# that nobody has used since; and lockdep ends with what it finds, and with what the two after that find
FAULTS=(DEBUG_KMEMLEAK=leak PROVE_LOCKING=unheld PROVE_LOCKING=inversion DEBUG_ATOMIC_SLEEP=atomic-sleep
	KASAN=use-after-free KCSAN=race KMSAN=uninitialised KMSAN=infoleak)

has_option() { grep -q "^CONFIG_$1=y" "$(kernel_root "$kver")/boot/config-$kver"; }

# All that this kernel has a checker for, in one boot that no warning stops. The lane's own step for leaks prints TAP
plant() {
	local fault faults=()
	for fault in "${FAULTS[@]}"; do
		if has_option "${fault%=*}"; then faults+=("${fault#*=}"); fi
	done
	build > "$work/build" 2>&1 || { cat "$work/build" > "$work/out"; return; }
	# shellcheck disable=SC2016 # for the VM's shell
	"$here/run.sh" --name planted --time-limit 300 --kver "$kver" --out "$work/out.d" -- sh -c '
		echo 0 > /proc/sys/kernel/panic_on_warn
		module=$1
		shift
		for fault; do insmod "$module" fault="$fault" && rmmod planted || exit; done
		tools/testing/lab/leaks.sh
		exit 0' sh "build/planted/$kver/planted.ko" "${faults[@]}" < /dev/null > "$work/out" 2>&1
	echo $? > "$work/status"
}

# caught OPTION TEXT: the run has failed, and TEXT is among what it complains of
caught() {
	has_option "$1" || skip "this kernel has no $1"
	last=planted
	[[ -e $work/out ]] || plant
	[[ -e $work/status ]] || { fail "$(cat "$work/out")"; return; }
	expect_equal 1 "$(<"$work/status")" 'status of the run'
	expect_has out "$2"
}

test_unheld() { caught PROVE_LOCKING planted_unheld; }
test_atomic_sleep() { caught DEBUG_ATOMIC_SLEEP 'sleeping function called from invalid context'; }
test_lock_inversion() { caught PROVE_LOCKING 'possible circular locking dependency'; }
test_use_after_free() { caught KASAN 'KASAN: slab-use-after-free'; }
test_leak() { caught DEBUG_KMEMLEAK 'not ok 1 - nothing was leaked'; }
test_race() { caught KCSAN 'KCSAN: data-race in planted_count [planted] / planted_count [planted]'; }
test_uninitialised() { caught KMSAN 'KMSAN: uninit-value in planted_uninitialised'; }
test_infoleak() { caught KMSAN 'KMSAN: kernel-infoleak'; }

# A kernel that is about to fail by itself now and then, see run.sh
test_four_levels_of_page_tables() {
	"$here/run.sh" --name planted-levels --time-limit 180 --kver "$kver" -- sh -c '! grep -w la57 /proc/cpuinfo' \
		< /dev/null > "$work/out" 2>&1 || fail "$(cat "$work/out")"
}

tap_main "$@"
