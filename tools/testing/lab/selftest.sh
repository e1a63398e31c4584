#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests the lab itself: what a test in the VM reports must be what run.sh reports, above all when things go wrong.
# Prints TAP; boots nine VMs, about three minutes where KVM does not work. Arguments: names of tests to run.

# The tests are called by name and hold code for the VM.
# shellcheck disable=SC2317,SC2016

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/lab-selftest.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
names=(status arguments splat kernel_log panic limit frozen nested given_up cache qemu_list qemu_says)
if (($#)); then names=("$@"); fi
failed=0 number=0 status=0

lab() {
	status=0
	"$LAB_DIR/run.sh" --out "$tmp/out" "$@" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null || status=$?
}

expect_status() {
	((status == $1)) || { echo "# exit status $status instead of $1"; return 1; }
}

expect_in() {
	grep -qF -e "$2" "$tmp/$1" || { echo "# no '$2' in $1"; return 1; }
}

test_status() {
	lab -- sh -c 'echo out; echo err >&2; touch "$LAB_OUT/shared"; exit 7'
	expect_status 7 && expect_in stdout out && expect_in stdout err && [[ -e $tmp/out/shared ]] &&
		expect_in out/dmesg.txt 'Linux version'
}

test_arguments() {
	local args=('two words' "it's" '"double"' "\$HOME" '' '*' $'two\nlines' 'back\slash')
	lab -- printf '<%s>' "${args[@]}"
	expect_status 0 && printf '<%s>' "${args[@]}" | cmp - "$tmp/stdout"
}

test_splat() {
	lab -- sh -c 'echo "WARNING: a test" >/dev/kmsg'
	expect_status 1 && expect_in stderr 'WARNING: a test'
}

# log STATUS LINE...: do the lines fail a run?
log() {
	local expected=$1
	shift
	mkdir -p "$tmp/out"
	printf '[    1.000000] %s\n' "$@" >"$tmp/out/dmesg.txt"
	status=0
	PYTHONPATH=$LAB_DIR /usr/bin/python3 -B -c 'import sys, kernel_log; sys.exit(kernel_log.find_splats(sys.argv[1])[1])' \
		"$tmp/out" >"$tmp/stdout" 2>"$tmp/stderr" || status=$?
	expect_status "$expected"
}

# race STATUS ONE OTHER: of two functions of the kernel, which these have called
race() {
	log "$1" 'BUG: KCSAN: data-race in mas_store / mas_walk' '' 'write to 0xff of 8 bytes by task 7 on cpu 1:' \
		' mas_store+0x1/0x2' " $2" ' vfs_write+0x1/0x2' '' 'read to 0xff of 8 bytes by task 8 on cpu 0:' ' mas_walk+0x1/0x2' \
		' mt_find+0x1/0x2' " $3" ' ksys_read+0x1/0x2' ' mgpu_last+0x1/0x2 [mgpu]' '' 'Reported by Kernel Concurrency Sanitizer on:' '====='
}

# All that KMSAN finds, but of races only ours
test_kernel_log() {
	log 0 'kcsan: enabled early' && log 0 'Starting KernelMemorySanitizer' &&
		log 1 'BUG: KMSAN: uninit-value in strlen+0x1/0x2' &&
		log 0 'BUG: KCSAN: data-race in tick_sched / timer_fn' && log 0 'BUG: KCSAN: data-race in vfio_open [vfio] / get_page' &&
		log 1 'BUG: KCSAN: data-race in vpci_read [vfio_vpci] / vfio_open [vfio]' &&
		log 1 'BUG: KCSAN: data-race in get_page / mdev_probe [mdev_core]' &&
		log 1 'BUG: KCSAN: assert: race in mgpu_probe+0x4/0x10 [mgpu]' &&
		log 1 'BUG: KCSAN: data-race in frame [vpci_lab] / frame [vpci_lab]' && log 1 'BUG: KASAN: slab-use-after-free in get_page' &&
		race 1 'vpci_back+0x1/0x2 [vfio_vpci]' 'vpci_find+0x1/0x2 [vfio_vpci]' &&
		race 0 'vpci_back+0x1/0x2 [vfio_vpci]' 'vfio_find+0x1/0x2 [vfio]' && race 0 'a+0x1/0x2' 'vpci_find+0x1/0x2 [vfio_vpci]'
}

# What was written before is in a pipe, until the cat of agent.sh has sent it and waits for more
test_panic() {
	# shellcheck disable=SC2016 # for the VM's shell
	lab -- sh -c 'echo before
		until grep -q pipe_read "/proc/$(busybox pidof cat)/wchan"; do :; done
		echo c >/proc/sysrq-trigger'
	expect_status 125 && expect_in stdout before && expect_in stderr 'sysrq triggered crash'
}

test_limit() {
	lab --time-limit 30 -- sleep 1000
	expect_status 124 && expect_in stderr 'time limit'
}

test_frozen() {
	LAB_SILENCE_LIMIT=20 lab -- sh -c 'tools/testing/lab/qmp.py "$LAB_QMP" stop; sleep 1000'
	expect_status 123 && expect_in stderr 'the VM froze' && expect_in out/frozen.txt RIP= && expect_in out/frozen.txt ISR
}

test_cache() (
	CACHE=$tmp/cache
	keeps=(initramfs/new kernels/6.12.10-amd64/boot kernels/7.2.1+deb13-amd64/boot kernels/7.2.1-lab-b samples/s-1
		sources/linux-source-7.2_7.2.10-1_all.deb sources/linux-source-7.3_7.3.1-1_all.deb)
	goes=(initramfs/old fbdraw-a/fbdraw kernels/7.2.1-lab-a/boot kernels/.tmp.x/boot kernels/6.12.9-amd64/boot
		sources/linux-source-7.2_7.2.9-1_all.deb downloads/half.deb)
	longer=(kernels/7.0.1-amd64/boot sources/linux-source-7.0_7.0.1-1_all.deb)
	for name in "${keeps[@]}" "${goes[@]}" "${longer[@]}"; do mkdir -p "$CACHE/$name"; done
	find "$CACHE" -exec touch -d '15 days ago' {} +
	touch -d '91 days ago' "$CACHE/kernels/7.0.1-amd64" "$CACHE/${longer[1]}"
	cache_use "$CACHE/initramfs/new"
	cache_use "$CACHE/kernels/7.2.1-lab-b"
	cache_trim
	for name in "${keeps[@]}"; do [[ -e $CACHE/$name ]] || { echo "# $name is gone"; return 1; }; done
	for name in "${goes[@]}" "${longer[@]}"; do [[ ! -e $CACHE/$name ]] || { echo "# $name is there"; return 1; }; done
)

# says STATUS TEXT VERSION GIVEN...: the list that the test has made, and a QEMU that has said TEXT; leaves the answer in stdout
says() {
	local expected=$1 text=$2
	shift 2
	status=0
	printf '%s' "$text" | "$LAB_DIR/qemu_says.py" --list "$tmp/list" - "$@" >"$tmp/stdout" 2>"$tmp/stderr" || status=$?
	expect_status "$expected"
}

test_qemu_list() {
	local me=qemu-system-x86_64
	printf 'versions: 10.0 11.1+\ngiven: thing\nsays: warning: no (more )?tea\nreason: so\n  it is\n' >"$tmp/list"
	# what is listed, for the versions that it is listed for
	says 0 "$me: warning: no tea"$'\n' 10.0.2 thing && says 0 "$me: -device t,x=1: warning: no more tea"$'\n' 11.1 thing &&
		says 1 "$me: warning: no tea" 10.1 thing && expect_in stdout 'QEMU 10.1 says: ' &&
		says 1 "$me: warning: no tea" 10.0.2 other && says 1 "$me: warning: no tea, sorry" 11.1.3 thing &&
		says 1 "$me: warning: no tea"$'\n'"$me: no cake" 11.1.3 thing && expect_in stdout 'says: qemu-system-x86_64: no cake' &&
		# what is listed and does not come; a later version that nobody has tried may do either
		says 1 '' 11.1.3 thing && expect_in stdout "does not say 'warning: no (more )?tea' any more" &&
		expect_in stdout "$tmp/list:1 lists for 10.0 11.1+" && says 0 '' 11.1.3 other && says 0 '' 10.1.0 thing &&
		says 0 '' 11.2.0 thing && says 0 "$me: warning: no tea" 12.0.0 thing || return
	# a list that cannot be read
	sed -i s/10.0/ten/ "$tmp/list"
	says 2 '' 11.1 thing && expect_in stderr "$tmp/list:1: 'ten' is neither 10.0 nor 10.0-11.1 nor 11.1+" || return
	sed -i /reason/d "$tmp/list"
	says 2 '' 11.1 thing && expect_in stderr "$tmp/list:1: an entry has the fields" || return
	says 2 '' eleven && says 2 '' '' || return
	"$LAB_DIR/qemu_says.py" /dev/null 10.0
}

# Whatever the command says: of the QEMU around the VM, and of one in it, also where nobody looked
test_qemu_says() {
	lab -- sh -c 'echo "qemu-system-x86_64: tea is deprecated" >>"$LAB_OUT/qemu.log"'
	expect_status 1 && expect_in stderr 'says: qemu-system-x86_64: tea is deprecated' && expect_in stderr "($tmp/out/qemu.log)" ||
		return
	lab --nested --time-limit 120 -- bash -euc '
		nested=tools/testing/lab/nested.sh
		$nested start a -- -device bochs-display
		echo "qemu-system-x86_64: tea is cold" >>"$LAB_OUT/a.qemu.log"
		status=0; said=$($nested says a) || status=$?
		[[ $status = 1 && $said = *"says: qemu-system-x86_64: tea is cold" ]]
		$nested wait a ready 60
		$nested stop a
		$nested start a -- -device bochs-display
		$nested says a'
	expect_status 1 && expect_in stderr "($tmp/out/a.1.qemu.log)"
}

test_nested() {
	lab --nested --time-limit 120 -- bash -euc '
		nested=tools/testing/lab/nested.sh
		$nested start a -- -device bochs-display
		$nested wait a ready 60
		[ "$(cat /sys/module/kvm/parameters/tsc_tolerance_ppm)" = 10000 ]
		$nested cmd a "fbdraw draw A"
		status=0; $nested cmd a "exit 5" || status=$?; [ $status = 5 ]
		status=0; $nested cmd a --time-limit 1 "sleep 50" || status=$?; [ $status = 124 ]
		$nested qmp a screendump "{\"filename\": \"$LAB_OUT/a.png\", \"format\": \"png\"}"
		$nested stop a
		$nested says a'
	expect_status 0 && expect_in stdout 'drawn ' && [[ -s $tmp/out/a.png ]]
}

# As QEMU says it: the machine is stopped, and QEMU stays
test_given_up() {
	lab --nested --time-limit 120 -- bash -euc '
		nested=tools/testing/lab/nested.sh
		$nested start a -- -device bochs-display
		$nested wait a ready 60
		$nested qmp a stop
		(sleep 2; echo "KVM internal error. Suberror: 3" >>"$LAB_OUT/a.qemu.log") &
		start=$SECONDS
		status=0; $nested cmd a --time-limit 100 true || status=$?; [ $status = 1 ]
		status=0; $nested stop a || status=$?; [ $status = 1 ]
		((SECONDS - start < 50))
		$nested start a -- -device bochs-display
		$nested wait a ready 60
		$nested stop a'
	expect_status 1 && expect_in stdout "'a' died during 'true'" && expect_in stdout "(any more)"
}

echo "1..${#names[@]}"
for name in "${names[@]}"; do
	number=$((number + 1))
	if "test_$name"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		sed 's/^/# /' "$tmp/stdout" "$tmp/stderr"
		failed=1
	fi
done
exit "$failed"
