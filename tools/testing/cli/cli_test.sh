#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests mdev-ctl on a sysfs made of plain files. Needs no root.
#
#	cli_test.sh [NAME..]		all tests, or the named ones
#	MDEV_CTL=path cli_test.sh	another binary, such as mdev-ctl-san
#
# Most tests compare whole outputs. Plain files do not behave like sysfs; where that matters (what is written in one
# call, and what the kernel answers), shim.c is preloaded.

# shellcheck source=tap.sh
. "$(dirname "$0")/tap.sh"

P=0000:00:05.0
P2=0000:00:06.0
A=11111111-1111-4111-8111-111111111111
B=22222222-2222-4222-8222-222222222222
C=33333333-3333-4333-8333-333333333333
D=deadbeef-dead-4eef-8ead-deadbeefdead

# errno values of Linux on every architecture that has VFIO
EPERM=1 EINTR=4 EIO=5 ENOMEM=12 EACCES=13 EBUSY=16 EEXIST=17 ENODEV=19 EINVAL=22 ENOSPC=28 EUSERS=87

add_parent() {
	mkdir -p "$sys/devices/pci0000:00/$1/mdev_supported_types" "$sys/class/mdev_bus"
	ln -s "../../devices/pci0000:00/$1" "$sys/class/mdev_bus/$1"
}

# add_type PARENT TYPE AVAILABLE NAME DESCRIPTION, the last two optional as in the kernel
add_type() {
	local dir=$sys/devices/pci0000:00/$1/mdev_supported_types/$2

	mkdir "$dir"
	: >"$dir/create"
	echo "$3" >"$dir/available_instances"
	echo vfio-pci >"$dir/device_api"
	[ -z "$4" ] || printf '%s\n' "$4" >"$dir/name"
	[ -z "$5" ] || printf '%b\n' "$5" >"$dir/description"
}

# add_instance PARENT TYPE UUID
add_instance() {
	local dir=$sys/devices/pci0000:00/$1/$3

	mkdir -p "$dir" "$sys/bus/mdev/devices"
	: >"$dir/remove"
	ln -s "../mdev_supported_types/$2" "$dir/mdev_type"
	ln -s "../../../devices/pci0000:00/$1/$3" "$sys/bus/mdev/devices/$3"
}

type_dir() { echo "$sys/class/mdev_bus/$1/mdev_supported_types/$2"; }

setup() {
	root=$work/root
	sys=$root/sys
	rm -rf "$root" "$work/log"
	mkdir -p "$sys"
	export MDEV_CTL_ROOT=$root
}

two_parents() {
	add_parent $P2
	add_parent $P
	add_type $P mgpu-8M 2 'mgpu 8 MiB' 'vram: 8 MiB\nheads: 1'
	add_type $P mgpu-4M 4 'mgpu 4 MiB'
	add_type $P mgpu-16M 0
	add_type $P2 mtty-1 24 'Single port serial' 'one port'
}

three_instances() {
	two_parents
	add_instance $P2 mtty-1 $A
	add_instance $P mgpu-8M $D
	add_instance $P mgpu-4M $B
}

use_shim() {
	if [ ! -e "$work/shim.so" ]; then
		"${CC:-cc}" -shared -fPIC -o "$work/shim.so" "$here/shim.c" || skip 'no compiler for the shim'
	fi
}

# shim_run VAR=VALUE.. -- ARGS: as run, with the shim
shim_run() {
	local vars=()

	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	last="${vars[*]} mdev-ctl $*"
	env "${vars[@]}" "SHIM_LOG=$work/log" "LD_PRELOAD=$work/shim.so" "$MDEV_CTL" "$@" \
		>"$work/out" 2>"$work/err" </dev/null
	rc=$?
}

expect_log() {
	cat >"$work/want"
	[ -e "$work/log" ] || : >"$work/log"
	differ 'writes to sysfs' "$work/want" "$work/log"
}

# expect_usage TEXT ARGS..: exit code 2, nothing on stdout, the text on stderr, nothing written
expect_usage() {
	local text=$1

	shift
	run "$@"
	expect_rc 2
	expect_no_out
	expect_has err "error: $text"
	expect_has err 'Usage: mdev-ctl'
}

# --- types ---

test_types_text() {
	two_parents
	run types
	expect_rc 0
	expect_no_err
	expect_out <<-EOF
		0000:00:05.0
		  mgpu-16M
		    Available instances: 0
		    Device API: vfio-pci
		  mgpu-4M
		    Available instances: 4
		    Device API: vfio-pci
		    Name: mgpu 4 MiB
		  mgpu-8M
		    Available instances: 2
		    Device API: vfio-pci
		    Name: mgpu 8 MiB
		    Description: vram: 8 MiB, heads: 1
		0000:00:06.0
		  mtty-1
		    Available instances: 24
		    Device API: vfio-pci
		    Name: Single port serial
		    Description: one port
	EOF
}

test_types_json() {
	two_parents
	run types --dumpjson
	expect_rc 0
	expect_no_err
	expect_json <<-'EOF'
		[
		  {
		    "0000:00:05.0": [
		      {
		        "mgpu-16M": {
		          "available_instances": 0,
		          "device_api": "vfio-pci"
		        }
		      },
		      {
		        "mgpu-4M": {
		          "available_instances": 4,
		          "device_api": "vfio-pci",
		          "name": "mgpu 4 MiB"
		        }
		      },
		      {
		        "mgpu-8M": {
		          "available_instances": 2,
		          "device_api": "vfio-pci",
		          "name": "mgpu 8 MiB",
		          "description": "vram: 8 MiB, heads: 1"
		        }
		      }
		    ],
		    "0000:00:06.0": [
		      {
		        "mtty-1": {
		          "available_instances": 24,
		          "device_api": "vfio-pci",
		          "name": "Single port serial",
		          "description": "one port"
		        }
		      }
		    ]
		  }
		]
	EOF
}

test_types_of_one_parent() {
	two_parents
	for form in "-p $P2" "-p$P2" "-p=$P2" "--parent $P2" "--parent=$P2"; do
		# shellcheck disable=SC2086 # words are wanted
		run types $form
		expect_rc 0
		expect_out <<-EOF
			0000:00:06.0
			  mtty-1
			    Available instances: 24
			    Device API: vfio-pci
			    Name: Single port serial
			    Description: one port
		EOF
	done
}

test_types_of_unknown_parent() {
	two_parents
	run types -p 0000:00:07.0
	expect_rc 0
	expect_no_out
	run types -p 0000:00:07.0 --dumpjson
	expect_rc 0
	expect_json <<<'[]'
}

test_types_without_parents() {
	run types
	expect_rc 0
	expect_no_out
	expect_no_err
	run types --dumpjson
	expect_rc 0
	expect_json <<<'[]'
}

test_types_of_parent_without_types() {
	add_parent $P
	run types
	expect_rc 0
	expect_out <<<"$P"
	run types --dumpjson
	expect_json <<-EOF
		[
		  {
		    "$P": []
		  }
		]
	EOF
}

test_types_skips_what_vanished() {
	two_parents
	ln -s ../../devices/gone "$sys/class/mdev_bus/0000:00:01.0"
	mkdir -p "$sys/devices/pci0000:00/unregistered"
	ln -s ../../devices/pci0000:00/unregistered "$sys/class/mdev_bus/unregistered"
	mkdir "$(type_dir $P2 leaving)"
	run types --dumpjson
	expect_rc 0
	expect_no_err
	cp "$work/out" "$work/with"
	rm -r "$sys/class/mdev_bus/"{0000:00:01.0,unregistered} "$(type_dir $P2 leaving)"
	run types --dumpjson
	differ 'as if it had not been there' "$work/out" "$work/with"
}

test_types_bad_count() {
	two_parents
	for count in many 1x '' 99999999999999999999; do
		echo "$count" >"$(type_dir $P mgpu-4M)/available_instances"
		run types
		expect_rc 1
		expect_no_out
		expect_err <<<"Error: available_instances of type mgpu-4M on $P is not a number"
	done
}

test_types_largest_count() {
	add_parent $P
	add_type $P t 4294967295
	run types
	expect_has out 'Available instances: 4294967295'
}

test_types_unreadable_attribute() {
	two_parents
	rm "$(type_dir $P mgpu-4M)/device_api"
	mkdir "$(type_dir $P mgpu-4M)/device_api"
	run types
	expect_rc 1
	expect_no_out
	expect_err <<-EOF
		Error: Unable to read type mgpu-4M of parent $P

		Caused by:
		    Is a directory (os error 21)
	EOF
}

test_types_json_escapes() {
	add_parent $P
	add_type $P t 1 '  a/b "c" \d é  '
	printf 'x\ty\001\n' >"$(type_dir $P t)/description"
	run types --dumpjson
	expect_json <<-'EOF'
		[
		  {
		    "0000:00:05.0": [
		      {
		        "t": {
		          "available_instances": 1,
		          "device_api": "vfio-pci",
		          "name": "a/b \"c\" \\d é",
		          "description": "x\ty\u0001"
		        }
		      }
		    ]
		  }
		]
	EOF
}

# --- list ---

test_list_text() {
	three_instances
	for verbose in '' -v --verbose; do
		run list ${verbose:+"$verbose"}
		expect_rc 0
		expect_no_err
		expect_out <<-EOF
			$B $P mgpu-4M manual
			$D $P mgpu-8M manual
			$A $P2 mtty-1 manual
		EOF
	done
}

test_list_json() {
	three_instances
	run list --dumpjson -v
	expect_rc 0
	expect_no_err
	expect_json <<-EOF
		[
		  {
		    "$P": [
		      {
		        "$B": {
		          "mdev_type": "mgpu-4M",
		          "start": "manual",
		          "attrs": []
		        }
		      },
		      {
		        "$D": {
		          "mdev_type": "mgpu-8M",
		          "start": "manual",
		          "attrs": []
		        }
		      }
		    ],
		    "$P2": [
		      {
		        "$A": {
		          "mdev_type": "mtty-1",
		          "start": "manual",
		          "attrs": []
		        }
		      }
		    ]
		  }
		]
	EOF
}

test_list_uuid() {
	three_instances
	for form in $D "${D^^}" "{$D}" "urn:uuid:$D" "${D//-/}"; do
		run list -u "$form"
		expect_rc 0
		expect_out <<<"$D $P mgpu-8M manual"
	done
	run list --dumpjson --uuid=$D
	expect_rc 0
	expect_json <<-'EOF'
		{
		  "mdev_type": "mgpu-8M",
		  "start": "manual",
		  "attrs": []
		}
	EOF
}

test_list_nothing() {
	for state in 'no bus' 'empty bus' 'others only'; do
		[ "$state" = 'no bus' ] || mkdir -p "$sys/bus/mdev/devices"
		[ "$state" = 'others only' ] && three_instances
		run list -u $C
		expect_rc 0
		expect_no_out
		expect_no_err
		run list -u $C --dumpjson
		expect_rc 0
		expect_json <<<'[]'
		run list -p 0000:00:07.0 --dumpjson
		expect_rc 0
		expect_json <<<'[]'
	done
	rm -r "$sys/bus"
	run list
	expect_rc 0
	expect_no_out
	run list --dumpjson
	expect_json <<<'[]'
}

test_list_parent() {
	three_instances
	run list -vp $P2
	expect_rc 0
	expect_out <<<"$A $P2 mtty-1 manual"
	run list -u $A -p $P2
	expect_out <<<"$A $P2 mtty-1 manual"
	run list -u $A -p $P
	expect_rc 0
	expect_no_out
	run list -u $A -p $P --dumpjson
	expect_json <<<'[]'
}

test_list_skips_what_is_no_instance() {
	three_instances
	add_instance $P mgpu-4M $C
	rm "$sys/bus/mdev/devices/$C/mdev_type"
	ln -s ../../../devices/gone "$sys/bus/mdev/devices/44444444-4444-4444-8444-444444444444"
	ln -s ../../../devices/gone "$sys/bus/mdev/devices/not-a-uuid"
	run list
	expect_rc 0
	expect_no_err
	expect_out <<-EOF
		$B $P mgpu-4M manual
		$D $P mgpu-8M manual
		$A $P2 mtty-1 manual
	EOF
	run list -u $C
	expect_rc 0
	expect_no_out
}

test_list_skips_what_vanishes() {
	three_instances
	use_shim
	for gone in $D $D/mdev_type; do
		shim_run "SHIM_VANISH=$gone" -- list
		expect_rc 0
		expect_no_err
		expect_out <<-EOF
			$B $P mgpu-4M manual
			$A $P2 mtty-1 manual
		EOF
	done
}

test_list_unreadable_instance() {
	three_instances
	mkdir "$sys/bus/mdev/devices/$C"
	run list
	expect_rc 1
	expect_no_out
	expect_err <<-EOF
		Error: Unable to read mediated device $C

		Caused by:
		    Invalid argument (os error 22)
	EOF
}

test_list_many() {
	local i

	add_parent $P
	add_type $P t 1
	for i in {1..200}; do
		add_instance $P t "$(printf '%08x-0000-4000-8000-000000000000' $((i * 7919 % 211)))"
	done
	run list
	expect_rc 0
	expect_equal 200 "$(wc -l <"$work/out")" 'number of lines'
	sort -c "$work/out" || fail 'not sorted'
}

# --- start ---

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

test_start_does_not_ask_before() {
	two_parents
	use_shim
	shim_run -- start -u $C -p $P -t mgpu-16M
	expect_rc 0
	expect_log <<<"create 36 $C"
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

# --- stop ---

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

# --- command line ---

test_bad_uuids() {
	for uuid in '' ' ' x $A- "${A%1}" "${A}1" "${A/-/}" "{$A" "$A}" "{${A//-/}}" "urn:$A" "urn:uuid:{$A}" \
		"${A/1/g}" "${A//-/_}" " $A" "$A " 1111-11111111-4111-8111-111111111111 ../$A \
		"urn:uuid:${A//-/}" '11111111111111111111111111111111111x'; do
		for sub in list stop start; do
			expect_usage "Invalid value '$uuid' for '--uuid <UUID>': " $sub "--uuid=$uuid"
		done
	done
}

test_bad_names() {
	local long

	three_instances
	long=$(printf 'x%.0s' {1..256})
	for name in '' . .. / ../ ../x x/../y /etc "$P/" "$long"; do
		expect_usage "Invalid value '$name' for '--parent <PARENT>': " types --parent="$name"
		expect_usage "Invalid value '$name' for '--parent <PARENT>': " list -p "$name"
		expect_usage "Invalid value '$name' for '--parent <PARENT>': " start -p "$name" -t mgpu-4M
		expect_usage "Invalid value '$name' for '--type <TYPE>': " start -p $P -t "$name"
	done
	for name in ..x x.. ' ' '*' '%s%n' $'a\nb' "${long%x}"; do
		run types -p "$name"
		expect_rc 0
		expect_no_out
		run start -u $C -p "$name" -t "$name"
		expect_rc 1
		expect_has err 'Error: Unable to find parent device'
		run start -u $C -p $P -t "$name"
		expect_rc 1
		expect_has err "Error: Parent $P does not support mdev type "
	done
}

test_missing_options() {
	two_parents
	expect_usage "The argument '--uuid <UUID>' is required" stop
	expect_usage "At least one of '--uuid <UUID>' and '--parent <PARENT>' is required" start
	expect_usage "At least one of '--uuid <UUID>' and '--parent <PARENT>' is required" start -t mgpu-4M
}

test_missing_values() {
	expect_usage "The argument '--uuid <UUID>' requires a value but none was supplied" list -u
	expect_usage "The argument '--uuid <UUID>' requires a value but none was supplied" list --uuid
	expect_usage "The argument '--uuid <UUID>' requires a value but none was supplied" list -vu
	expect_usage "The argument '--parent <PARENT>' requires a value but none was supplied" list -p -v
	expect_usage "The argument '--parent <PARENT>' requires a value but none was supplied" list --parent -5
	expect_usage "The argument '--parent <PARENT>' requires a value but none was supplied" list -p --
	expect_usage "The argument '--root <DIR>' requires a value but none was supplied" --root
	run list --parent=-5
	expect_rc 0
	run list -p-5
	expect_rc 0
	run list -p -
	expect_rc 0
}

test_repeated_options() {
	expect_usage "The argument '--uuid <UUID>' was provided more than once" list -u $A -u $A
	expect_usage "The argument '--uuid <UUID>' was provided more than once" stop -u $A --uuid=$A
	expect_usage "The argument '--dumpjson' was provided more than once" list --dumpjson --dumpjson
	expect_usage "The argument '--verbose' was provided more than once" list -vv
	expect_usage "The argument '--parent <PARENT>' was provided more than once" types -p $P -p $P
	expect_usage "The argument '--type <TYPE>' was provided more than once" start -p $P -t a -t b
	expect_usage "The argument '--root <DIR>' was provided more than once" --root a --root b list
}

test_unknown_options() {
	expect_usage "Found argument '--foo' which wasn't expected" list --foo
	expect_usage "Found argument '--foo' which wasn't expected" list --foo=bar
	expect_usage "Found argument '-x' which wasn't expected" list -x
	expect_usage "Found argument '-x' which wasn't expected" list -vx
	expect_usage "Found argument '--foo' which wasn't expected" --foo list
	expect_usage "Found argument '-u' which wasn't expected" types -u $A
	expect_usage "Found argument '--root' which wasn't expected" list --root /
	expect_usage "Found argument '-V' which wasn't expected" stop -V
	expect_usage "Found argument '--Uuid' which wasn't expected" list --Uuid $A
	expect_usage "Found argument '--' which wasn't expected" list --=x
	expect_usage "The argument '--dumpjson' takes no value" list --dumpjson=yes
}

test_no_abbreviations() {
	expect_usage "Found argument '--uui' which wasn't expected" list --uui $A
	expect_usage "Found argument '--dump' which wasn't expected" list --dump
	expect_usage "Found argument '--uuids' which wasn't expected" list --uuids $A
	expect_usage "Found argument '--hel' which wasn't expected" list --hel
	expect_usage "The subcommand 'lis' wasn't recognized" lis
}

test_operands() {
	expect_usage "Found argument 'foo' which wasn't expected" list foo
	expect_usage "Found argument '$A' which wasn't expected" stop $A
	expect_usage "Found argument '' which wasn't expected" list ''
	expect_usage "Found argument '-' which wasn't expected" list -
	expect_usage "Found argument '--dumpjson' which wasn't expected" list -- --dumpjson
	expect_usage "Found argument 'stop' which wasn't expected" help list stop
	run -- list
	expect_rc 0
}

test_unknown_subcommand() {
	for name in bogus '' List --; do
		[ "$name" = -- ] || expect_usage "The subcommand '$name' wasn't recognized" "$name"
		expect_usage "The subcommand '$name' wasn't recognized" help -- "$name"
	done
	expect_usage "The subcommand 'define' wasn't recognized" define -u $A
}

test_no_subcommand() {
	for args in '' --; do
		run ${args:+"$args"}
		expect_rc 2
		expect_no_out
		expect_has err 'Usage: mdev-ctl [--root <DIR>] <COMMAND> [OPTIONS]'
		expect_has err '  types   List the types'
	done
}

test_help() {
	run --help
	expect_rc 0
	expect_no_err
	cp "$work/out" "$work/program"
	for form in -h help; do
		run $form
		expect_rc 0
		differ help "$work/program" "$work/out"
	done
	for sub in list start stop types; do
		expect_equal 1 "$(grep -c "^  $sub  *[A-Z]" "$work/program")" "lines on $sub"
		run help $sub
		expect_rc 0
		expect_no_err
		expect_has out "Usage: mdev-ctl $sub "
		cp "$work/out" "$work/sub"
		for form in -h --help; do
			run $sub $form
			expect_rc 0
			differ help "$work/sub" "$work/out"
		done
	done
	run help help
	expect_has out 'Usage: mdev-ctl help [COMMAND]'
}

test_help_wins() {
	for args in 'stop --help' 'start -t x -h' 'list -u bad -h' 'list -u bad --help' 'list -vvh' 'list -u x -u x -h' \
		'list -h --foo' 'list -hx' 'list -h foo' '--help bogus' '--root / -h' '-h --bogus'; do
		# shellcheck disable=SC2086 # words are wanted
		run $args
		expect_rc 0
		expect_no_err
		expect_has out 'Usage: mdev-ctl'
	done
	expect_usage "Found argument '--foo'" list --foo --help
}

test_version() {
	run -V
	expect_rc 0
	cp "$work/out" "$work/version"
	[[ $(cat "$work/out") =~ ^mdev-ctl\ [0-9.]+$ ]] || fail "version: $(cat "$work/out")"
	run --version
	differ version "$work/version" "$work/out"
	run list -V
	expect_rc 0
	expect_out < <(sed 's/mdev-ctl/mdev-ctl-list/' "$work/version")
}

# --- root ---

test_root_option_beats_environment() {
	three_instances
	mkdir -p "$work/other/sys"
	for form in "--root $root" "--root=$root" "--root $root/" "--root $root --"; do
		# shellcheck disable=SC2086 # words are wanted
		MDEV_CTL_ROOT=$work/other run $form list -u $A
		expect_rc 0
		expect_out <<<"$A $P2 mtty-1 manual"
	done
	MDEV_CTL_ROOT=$work/other run list
	expect_rc 0
	expect_no_out
	cd "$work" || return
	run --root root list -u $A
	expect_out <<<"$A $P2 mtty-1 manual"
}

test_root_missing() {
	local long

	long=$(printf '/x%.0s' {1..3000})
	for args in list types "start -p $P -t t" "stop -u $A" 'list --dumpjson' 'types --dumpjson'; do
		for dir in "$work/none" "$work/root/file" "$long"; do
			: >"$work/root/file"
			# shellcheck disable=SC2086 # words are wanted
			run --root "$dir" $args
			expect_rc 1
			expect_no_out
			expect_err <<-EOF
				Error: Unable to find sysfs in '$dir/sys'

				Hint: --root or MDEV_CTL_ROOT moves the tool away from /sys; leave both out to use the system's.
			EOF
		done
	done
	expect_usage "Invalid value '' for '--root <DIR>': the directory is empty" --root= list
	expect_usage "Invalid value '' for '--root <DIR>': the directory is empty" --root '' list
}

# --- output ---

test_output_full() {
	three_instances
	for args in list 'list --dumpjson' types 'types --dumpjson' help --help --version 'list -h'; do
		last="mdev-ctl $args >/dev/full"
		# shellcheck disable=SC2086 # words are wanted
		"$MDEV_CTL" $args >/dev/full 2>"$work/err"
		rc=$?
		expect_rc 1
		expect_err <<-EOF
			Error: Unable to write the output

			Caused by:
			    No space left on device (os error 28)
		EOF
	done
	last='mdev-ctl list -u >/dev/full'
	"$MDEV_CTL" list -u $C >/dev/full 2>"$work/err"
	rc=$?
	expect_rc 0
}

test_output_pipe_closed() {
	three_instances
	last='mdev-ctl list | true'
	{
		sleep 0.2
		"$MDEV_CTL" list 2>"$work/err"
		echo $? >"$work/rc"
	} | true
	rc=$(cat "$work/rc")
	expect_rc 1
	expect_has err 'Broken pipe (os error 32)'
}

test_output_closed() {
	three_instances
	last='mdev-ctl list >&-'
	"$MDEV_CTL" list >&- 2>"$work/err"
	rc=$?
	expect_rc 1
	expect_has err 'Bad file descriptor (os error 9)'
}

test_messages_do_not_reach_sysfs() {
	three_instances
	use_shim
	for fds in '>&-' '2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		rm -f "$work/log"
		last="mdev-ctl start $fds"
		eval "SHIM_ERRNO=$EBUSY SHIM_LOG=$work/log LD_PRELOAD=$work/shim.so" \
			"\"\$MDEV_CTL\" start -p $P -t mgpu-4M $fds" 2>/dev/null
		rc=$?
		expect_rc 1
		expect_equal 1 "$(wc -l <"$work/log")" 'writes to sysfs'
	done
}

# --- documentation ---

test_man_page() {
	local page=$here/../../mdev-ctl/mdev-ctl.8 option

	last='man page'
	for sub in '' list start stop types; do
		run ${sub:+"$sub"} --help
		while read -r option; do
			grep -qF -e "${option//-/\\-}" "$page" || fail "man page lacks $option of '$sub'"
		done < <(grep -o -e ' --[a-z]*' "$work/out" | sort -u | tr -d ' ')
	done
	grep -q "$("$MDEV_CTL" -V | cut -d' ' -f2)" "$page" || fail 'man page is of another version'
	command -v man >/dev/null || skip 'no man'
	man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$work/err" >/dev/null
	expect_no_err
}

tap_main "$@"
