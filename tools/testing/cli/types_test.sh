#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests 'mdev-ctl types' on a fake sysfs.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

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
	expect_has out "$P2"
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

tap_main "$@"
