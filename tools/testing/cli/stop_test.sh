#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests 'mdev-ctl stop' on a fake sysfs.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

test_stop_writes_one() {
	three_instances
	use_shim
	for form in "-u $D" "-u${D^^}" "--uuid={$D}" "--uuid urn:uuid:$D"; do
		rm -f "$work/log"
		# shellcheck disable=SC2086 # words are wanted
		shim_run -- stop $form
		expect_rc 0
		expect_no_out
		expect_no_err
		expect_log <<<'remove 1 1'
	done
}

test_stop_not_active() {
	for state in 'no bus' 'others only'; do
		[ "$state" = 'no bus' ] || three_instances
		run stop -u $C
		expect_rc 1
		expect_no_out
		expect_err <<-EOF
			Error: No active mediated device $C

			Hint: 'mdev-ctl list' shows the active ones.
		EOF
	done
}

test_stop_in_use() {
	three_instances
	use_shim
	shim_run SHIM_ERRNO=$EBUSY -- stop -u $D
	expect_rc 1
	expect_no_out
	expect_log <<<'remove 1 1'
	expect_err <<-EOF
		Error: Error removing device $D

		Caused by:
		    Device or resource busy (os error 16)

		Hint: The device is in use. Shut down the virtual machine that has it, or unplug the device from it, and try again.
	EOF
}

test_stop_refused() {
	three_instances
	use_shim
	while read -r errno hint; do
		shim_run "SHIM_ERRNO=$errno" -- stop -u $D
		expect_rc 1
		expect_no_out
		expect_has err "Error: Error removing device $D"
		expect_has err "(os error $errno)"
		expect_has err "$hint"
	done <<-EOF
		$ENODEV It is being removed already.
		11 It is being removed already.
		$EACCES takes the rights of root.
		$EIO The kernel log may say why.
	EOF
	rm "$sys/bus/mdev/devices/$D/remove"
	run stop -u $D
	expect_rc 1
	expect_has err 'It is being removed already.'
	[ ! -e "$sys/bus/mdev/devices/$D/remove" ] || fail 'a file was created'
}

tap_main "$@"
