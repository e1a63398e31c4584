#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests mdev-ctl on a real sysfs, as root, with a parent that runs the mgpu driver.
#
#	LAB_PARENT=0000:00:05.0 real_test.sh [NAME..]
#
# LAB_PARENT	the parent, registered, with types mgpu-4M, mgpu-8M and mgpu-16M
# LAB_MDEV_CORE	"kernel" if mdev.ko is the kernel's own, whose `remove` waits for the user of a device
# MDEV_CTL	another binary
#
# Only what a test has started is stopped, whatever the outcome. Devices that are there before stay, and are in the
# way of nothing as long as one of each type can still be made.

# shellcheck source=tools/testing/cli/ctl.sh
. "$(dirname "$0")/ctl.sh"

A=a0000000-0000-4000-8000-00000000000a
B=b0000000-0000-4000-8000-00000000000b
sysfs=/sys/class/mdev_bus/$LAB_PARENT/mdev_supported_types
devices=/sys/bus/mdev/devices
started=$work/started

stop_started() {
	local uuid

	[ -e "$started" ] || return 0
	while read -r uuid; do
		[ ! -e "$devices/$uuid" ] || echo 1 >"$devices/$uuid/remove"
	done <"$started"
	rm "$started"
}
trap 'stop_started; rm -rf "$work"' EXIT

setup() {
	stop_started
	if [ "$(id -u)" -ne 0 ] || [ ! -d "${LAB_PARENT:+$sysfs}" ]; then
		skip 'needs root, and LAB_PARENT to be a registered parent'
	fi
}

# start TYPE UUID
start() {
	echo "$2" >>"$started"
	run start -u "$2" -p "$LAB_PARENT" -t "$1"
}

available() { cat "$sysfs/$1/available_instances"; }
link_name() { basename "$(readlink "$1")"; }

# query EXPRESSION: prints EXPRESSION of the JSON j in $work/out
query() {
	python3 -c "import json, sys; j = json.load(sys.stdin); print($1)" <"$work/out" 2>&1
}

expect_valid_json() {
	if command -v python3 >/dev/null; then
		python3 -m json.tool "$work/out" >/dev/null 2>"$work/why" || fail "$last: $(cat "$work/why")"
	else
		skip 'no python3'
	fi
}

test_types_text() {
	run types -p "$LAB_PARENT"
	expect_rc 0
	expect_no_err
	expect_equal "$LAB_PARENT" "$(head -n 1 "$work/out")" 'first line'
	for type in mgpu-4M mgpu-8M mgpu-16M; do
		expect_has out "  $type"
		expect_equal "    Available instances: $(available $type)" \
			"$(grep -x -A 1 "  $type" "$work/out" | tail -n 1)" 'count'
	done
	expect_equal "$(find "$sysfs" -mindepth 1 -maxdepth 1 | wc -l)" \
		"$(grep -cx '    Device API: vfio-pci' "$work/out")" 'number of types'
	cp "$work/out" "$work/one"
	run types
	expect_rc 0
	expect_equal 1 "$(grep -cx "$LAB_PARENT" "$work/out")" 'parent among all'
}

test_types_json() {
	run types --dumpjson
	expect_rc 0
	expect_no_err
	expect_valid_json
	for type in mgpu-4M mgpu-8M mgpu-16M; do
		expect_equal "$(available $type) vfio-pci $(cat "$sysfs/$type/name")" \
			"$(query "next('%d %s %s' % (t['$type']['available_instances'], t['$type']['device_api'],
				t['$type'].get('name', '')) for t in j[0]['$LAB_PARENT'] if '$type' in t)")" $type
	done
}

test_start_list_stop() {
	local before

	before=$(available mgpu-4M)
	start mgpu-4M $A
	expect_rc 0
	expect_no_out
	expect_no_err
	expect_equal mgpu-4M "$(link_name $devices/$A/mdev_type)" 'type in sysfs'
	[ "$(available mgpu-4M)" -lt "$before" ] || fail 'available_instances has not gone down'

	run list
	expect_rc 0
	expect_equal 1 "$(grep -cx "$A $LAB_PARENT mgpu-4M manual" "$work/out")" 'lines on it in the listing'
	for form in $A ${A^^} "{$A}"; do
		run list -u "$form" -p "$LAB_PARENT"
		expect_rc 0
		expect_out <<<"$A $LAB_PARENT mgpu-4M manual"
	done

	run stop -u $A
	expect_rc 0
	expect_no_out
	expect_no_err
	[ ! -e $devices/$A ] || fail 'it is still in sysfs'
	expect_equal "$before" "$(available mgpu-4M)" 'available_instances'
	run list -u $A
	expect_rc 0
	expect_no_out
}

test_start_upper_case() {
	start mgpu-4M $A
	run stop -u ${A^^}
	expect_rc 0
	run start -u "{${A^^}}" -p "$LAB_PARENT" -t mgpu-4M
	expect_rc 0
	run list -u $A
	expect_out <<<"$A $LAB_PARENT mgpu-4M manual"
}

test_start_random() {
	local uuid

	run start -p "$LAB_PARENT" -t mgpu-4M
	expect_rc 0
	uuid=$(cat "$work/out")
	echo "$uuid" >>"$started"
	[[ $uuid =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$ ]] ||
		fail "not a version 4 UUID: $uuid"
	run list -u "$uuid"
	expect_out <<<"$uuid $LAB_PARENT mgpu-4M manual"
}

test_list_json() {
	start mgpu-4M $B
	start mgpu-4M $A
	run list --dumpjson
	expect_rc 0
	expect_valid_json
	expect_equal "{'mdev_type': 'mgpu-4M', 'start': 'manual', 'attrs': []}" \
		"$(query "next(d['$A'] for d in j[0]['$LAB_PARENT'] if '$A' in d)")" "$A"
	expect_equal True "$(query "(lambda u: u == sorted(u) and '$A' in u and '$B' in u)(
		[list(d)[0] for d in j[0]['$LAB_PARENT']])")" 'both there and sorted'
	run list --dumpjson -u $A
	expect_valid_json
	expect_json <<-'EOF'
		{
		  "mdev_type": "mgpu-4M",
		  "start": "manual",
		  "attrs": []
		}
	EOF
}

test_start_taken() {
	local before

	start mgpu-4M $A
	before=$(available mgpu-4M)
	run start -u $A -p "$LAB_PARENT" -t mgpu-4M
	expect_rc 1
	expect_no_out
	expect_err <<-EOF
		Error: Device already exists

		Caused by:
		    File exists (os error 17)

		Hint: $A is active on $LAB_PARENT with type mgpu-4M. Use it, stop it, or choose another UUID.
	EOF
	run start -u ${A^^} -p "$LAB_PARENT" -t mgpu-8M
	expect_rc 1
	expect_has err 'Error: Device exists with different type'
	expect_equal "$before" "$(available mgpu-4M)" 'available_instances'
}

test_start_unknown() {
	run start -u $A -p "$LAB_PARENT" -t mgpu-5M
	expect_rc 1
	expect_has err "Error: Parent $LAB_PARENT does not support mdev type mgpu-5M"
	run start -u $A -p ffff:ff:1f.7 -t mgpu-4M
	expect_rc 1
	expect_has err "Error: Unable to find parent device 'ffff:ff:1f.7'"
	run start -u $A -p "../mdev_bus/$LAB_PARENT" -t mgpu-4M
	expect_rc 2
	[ ! -e $devices/$A ] || fail 'it was started'
}

# Fills the parent with TYPE; $count is the number started, $rc and the outputs are those of the one that failed.
fill() {
	count=0
	while [ $count -lt 1000 ]; do
		start "$1" "$(printf 'f0000000-0000-4000-8000-%012x' $count)"
		[ "$rc" -eq 0 ] || break
		count=$((count + 1))
	done
}

expect_exhausted() {
	expect_rc 1
	expect_no_out
	expect_equal "Error: No available instances of $1 on $LAB_PARENT" "$(head -n 1 "$work/err")" 'first line'
	grep -qxE '    .* \(os error (28|87)\)' "$work/err" || fail 'neither ENOSPC nor EUSERS is named'
	expect_has err "Hint: Stop a device on $LAB_PARENT that is not needed"
}

test_fill_and_stop_all() {
	local before

	for type in mgpu-4M mgpu-8M mgpu-16M; do
		before=$(available $type)
		fill $type
		expect_exhausted $type
		expect_equal "$before" $count "number of $type, as available_instances had promised"
		run types -p "$LAB_PARENT"
		expect_equal '    Available instances: 0' "$(grep -x -A 1 "  $type" "$work/out" | tail -n 1)" "$type left"
		run list -p "$LAB_PARENT"
		expect_equal $count "$(grep -c "^f0000000-.* $type manual$" "$work/out")" "number of $type listed"

		while read -r uuid; do
			[ -e "$devices/$uuid" ] || continue
			run stop -u "$uuid"
			expect_rc 0
		done <"$started"
		expect_equal "$before" "$(available $type)" 'available_instances after stopping all'
		rm -f "$started"
	done
}

# The error has the driver's own words.
test_start_says_the_kernels_reason() {
	fill mgpu-8M
	grep -qE '^    0: mgpu .*: no 8 MiB of VRAM: ' "$work/err" || fail "the kernel's reason is missing: $(cat "$work/err")"
}

# The same system, but for definitions and scripts, which are our own
own_root() {
	mkdir -p "$work/own/etc/mdevctl.d" "$work/own"/usr/lib/mdevctl/scripts.d/{callouts,notifiers}
	ln -sfn /sys /proc /dev "$work/own/"
	export MDEV_CTL_ROOT=$work/own
}

test_define_start_stop_undefine() {
	own_root
	echo $A >>"$started"
	run define -u $A -p "$LAB_PARENT" -t mgpu-4M --auto
	expect_rc 0
	expect_no_out
	run list -d
	expect_out <<<"$A $LAB_PARENT mgpu-4M auto"
	run start -u $A
	expect_rc 0
	expect_no_out
	run list
	expect_has out "$A $LAB_PARENT mgpu-4M auto (defined)"
	run list -d
	expect_out <<<"$A $LAB_PARENT mgpu-4M auto (active)"
	run start-parent-mdevs "$LAB_PARENT"
	expect_rc 0
	expect_err <<<"$A: is active already"
	run stop -u $A
	expect_rc 0
	run start-parent-mdevs "$LAB_PARENT"
	expect_rc 0
	expect_err <<<"$A: started"
	[ -e $devices/$A ] || fail 'there is no device'
	run undefine -u $A
	expect_rc 0
	run list -u $A
	expect_out <<<"$A $LAB_PARENT mgpu-4M manual"
	run define -u $A
	expect_rc 0
	run list -d
	expect_out <<<"$A $LAB_PARENT mgpu-4M manual (active)"
}

# One that cannot be written: the device is removed again.
test_attributes() {
	local before

	own_root
	before=$(available mgpu-4M)
	run define -u $A -p "$LAB_PARENT" -t mgpu-4M
	run modify -u $A --addattr vpci/nothing --value 1
	run start -u $A
	expect_rc 1
	expect_has err "Error: Invalid attribute 'vpci/nothing'"
	[ ! -e $devices/$A ] || fail 'the device is there'
	expect_equal "$before" "$(available mgpu-4M)" 'available_instances'
	run modify -u $A --delattr
	run modify -u $A --addattr mgpu/vram_size --value 1
	run start -u $A
	expect_rc 1
	expect_has err 'Error: Failed to write 1 to attribute mgpu/vram_size'
	[ ! -e $devices/$A ] || fail 'the device is there'
}

# Many of them at once: each device is started by one of them, and all are gone in the end.
test_concurrent_start_and_stop() {
	local before i

	own_root
	before=$(available mgpu-4M)
	for i in 0 1 2; do echo "f0000000-0000-4000-8000-00000000000$i" >>"$started"; done
	for i in 0 1 2 0 1 2; do
		(
			for _ in {1..5}; do
				"$MDEV_CTL" start -u f0000000-0000-4000-8000-00000000000$i -p "$LAB_PARENT" -t mgpu-4M && echo started
				"$MDEV_CTL" stop -u f0000000-0000-4000-8000-00000000000$i && echo stopped
			done
		) >>"$work/results" 2>>"$work/concurrent" &
	done
	wait
	for i in 0 1 2; do "$MDEV_CTL" stop -u f0000000-0000-4000-8000-00000000000$i 2>/dev/null && echo stopped >>"$work/results"; done
	expect_equal "$(grep -c started "$work/results")" "$(grep -c stopped "$work/results")" 'starts and stops'
	expect_equal "$before" "$(available mgpu-4M)" 'available_instances'
}

test_stats() {
	start mgpu-4M $A
	run stats -u $A --json
	expect_rc 0
	expect_valid_json
	expect_equal "$LAB_PARENT mgpu-4M True" \
		"$(query "j[0]['parent'], j[0]['type'], j[0]['counters'] == {n: int(open('$devices/$A/vpci/' + n).read()) for n in __import__('os').listdir('$devices/$A/vpci')}" | tr -d "(),'")" counters
	run stats
	expect_has out "$A "
}

test_doctor() {
	start mgpu-4M $A
	modprobe vfio_iommu_type1 2>/dev/null
	run doctor --json
	expect_valid_json
	expect_equal '[]' "$(query "[r for r in j if r['status'] == 'failed']")" 'what does not work'
	expect_rc 0
	run doctor
	grep -qF "parent: $LAB_PARENT, driver mgpu, " "$work/out" || fail 'the parent is missing'
}

test_stop_again() {
	start mgpu-4M $A
	run stop -u $A
	expect_rc 0
	for _ in 1 2; do
		run stop -u $A
		expect_rc 1
		expect_no_out
		expect_err <<-EOF
			Error: No active mediated device $A

			Hint: 'mdev-ctl list' shows the active ones.
		EOF
	done
	start mgpu-4M $A
	expect_rc 0
}

test_start_and_stop_often() {
	local before i

	before=$(available mgpu-4M)
	for i in {1..5}; do
		start mgpu-4M $A
		expect_rc 0
		run stop -u $A
		expect_rc 0
	done
	expect_equal "$before" "$(available mgpu-4M)" "available_instances after $i times"
}

# Listings must neither fail nor show half a device while devices come and go.
test_list_while_others_come_and_go() {
	local i churn

	echo $A >>"$started"
	(
		while [ ! -e "$work/enough" ]; do
			echo $A >"$sysfs/mgpu-4M/create"
			echo 1 >$devices/$A/remove
		done
	) 2>/dev/null &
	churn=$!
	for i in {1..10}; do
		run list
		expect_rc 0
		expect_no_err
		grep -vqE '^[0-9a-f-]{36} [^ ]+ [^ ]+ manual$' "$work/out" && fail "$i: $(cat "$work/out")"
		run types --dumpjson
		expect_rc 0
		expect_no_err
	done
	: >"$work/enough"
	wait $churn
	rm "$work/enough"
}

# Opens device $1 as a VMM does, says so, and keeps it until stdin is closed.
hold_device() {
	exec python3 -c '
import fcntl, os, sys
VFIO_SET_IOMMU, VFIO_GROUP_SET_CONTAINER, VFIO_GROUP_GET_DEVICE_FD = 0x3b66, 0x3b68, 0x3b6a
VFIO_TYPE1v2_IOMMU = 3
uuid = sys.argv[1]
number = os.path.basename(os.readlink("/sys/bus/mdev/devices/%s/iommu_group" % uuid))
container = os.open("/dev/vfio/vfio", os.O_RDWR)
group = os.open("/dev/vfio/" + number, os.O_RDWR)
fcntl.ioctl(group, VFIO_GROUP_SET_CONTAINER, container.to_bytes(4, sys.byteorder))
fcntl.ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)
fcntl.ioctl(group, VFIO_GROUP_GET_DEVICE_FD, uuid.encode() + b"\0")
print("held", flush=True)
sys.stdin.read()
' "$1"
}

# Starts device A and a process that has it open: $holder, until let_go is called
start_held() {
	local held='' in

	command -v python3 >/dev/null || skip 'no python3'
	modprobe vfio_iommu_type1 2>/dev/null
	[ -e /dev/vfio/vfio ] || skip 'no legacy VFIO container'

	start mgpu-4M $A
	coproc HOLDER { hold_device $A 2>"$work/holder"; }
	in=${HOLDER[0]} out=${HOLDER[1]} holder=$HOLDER_PID
	read -r -t 30 held <&"$in" && [ "$held" = held ] && return
	fail "the device could not be opened: $(tail -n 1 "$work/holder")"
	return 1
}

let_go() {
	exec {out}>&-
	wait "$holder"
}

test_stop_in_use() {
	[ "$LAB_MDEV_CORE" != kernel ] || skip "the kernel's own core lets remove wait"
	start_held || return
	last="mdev-ctl stop -u $A"
	timeout 20 "$MDEV_CTL" stop -u $A >"$work/out" 2>"$work/err"
	rc=$?
	expect_rc 1
	expect_no_out
	expect_has err "Error: Error removing device $A"
	grep -qxE "    0: mgpu $A: in use by python3 \(pid $holder\), which .*" "$work/err" || fail "the kernel's reason is missing"
	expect_has err '    1: Device or resource busy (os error 16)'
	expect_has err "Hint: Process $holder (python3) has it open. End it, and try again."
	run who $A
	expect_rc 0
	expect_out <<<"$holder python3 -"
	last="mdev-ctl stop -u $A --timeout 2"
	timeout 20 "$MDEV_CTL" stop -u $A --timeout 2 >"$work/out" 2>"$work/err"
	rc=$?
	expect_rc 1
	expect_has err "Error: Error removing device $A: it is still in use after 2 s"
	run list -u $A
	expect_out <<<"$A $LAB_PARENT mgpu-4M manual"

	let_go
	run stop -u $A
	expect_rc 0
}

# The parent is unbound under a device that is open, and bound again: what is left says who has it.
test_shell() {
	local driver end=$((SECONDS + 60))

	[ "$LAB_MDEV_CORE" != kernel ] || skip "the kernel's own core waits until the device is closed"
	driver=$(readlink -f "/sys/class/mdev_bus/$LAB_PARENT/driver")
	start_held || return
	echo "$LAB_PARENT" >"$driver/unbind"
	[ -e $devices/$A ] || fail 'nothing is left'
	for parent in gone back; do
		run list -u $A
		expect_out <<<"$A - - manual (shell)"
		run list
		expect_has out "$A - - manual (shell)"
		run list --dumpjson -u $A
		expect_json <<<'[]'
		run who $A
		expect_out <<<"$holder python3 -"
		run stats -u $A --json
		expect_equal 'None None' "$(query "j[0]['parent'], j[0]['type']" | tr -d '(,)')" 'parent and type'
		run doctor
		expect_has out "device: $A is open, although its parent has gone"
		run stop -u $A
		expect_rc 1
		expect_has err "Error: Device $A cannot be stopped any more: its parent has gone"
		if [ $parent = gone ]; then
			echo "$LAB_PARENT" >/sys/bus/pci/drivers_probe
			continue
		fi
		run start -u $A -p "$LAB_PARENT" -t mgpu-4M
		expect_rc 1
		expect_has err "Error: Device $A is still open, although its parent has gone"
	done
	let_go
	# the kernel looks once a second
	while [ -e $devices/$A ] && ((SECONDS < end)); do sleep 0.1; done
	run start -u $A -p "$LAB_PARENT" -t mgpu-4M
	expect_rc 0
}

tap_main "$@"
