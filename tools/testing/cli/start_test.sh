#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests 'mdev-ctl start' on a fake sysfs.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

test_start_writes_uuid_in_one_call() {
	two_parents
	use_shim
	shim_run -- start -u $C -p $P -t mgpu-4M
	expect_rc 0
	expect_no_out
	expect_no_err
	expect_log <<<"create 36 $C"
	expect_equal $C "$(cat "$(type_dir $P mgpu-4M)/create")" 'what create got'
	expect_equal 36 "$(stat -c %s "$(type_dir $P mgpu-4M)/create")" 'size of create'
}

test_start_uuid_forms() {
	two_parents
	for form in "${D^^}" "{$D}" "{${D^^}}" "urn:uuid:$D" "URN:UUID:$D" "${D//-/}"; do
		: >"$(type_dir $P mgpu-4M)/create"
		run start -u "$form" -p $P -t mgpu-4M
		expect_rc 0
		expect_no_out
		expect_equal $D "$(cat "$(type_dir $P mgpu-4M)/create")" 'what create got'
	done
}

test_start_option_forms() {
	two_parents
	for form in "-u$C -p$P -tmgpu-4M" "-u=$C -p=$P -t=mgpu-4M" "--type=mgpu-4M --parent=$P --uuid=$C" \
		"--type mgpu-4M --parent $P --uuid $C" "-t mgpu-4M -u $C --parent $P --"; do
		: >"$(type_dir $P mgpu-4M)/create"
		# shellcheck disable=SC2086 # words are wanted
		run start $form
		expect_rc 0
		expect_equal $C "$(cat "$(type_dir $P mgpu-4M)/create")" 'what create got'
	done
}

test_start_random_uuid() {
	local first uuid

	two_parents
	run start -p $P -t mgpu-4M
	expect_rc 0
	first=$(cat "$work/out")
	: >"$(type_dir $P mgpu-4M)/create"
	run start -p $P -t mgpu-4M
	uuid=$(cat "$work/out")
	[[ $uuid =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$ ]] ||
		fail "not a version 4 UUID: $uuid"
	expect_equal 37 "$(stat -c %s "$work/out")" 'size of stdout'
	expect_equal "$uuid" "$(cat "$(type_dir $P mgpu-4M)/create")" 'what create got'
	[ "$first" != "$uuid" ] || fail 'not random'
}

test_start_insufficient() {
	two_parents
	run start -u $C
	expect_rc 1
	expect_no_out
	expect_err <<-EOF
		Error: Device is insufficiently specified

		Hint: Add --parent and --type; 'mdev-ctl types' shows what can be started.
	EOF
	run start -p $P
	expect_rc 1
	expect_has err 'Error: Device is insufficiently specified'
	expect_has err 'Add --type;'
	run start -u $C -p $P
	expect_rc 1
	expect_has err 'Error: Device is insufficiently specified'
	run start -u $C -t mgpu-4M
	expect_rc 1
	expect_err <<-EOF
		Error: can't provide type without parent

		Hint: Add --parent; 'mdev-ctl types' shows which parents have type mgpu-4M.
	EOF
}

test_start_unknown_parent() {
	run start -p $P -t t
	expect_rc 1
	expect_err <<-EOF
		Error: Unable to find parent device '$P'

		Hint: No parent is registered. Load the parent's driver and bind the physical device to it.
	EOF
	two_parents
	run start -p 0000:00:07.0 -t mgpu-4M
	expect_rc 1
	expect_no_out
	expect_err <<-EOF
		Error: Unable to find parent device '0000:00:07.0'

		Hint: 'mdev-ctl types' shows the parents that are registered.
	EOF
}

test_start_parent_in_wrong_case() {
	two_parents
	add_parent 0000:3b:00.0
	run start -p 0000:3B:00.0 -t t
	expect_rc 1
	expect_no_out
	expect_err <<<"Error: Unable to find parent device '0000:3B:00.0'. Did you mean '0000:3b:00.0'?"
}

test_start_unregistered_parent() {
	two_parents
	rm -r "$sys/class/mdev_bus/$P/mdev_supported_types"
	run start -u $C -p $P -t mgpu-4M
	expect_rc 1
	expect_has err "Error: Parent $P is not currently registered for mdev support"
}

test_start_unknown_type() {
	two_parents
	for type in mgpu-5M MGPU-4M mgpu; do
		run start -u $C -p $P -t $type
		expect_rc 1
		expect_no_out
		expect_err <<-EOF
			Error: Parent $P does not support mdev type $type

			Hint: 'mdev-ctl types -p $P' shows the types that it has.
		EOF
	done
}

test_start_creates_no_file() {
	two_parents
	rm "$(type_dir $P mgpu-4M)/create"
	run start -u $C -p $P -t mgpu-4M
	expect_rc 1
	expect_err <<-EOF
		Error: Failed to create mdev $C, type mgpu-4M on $P

		Caused by:
		    No such file or directory (os error 2)

		Hint: The parent came or went while the device was being created. Try again.
	EOF
	[ ! -e "$(type_dir $P mgpu-4M)/create" ] || fail 'a file was created'
}

# expect_refused ERRNO TYPE
expect_refused() {
	shim_run "SHIM_ERRNO=$1" -- start -u $C -p $P -t "$2"
	expect_rc 1
	expect_no_out
}

test_start_taken() {
	three_instances
	use_shim
	add_instance $P2 mtty-1 $C
	expect_refused $EEXIST mgpu-4M
	expect_err <<-EOF
		Error: Device exists under different parent

		Caused by:
		    File exists (os error 17)

		Hint: $C is active on $P2 with type mtty-1. Use it, stop it, or choose another UUID.
	EOF
	rm -r "$sys/bus/mdev/devices/$C" "$sys/devices/pci0000:00/$P2/$C"
	add_instance $P mgpu-8M $C
	expect_refused $EEXIST mgpu-4M
	expect_has err 'Error: Device exists with different type'
	expect_refused $EEXIST mgpu-8M
	expect_has err 'Error: Device already exists'
	expect_has err "$C is active on $P with type mgpu-8M."
	rm -r "$sys/bus/mdev/devices/$C"
	expect_refused $EEXIST mgpu-8M
	expect_has err 'Error: Device already exists'
	expect_has err 'Try again.'
}

test_start_exhausted() {
	two_parents
	use_shim
	expect_refused $ENOSPC mgpu-16M
	expect_err <<-EOF
		Error: No available instances of mgpu-16M on $P

		Caused by:
		    No space left on device (os error 28)

		Hint: Stop a device on $P that is not needed ('mdev-ctl list -p $P'), or choose a type of which some are left ('mdev-ctl types -p $P').
	EOF
	expect_refused $EUSERS mgpu-16M
	expect_has err "Error: No available instances of mgpu-16M on $P"
	expect_has err 'Too many users (os error 87)'
	expect_refused $ENOSPC mgpu-4M
	expect_has err 'Something was freed meanwhile: 4 can be created now. Try again.'
}

# What was counted beforehand does not decide: the kernel is asked all the same.
test_start_does_not_trust_the_count() {
	three_instances
	use_shim
	shim_run -- start -u $C -p $P -t mgpu-16M
	expect_log <<<"create 36 $C"
	expect_rc 1
	expect_has err "Error: No available instances of mgpu-16M on $P"
	shim_run SHIM_BIRTH=1 -- start -u $C -p $P -t mgpu-16M
	expect_rc 0
	expect_no_err
}

test_start_refused() {
	two_parents
	use_shim
	while read -r errno cause hint; do
		expect_refused "$errno" mgpu-4M
		expect_has err "Error: Failed to create mdev $C, type mgpu-4M on $P"
		expect_has err "    ${cause//_/ } (os error $errno)"
		expect_has err "$hint"
	done <<-EOF
		$ENODEV No_such_device The parent is going away
		$EBUSY Device_or_resource_busy The physical device is busy.
		$EINVAL Invalid_argument The parent's driver does not make this type
		$EACCES Permission_denied takes the rights of root.
		$EPERM Operation_not_permitted takes the rights of root.
		$ENOMEM Cannot_allocate_memory The kernel log may say why.
	EOF
}

test_start_interrupted() {
	two_parents
	use_shim
	shim_run SHIM_EINTR=1 -- start -u $C -p $P -t mgpu-4M
	expect_rc 0
	expect_log <<-EOF
		create 36 $C
		create 36 $C
	EOF
	expect_equal 4 "$EINTR"
}

test_start_unprintable_uuid() {
	local uuid

	two_parents
	last='mdev-ctl start >/dev/full'
	"$MDEV_CTL" start -p $P -t mgpu-4M >/dev/full 2>"$work/err"
	rc=$?
	expect_rc 1
	uuid=$(cat "$(type_dir $P mgpu-4M)/create")
	expect_err <<-EOF
		Error: Unable to write the output

		Caused by:
		    No space left on device (os error 28)

		Hint: The device was started all the same: $uuid
	EOF
}

tap_main "$@"
