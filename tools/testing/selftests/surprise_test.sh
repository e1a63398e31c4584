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
qmp=$here/../lab/qmp.py
device=/sys/bus/pci/devices/$LAB_PARENT
uuid=eeeeeeee-9e57-4c11-8c11-000000000001
instance=/sys/bus/mdev/devices/$uuid

last=surprise

# until_true COMMAND...: nothing tells when
until_true() {
	local end=$((SECONDS + 60))
	until "$@"; do
		((SECONDS < end)) || { fail "not in 60 s: $*"; return 1; }
		read -rt 0.05 <> <(:)
	done
	return 0
}
gone() { [[ ! -e $1 ]]; }

bind() {
	until_true test -e "$device" || return
	[[ ! -e $device/driver ]] || echo "$LAB_PARENT" > "$device/driver/unbind"
	echo mgpu > "$device/driver_override"
	echo "$LAB_PARENT" > /sys/bus/pci/drivers_probe
	until_true test -e "$device/mdev_supported_types"
}

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

# The last test: QEMU's bochs-display cannot be plugged in a second time. That all is
# free again is seen when the modules are unloaded.
test_unplugged_by_the_monitor() {
	compgen -G '/sys/bus/pci/slots/*' > /dev/null || skip 'this kernel cannot unplug'
	touch_it
	"$qmp" "$LAB_QMP" device_del '{"id": "physical"}' > /dev/null || fail device_del
	until_true gone "$device"
	check_gone
}

tap_main "$@"
