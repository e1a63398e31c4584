#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Mapped BARs in a nested guest, in the lab VM: a guest touches what stands behind
# a BAR, takes it away by a register, and touches again.
#
#   bar_guest_test.sh BAR_GUEST [NAME...]    BAR_GUEST: the program for the guest

set -u

program=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
nested=$here/../lab/nested.sh
create=/sys/devices/vpci_lab/mdev_supported_types/-bars/create
uuids=(dddddddd-ba11-4c11-8c11-000000000001 dddddddd-ba11-4c11-8c11-000000000002)
instance=/sys/bus/mdev/devices/${uuids[0]}

last='bar guest'

vfio=()
for uuid in "${uuids[@]}"; do
	device=vfio-pci,sysfsdev=/sys/bus/mdev/devices/$uuid
	if [[ ${VFIO_PATH-} == cdev ]]; then
		# shellcheck disable=SC2054 # commas are QEMU's
		vfio+=(-object "iommufd,id=i$uuid" -device "$device,iommufd=i$uuid")
	else
		vfio+=(-device "$device")
	fi
done

start_guest() {
	local uuid
	for uuid in "${uuids[@]}"; do echo "$uuid" > $create || return; done
	"$nested" start bars --file "$program" -- "${vfio[@]}" && "$nested" wait bars ready 300
}

in_guest() { "$nested" cmd bars --time-limit 240 "$1"; }

# The instances in the order of their addresses in the guest
devices=$'for d in /sys/bus/pci/devices/*; do
	if [ "$(cat $d/vendor)" = 0x1af4 ] && [ "$(cat $d/device)" = 0x10fe ]; then echo $d; fi; done'

test_guest_finds_both_instances() { expect_equal 2 "$(in_guest "$devices" | wc -l)" instances; }

test_touch_revoke_touch() {
	expect_equal ok "$(in_guest "/files/bar_guest \$($devices | head -n 1) 512")" 'the guest says'
	((4 <= $(<"$instance/vpci/revokes"))) || fail "only $(<"$instance/vpci/revokes") revocations"
	# With leaves of 2 MiB where the processor's first touch made them
	((1 <= $(<"$instance/vpci/faults_2m"))) || fail 'no large leaf was mapped'
}

# Both at the same time, on frames of one pool
test_two_instances_at_once() {
	expect_equal $'ok\nok' "$(in_guest "
		set -- \$($devices)
		mkfifo /run/done
		/files/bar_guest \$1 512 > /run/done & /files/bar_guest \$2 4096 > /run/done & cat /run/done")" 'the guest says'
}

test_qemu_says_nothing() {
	"$nested" stop bars || fail 'the guest did not power off'
	expect_equal '' "$("$nested" says bars 2>&1)" "QEMU's own messages"
}

test_everything_comes_back() {
	local uuid
	for uuid in "${uuids[@]}"; do
		"$nested" release "/sys/bus/mdev/devices/$uuid" 30 || fail "remove $uuid"
	done
}

if ! start_guest; then
	echo 'not ok 1 - the guest did not start'
	echo '1..1'
	"$nested" stop bars 2> /dev/null
	for uuid in "${uuids[@]}"; do "$nested" release "/sys/bus/mdev/devices/$uuid" 30; done
	exit 1
fi
tap_main "$@"
