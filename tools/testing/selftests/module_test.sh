#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Modules are unloaded while instances are created, used, and left behind, in the
# lab VM:
#
#   module_test.sh HOLDER [NAME...]    HOLDER --hold UUID: has it open until its input ends

set -u

holder=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
load=$here/../lab/load.sh
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

	if [[ -e /proc/lockdep_stats ]]; then rounds=3; fi
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

tap_main "$@"
