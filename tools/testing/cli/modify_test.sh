#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests 'mdev-ctl modify' of definitions; --live is in callout_test.sh.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

attrs() { python3 -c 'import json,sys; print(*("%s=%s" % kv for d in json.load(open(sys.argv[1]))["attrs"] for kv in d.items()))' "$(etc)/$P/$D"; }
start() { sed -n 's/.*"start": "\(.*\)",/\1/p' "$(etc)/$P/$D"; }

test_modify_start() {
	use_etc
	definition $P $D t manual "$(attr a 1)"
	run modify -u $D --auto
	expect_rc 0
	expect_no_out
	expect_no_err
	expect_definition $P $D <<-'EOF'
		{
		  "mdev_type": "t",
		  "start": "auto",
		  "attrs": [
		    {
		      "a": "1"
		    }
		  ]
		}
	EOF
	run modify --uuid $D --auto
	expect_equal auto "$(start)"
	run modify --uuid ${D^^} -m -t other -p $P --defined
	expect_equal manual "$(start)"
	expect_has "root/etc/mdevctl.d/$P/$D" '"mdev_type": "other"'
}

test_modify_attrs() {
	use_etc
	definition $P $D t manual
	run modify -u $D --delattr
	expect_rc 0
	run modify -u $D --delattr -i 0
	expect_rc 1
	expect_has err 'Error: Attribute index 0 is invalid'
	expect_has err "Device $D has no attributes"
	while read -r want args; do
		# shellcheck disable=SC2086 # words are wanted
		run modify -u $D $args
		expect_rc 0
		expect_no_err
		expect_equal "${want//,/ }" "$(attrs)" "attributes after $args"
	done <<-EOF
		a=1 --addattr a --value 1
		a=1,b=2 --addattr=b --value=2
		c=-3,a=1,b=2 --addattr c --value=-3 -i 0
		c=-3,a=1,a=x,b=2 --addattr a --value x --index 2
		c=-3,a=1,a=x,b=2,z= --addattr z --value= --index 4
		c=-3,a=x,b=2,z= --delattr -i1
		c=-3,a=x,b=2 --delattr
		a=x,b=2 --delattr --index=0
	EOF
	for args in '--addattr d --value 1 -i 3' '--delattr -i 2' '--delattr -i 4294967295'; do
		# shellcheck disable=SC2086 # words are wanted
		run modify -u $D $args
		expect_rc 1
		expect_has err 'Error: Attribute index '
		expect_equal 'a=x b=2' "$(attrs)" attributes
	done
}

test_modify_keeps_rights() {
	use_etc
	definition $P $D t manual
	chmod 604 "$(etc)/$P/$D"
	run modify -u $D -a
	expect_equal 604 "$(stat -c %a "$(etc)/$P/$D")" mode
}

test_modify_drops_unknown_keys() {
	use_etc
	mkdir "$(etc)/$P"
	echo '{"x":1,"start":"auto","mdev_type":"t"}' >"$(etc)/$P/$D"
	run modify -u $D -a
	expect_definition $P $D <<-'EOF'
		{
		  "mdev_type": "t",
		  "start": "auto",
		  "attrs": []
		}
	EOF
}

test_modify_not_defined() {
	use_etc
	run modify -u $D -a
	expect_rc 1
	expect_has err "Error: Mediated device $D is not defined"
	run modify -u $D -p $P -a
	expect_rc 1
	expect_has err "Error: Mediated device $P/$D is not defined"
	definition $P $D t manual
	definition $P2 $D t manual
	run modify -u $D -a
	expect_rc 1
	expect_has err "Error: Multiple definitions found for $D, specify a parent"
	run modify -u $D -p $P -a
	expect_rc 0
	expect_equal auto "$(start)"
}

# It writes the file whether or not there is one.
test_modify_jsonfile() {
	use_etc
	echo '{"mdev_type":"t","start":"auto"}' >"$work/json"
	for _ in 1 2; do
		run modify --parent=$P --jsonfile="$work/json" --uuid=$D --defined
		expect_rc 0
		expect_definition $P $D <<-'EOF'
			{
			  "mdev_type": "t",
			  "start": "auto",
			  "attrs": []
			}
		EOF
	done
	run modify --jsonfile "$work/json" -u $D
	expect_rc 1
	expect_has err 'Error: Parent device required to modify device via json file'
	cp "$(etc)/$P/$D" "$work/before"
	echo '{"mdev_type":"t","start"' >"$work/json"
	run modify -p $P --jsonfile "$work/json" -u $D
	expect_rc 1
	differ 'the file' "$work/before" "$(etc)/$P/$D"
}

test_modify_usage() {
	local args

	use_etc
	definition $P $D t manual
	cp "$(etc)/$P/$D" "$work/before"
	while read -r args; do
		# shellcheck disable=SC2086 # words are wanted
		run modify $args
		expect_rc 2
		expect_no_out
		expect_has err 'error: '
	done <<-EOF
		--auto
		-u $D
		-u $D -t t
		-u $D --defined
		-u $D --auto --manual
		-u $D -a --addattr x --value 1
		-u $D -a --delattr
		-u $D -a --jsonfile x
		-u $D --addattr x
		-u $D --value 1
		-u $D --addattr x --value 1 --delattr
		-u $D --delattr --value 1
		-u $D -a -i 0
		-u $D -m --value 1
		-u $D --jsonfile x -t t
		-u $D --jsonfile x -i 1
		-u $D --jsonfile x --value 1
		-u $D --live
		-u $D --live --jsonfile x -t t
		-u $D --live --addattr x --value 1
		-u $D --live --delattr -i 1
		-u $D --delattr -i -1
		-u $D --delattr -i x
		-u $D --delattr --index=4294967296
		-u $D --delattr --index=
		-u $D --addattr x --value -5
		-u $D --addattr ../x --value 1
		-u $D --addattr /x --value 1
		-u $D --addattr= --value 1
		-u $D -p ../x -a
		-u $D -p . -a
	EOF
	differ 'the definition' "$work/before" "$(etc)/$P/$D"
}

# Up to the largest file that can be read, byte by byte, and never one that cannot
test_modify_size_limit() {
	local room

	use_etc
	definition $P $D t auto "$(attr a x)"
	room=$((1048576 - 2 - $(stat -c %s "$(etc)/$P/$D") + 1))
	for size in $((room - 1)) $room $((room + 1)) $((room + 40)); do
		{
			printf '{"mdev_type":"t","start":"auto","attrs":[{"a":"'
			head -c "$size" /dev/zero | tr '\0' x
			printf '"}]}'
		} >"$work/json"
		run modify -u $D -p $P --jsonfile "$work/json"
		if ((size <= room)); then
			expect_rc 0
		else
			expect_rc 1
			expect_has err 'File too large (os error 27)'
		fi
		run list -d -u $D
		expect_rc 0
		expect_no_err
		expect_out <<<"$D $P t auto"
	done
	expect_equal 1048574 "$(stat -c %s "$(etc)/$P/$D")" 'size in the end'
}

# libvirt looks whether this works.
test_modify_probe() {
	run modify --defined --live --jsonfile b --help
	expect_rc 0
	expect_no_err
}

tap_main "$@"
