#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is to be seen, in the lab VM: the screens that the guests' QEMUs show, and
# the screen of the physical adapter, compared pixel by pixel with what the guests
# have drawn.
#
#   screen_test.sh FBDRAW [NAME...]    FBDRAW: the program that knows the pictures

set -u

fbdraw=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
nested=$here/../lab/nested.sh
qmp=$here/../lab/qmp.py
types=/sys/class/mdev_bus/$LAB_PARENT/mdev_supported_types
limit=120

last=screen

# A guest's name is the letter that it draws.
declare -A uuid=([K]=dddddddd-9e57-4c11-8c11-000000000001
		 [L]=dddddddd-9e57-4c11-8c11-000000000002
		 [ramfb]=dddddddd-9e57-4c11-8c11-000000000003)
declare -A size=([K]=8M [L]=4M [ramfb]=4M)
declare -A mode=([K]=1024x768 [L]=640x480)

instance() { echo "/sys/bus/mdev/devices/${uuid[$1]}"; }

create() { echo "${uuid[$1]}" > "$types/mgpu-${size[$1]}/create"; }

start_guest() {
	create "$1" && echo "${mode[$1]}" > "$(instance "$1")/display/resolution" &&
		"$nested" start "$1" -- -device "vfio-pci,sysfsdev=$(instance "$1"),display=on" &&
		"$nested" wait "$1" ready 300
}

scan_out() { echo "$2" > "$(instance "$1")/display/scanout" || fail "scanout of $1: $2"; }

# screendump of a guest's QEMU, or of the lab VM's: "physical"
dump_of() {
	local file=$LAB_OUT/screen_$1.ppm

	rm -f "$file"
	if [[ $1 == physical ]]; then
		"$qmp" "$LAB_QMP" screendump "{\"device\": \"physical\", \"filename\": \"$file\"}" > /dev/null
	else
		"$nested" qmp "$1" screendump "{\"filename\": \"$file\"}" > /dev/null
	fi || fail "screendump of $1"
	echo "$file"
}

# until_seen COMMAND...: what a driver copies to the screen comes a little later
until_seen() {
	local end=$((SECONDS + limit))
	until "$@" > "$work/seen" 2>&1; do
		((SECONDS < end)) || { fail "$*: $(<"$work/seen")"; return; }
		read -rt 0.1 <> <(:)
	done
}

shows() { "$fbdraw" ppm "$2" "$(dump_of "$1")" | grep -x "match ${mode[$2]}"; }

# Every byte behind the three lines of the header is zero
is_black() {
	local file
	file=$(dump_of "$1")
	[[ $(tail -n +4 "$file" | tr -d '\0' | wc -c) == 0 && $(tail -n +4 "$file" | wc -c) -gt 0 ]]
}

draw() { "$nested" cmd "$1" --time-limit 120 "fbdraw draw $1" || fail "draw $1"; }

has_screen() { [[ -e /sys/bus/pci/devices/$LAB_PARENT ]]; }
need_screen() { has_screen || skip 'the parent has no screen'; }

# The guest's stock driver has taken the mode from the EDID
test_resolution_is_the_administrators() {
	expect_equal 'drawn 1024x768 stride 4096' "$(draw K)" K
	expect_equal 'drawn 640x480 stride 2560' "$(draw L)" L
}

test_vmm_shows_the_picture() {
	until_seen shows K K
	until_seen shows L L
}

test_physical_screen_is_black_at_first() {
	need_screen
	is_black physical || fail 'it is not black'
}

test_physical_screen_shows_the_chosen_one() {
	need_screen
	scan_out K 1
	until_seen shows physical K
	scan_out L 1
	until_seen shows physical L
	expect_equal 0 "$(<"$(instance K)/display/scanout")" K
	scan_out L 0
	is_black physical || fail 'it is not black'
	scan_out K 1
	until_seen shows physical K
}

test_reset_makes_it_black() {
	need_screen
	local resets end=$((SECONDS + 60))
	resets=$(<"$(instance K)/vpci/resets")
	"$nested" qmp K stop > /dev/null
	"$nested" qmp K set-action '{"reboot": "reset"}' > /dev/null
	"$nested" qmp K system_reset > /dev/null
	until (($(<"$(instance K)/vpci/resets") > resets)); do
		((SECONDS < end)) || { fail 'the function was not reset in 60 s'; return; }
	done
	is_black physical || fail 'it is not black'
	# It is the chosen one still
	scan_out L 1
	until_seen shows physical L
}

test_end_of_the_guest() {
	"$nested" stop L || fail 'the guest did not power off'
	! has_screen || is_black physical || fail 'closed: it is not black'
	"$nested" release "$(instance L)" 30
	! has_screen || is_black physical || fail 'removed: it is not black'
}

# The firmware writes to QEMU's ramfb until the guest has a driver
test_ramfb_shows_the_boot() {
	local socket=/run/lab/ramfb end=$((SECONDS + 60)) pid version

	create ramfb
	qemu-system-x86_64 -machine q35,accel=kvm:tcg -m 64M -nodefaults -display none -vga none \
		-qmp "unix:$socket,server=on,wait=off" -device \
		"vfio-pci-nohotplug,sysfsdev=$(instance ramfb),display=on,ramfb=on" \
		< /dev/null > "$LAB_OUT/ramfb.qemu.log" 2>&1 &
	pid=$!
	until [[ -S $socket ]]; do
		if ! kill -0 $pid || ((SECONDS >= end)); then
			fail "$(<"$LAB_OUT/ramfb.qemu.log")"
			return
		fi
	done
	# As nested.sh does it for a guest
	version=$("$qmp" "$socket" query-version | sed 's/.*"minor": \([0-9]*\), "major": \([0-9]*\).*/\2.\1/')
	echo "$version no-dma-buf" > "$LAB_OUT/ramfb.qemu.given"
	# shellcheck disable=SC2317 # until_seen calls it
	boot_is_seen() {
		"$qmp" "$socket" screendump "{\"filename\": \"$LAB_OUT/ramfb.ppm\"}" > /dev/null
		(($(tail -n +4 "$LAB_OUT/ramfb.ppm" | tr -d '\0' | wc -c) > 1000))
	}
	until_seen boot_is_seen
	expect_equal off "$(<"$(instance ramfb)/display/mode")" 'what the instance shows meanwhile'
	"$qmp" "$socket" quit > /dev/null
	wait $pid
	expect_equal '' "$("$nested" says ramfb 2>&1)" "QEMU's own messages"
	"$nested" release "$(instance ramfb)" 30
}

test_everything_comes_back() {
	# Its guest was reset while the machine stood still
	"$nested" qmp K quit > /dev/null
	"$nested" wait K exit 60
	"$nested" release "$(instance K)" 30
	expect_equal 2 "$(<"$types/mgpu-8M/available_instances")" 'available mgpu-8M'
	for guest in K L; do
		expect_equal '' "$("$nested" says "$guest" 2>&1)" "what the QEMU of $guest says"
	done
}

for guest in K L; do
	if ! start_guest $guest; then
		echo "not ok 1 - guest $guest did not start"
		echo '1..1'
		exit 1
	fi
done
tap_main "$@"
