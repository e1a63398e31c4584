#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The physical adapter goes while a guest draws, in a lab VM where it can be unplugged
# (run.sh --hotplug): the guest is asked for its display, gives it up, and lives on.

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/selftests/hotplug.sh
. "$here/hotplug.sh"
nested=$here/../lab/nested.sh
uuid=eeeeeeee-9e57-4c11-8c11-000000000002
instance=/sys/bus/mdev/devices/$uuid

last=surprise-guest

in_guest() { "$nested" cmd guest --time-limit 120 "$1"; }

# In a port, and without display=on: QEMU can let go of it
start_drawing() {
	echo $uuid > "$device/mdev_supported_types/mgpu-8M/create" || fail create
	"$nested" start guest -- -device pcie-root-port,id=port0,chassis=1,pref32-reserve=32M \
		-device "vfio-pci,bus=port0,sysfsdev=$instance" || fail start
	"$nested" wait guest ready 300 || fail guest
	echo 1 > $instance/display/scanout || fail scanout
	in_guest '(while fbdraw draw K; do :; done > /run/drawn 2>&1 &)' || fail draw
	in_guest 'until [ -s /run/drawn ]; do usleep 50000; done' || fail 'nothing is drawn'
}

check_guest() {
	gone /sys/class/mdev_bus/"$LAB_PARENT" || fail 'the parent is still there'
	until_true gone $instance
	expect_equal 0 "$(in_guest 'ls -d /sys/bus/pci/drivers/bochs-drm/0000:* 2> /dev/null | wc -l')" "the guest's displays"
	"$nested" stop guest || fail 'the guest did not power off'
	expect_equal '' "$("$nested" says guest 2>&1)" "QEMU's own messages"
}

test_removed_under_a_guest() {
	start_drawing
	echo 1 > "$device/remove"
	check_guest
	echo 1 > /sys/bus/pci/rescan
	bind
	expect_equal 4 "$(<"$device/mdev_supported_types/mgpu-4M/available_instances")" 'available mgpu-4M'
}

# The last test, see surprise_test.sh
test_unplugged_under_a_guest() {
	needs_unplug
	start_drawing
	unplug
	check_guest
}

tap_main "$@"
