#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests 'mdev-ctl list' on a fake sysfs.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

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

tap_main "$@"
