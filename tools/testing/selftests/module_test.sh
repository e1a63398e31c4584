#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Modules are unloaded while instances are created, used, and left behind, and loaded with parameters
# that are wrong, in the lab VM:
#
#   module_test.sh HOLDER [NAME...]    HOLDER --hold UUID: has it open until its input ends

set -u

holder=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/lab/common.sh
. "$here/../lab/common.sh"
load=$here/../lab/load.sh
soft=/sys/class/mdev_bus/mgpu
types=/sys/bus/pci/devices/$LAB_PARENT/mdev_supported_types
uuid=dddddddd-9e57-4c11-8c11-000000000001
instance=/sys/bus/mdev/devices/$uuid

last=module

# errno of rmmod in words, or nothing
unload() { rmmod "$1" 2>&1 | sed -n '1s/.*: //p'; }

# Have the instance open until `let_go`
hold() {
	local said

	echo $uuid > "$types/mgpu-4M/create" || fail create
	coproc HOLDER { exec "$holder" --hold $uuid; }
	read -r said <&"${HOLDER[0]}"
	expect_equal open "$said" 'the holder'
}

# shellcheck disable=SC2154 # bash sets HOLDER_PID
let_go() {
	local pid=$HOLDER_PID input=${HOLDER[1]}

	exec {input}>&-
	wait "$pid"
}

test_no_unload_while_in_use() {
	hold
	[[ -n $(unload mgpu) ]] || fail 'mgpu was unloaded'
	[[ -n $(unload mdev_core) ]] || fail 'mdev was unloaded'
	expect_equal 3 "$(<"$types/mgpu-4M/available_instances")" 'available mgpu-4M'
	let_go
	echo 1 > $instance/remove || fail remove
}

# A shell pins its driver while it is open; closed, it is in nobody's way
test_unload_with_a_shell() {
	hold
	echo "$LAB_PARENT" > /sys/bus/pci/drivers/mgpu/unbind
	[[ -n $(unload mgpu) ]] || fail 'mgpu was unloaded'
	[[ -e /sys/devices/mdev/$uuid ]] || fail 'there is no shell'
	let_go
	expect_equal '' "$(unload mgpu)" 'mgpu'
	[[ ! -e $instance ]] || fail 'the shell is still there'
	expect_equal '' "$(unload vfio_vpci)" 'vfio_vpci'
	expect_equal '' "$(unload mdev_core)" 'mdev'
	"$load" || fail 'the modules did not load again'
}

# until_done COMMAND...: it succeeds, within a minute
until_done() {
	local end=$((SECONDS + 60))
	until "$@" 2> /dev/null; do
		((SECONDS < end)) || { fail "never: $*"; return 1; }
	done
}

# A task that waits for a lock has the function that wants it on its stack
is_in() { grep -q "$2" "/proc/$1/stack"; }
is_now() { [[ $(<"$1") == "$2" ]]; }
is_gone_or_in() { [[ ! -d $1 ]] || is_in "$2" "$3"; }

# A shell that somebody has locked when its driver goes is not left for ever: the core waits for it
test_unload_with_a_locked_shell() {
	local modules unbinder locker remover lab=/sys/module/mdev_lab/parameters

	modules=$here/../../../build/modules/$(uname -r)
	insmod "$modules/hold_lab.ko" || fail insmod
	insmod "$modules/mdev_lab.ko" prepare_result=-16 || fail insmod
	echo $uuid > /sys/class/mdev_bus/mdev_lab/mdev_supported_types/platform-lab/create || fail create
	echo 0 > $lab/registered
	# who unbinds it by hand has it locked, and locker is the next
	echo 1 > $lab/stall
	echo $uuid > /sys/bus/mdev/drivers/mdev_lab/unbind &
	unbinder=$!
	until_done is_now $lab/stalled 1
	echo /sys/devices/mdev/$uuid > /dev/hold_lab 2> /dev/null &
	locker=$!
	until_done is_in $locker hold_write
	echo 0 > $lab/stall
	wait $unbinder || fail unbind
	until_done is_now /sys/module/hold_lab/parameters/held Y
	expect_equal '' "$(unload mdev_lab)" 'mdev_lab'
	rmmod mgpu vfio_vpci || fail rmmod
	rmmod mdev_core &
	remover=$!
	until_done is_gone_or_in /sys/module/mdev_core $remover device_del
	[[ -d /sys/module/mdev_core && -e /sys/devices/mdev/$uuid ]] || fail 'the core has left a shell behind'
	kill $locker
	wait $remover || fail 'rmmod mdev_core'
	wait $locker 2> /dev/null
	[[ ! -e /sys/devices/mdev ]] || fail 'the shell is still there'
	rmmod hold_lab || fail 'rmmod hold_lab'
	"$load" || fail 'the modules did not load again'
}

create_and_remove() {
	while :; do
		echo $uuid > "$types/mgpu-4M/create"
		echo 1 > $instance/remove
	done 2> /dev/null
}

test_unload_against_create() {
	local pid i rounds=10

	if [[ $LAB_KVER == *-lab-* ]]; then rounds=3; fi
	create_and_remove &
	pid=$!
	for ((i = 0; i < rounds; i++)); do
		until [[ -e $instance ]]; do :; done
		expect_equal '' "$(unload mgpu)" 'mgpu'
		rmmod vfio_vpci mdev_core || fail rmmod
		"$load" || fail 'the modules did not load again'
	done
	kill $pid
	wait $pid 2> /dev/null
	if [[ -e $instance ]]; then echo 1 > $instance/remove || fail remove; fi
	expect_equal 4 "$(<"$types/mgpu-4M/available_instances")" 'available mgpu-4M'
}

# load_mgpu PARAMETER...: what insmod says, or nothing
load_mgpu() {
	insmod "$(modules_dir "$(uname -r)" '')/samples/vfio-mdev/mgpu.ko" "$@" 2>&1 | sed 's/.*: //'
}

# said_of TEXT: lines of the kernel's log since `mark` that have it
mark() { echo "mark: $work" > /dev/kmsg; }
said_of() { dmesg | tac | sed "\\|mark: $work\$|q" | grep -F -e "$1"; }

test_soft_vram_is_a_size() {
	local text
	unload mgpu
	for text in '' 64X 64Mfoo 6M 2G -4M +4M 0 64MM 18446744073713745920 99999999999999999999M; do
		mark
		expect_equal 'Invalid parameters' "$(load_mgpu "soft_vram=$text")" "soft_vram=$text"
		expect_equal "mgpu: soft_vram=$text is not a multiple of 4M from 4M to 1024M, such as soft_vram=64M" \
			"$(said_of 'soft_vram=' | sed 's/.*mgpu: /mgpu: /')" 'the log'
	done
	for text in 4M 0x800000 12288K; do
		expect_equal '' "$(load_mgpu "soft_vram=$text")" "soft_vram=$text"
		[[ -e $soft ]] || fail "soft_vram=$text: there is no parent"
		unload mgpu
	done
	"$load" || fail 'it did not load again'
}

# Nobody's process is killed for it, and the adapter is served
test_no_memory_for_soft_vram() {
	local available reserve=/proc/sys/vm/min_free_kbytes kept processes
	kept=$(<$reserve)
	unload mgpu
	available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	echo $((available - 900 * 1024)) > $reserve
	processes=$(sed -n 's/^oom_kill //p' /proc/vmstat)
	mark
	expect_equal '' "$(load_mgpu soft_vram=1G)" 'insmod'
	echo "$kept" > $reserve
	expect_equal "$processes" "$(sed -n 's/^oom_kill //p' /proc/vmstat)" 'killed processes'
	[[ ! -e $soft ]] || fail 'there is a parent'
	[[ -n $(said_of 'mgpu mgpu: no 1024 MiB of system memory are free') ]] || fail "the log: $(said_of mgpu)"
	[[ -n $(said_of 'mgpu: soft_vram=1024M: no parent of system memory') ]] || fail "the log: $(said_of mgpu)"
	"$load" || fail 'it does not take the adapter'
	[[ -e $types ]] || fail 'the adapter is no parent'
}

tap_main "$@"
