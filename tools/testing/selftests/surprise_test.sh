#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The physical adapter goes while its memory is touched, in a lab VM where it can be
# unplugged (run.sh --hotplug): removed through sysfs, or by the monitor of QEMU.
#
#   surprise_test.sh TOUCHER [NAME...]    TOUCHER --touch UUID: writes to all of an
#                                         instance's VRAM until its input ends

set -u

toucher=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/selftests/hotplug.sh
. "$here/hotplug.sh"
uuid=eeeeeeee-9e57-4c11-8c11-000000000001
instance=/sys/bus/mdev/devices/$uuid

last=surprise

# The toucher has it open, and it is on the physical screen
touch_it() {
	local said
	echo $uuid > "$device/mdev_supported_types/mgpu-16M/create" || fail create
	coproc TOUCHER { exec "$toucher" --touch $uuid; }
	read -r said <&"${TOUCHER[0]}"
	expect_equal touching "$said" 'the toucher'
	echo 1 > $instance/display/scanout || fail scanout
}

# The parent is gone, and the instance with its last user
check_gone() {
	# shellcheck disable=SC2154 # bash sets TOUCHER_PID
	local said pid=$TOUCHER_PID input=${TOUCHER[1]}
	gone /sys/class/mdev_bus/"$LAB_PARENT" || fail 'the parent is still there'
	expect_equal "/sys/devices/mdev/$uuid" "$(readlink -f $instance)" 'the shell'
	exec {input}>&-
	read -r said <&"${TOUCHER[0]}"
	expect_equal ones "$said" 'what the memory shows'
	wait "$pid"
	until_true gone $instance
}

check_back() {
	bind
	expect_equal 4 "$(<"$device/mdev_supported_types/mgpu-4M/available_instances")" 'available mgpu-4M'
}

test_removed_through_sysfs() {
	touch_it
	echo 1 > "$device/remove"
	check_gone
	echo 1 > /sys/bus/pci/rescan
	check_back
}

# The last test. That all is free again is seen when the modules are unloaded.
test_unplugged_by_the_monitor() {
	needs_unplug
	touch_it
	unplug
	check_gone
}

tap_main "$@"
