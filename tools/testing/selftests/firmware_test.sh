#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What drives this adapter besides the guest's kernel of the other suites takes an instance for one of QEMU's, in the
# lab VM: firmware, whose picture on the instance is that on a bochs-display of QEMU's own, and the bochs drivers of the
# oldest and the newest kernel that are here.
#
#   firmware_test.sh FBDRAW [NAME...]    FBDRAW: the program that knows the pictures

set -u

fbdraw=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/lab/common.sh
. "$here/../lab/common.sh"
nested=$here/../lab/nested.sh
qmp=$here/../lab/qmp.py
types=/sys/class/mdev_bus/$LAB_PARENT/mdev_supported_types
uuid=dddddddd-9e57-4c11-8c11-000000000004
instance=/sys/bus/mdev/devices/$uuid
limit=120

last=firmware

# What a test has left that failed is not the next one's
create() {
	[[ ! -e $instance ]] || "$nested" release $instance 30
	echo $uuid >"$types/mgpu-16M/create" || fail create
}

# start NAME ACCEL QEMU_ARGS...: a QEMU without a kernel
start() {
	local name=$1 accel=$2 socket=/run/lab/$1 end=$((SECONDS + 60)) version given=''
	shift 2
	qemu-system-x86_64 -machine "q35,accel=$accel" -m 256M -nodefaults -display none -vga none \
		-qmp "unix:$socket,server=on,wait=off" "$@" </dev/null >"$LAB_OUT/$name.qemu.log" 2>&1 &
	echo $! >"$work/$name.pid"
	until [[ -S $socket ]]; do
		if ! kill -0 "$(<"$work/$name.pid")" || ((SECONDS >= end)); then
			fail "$(<"$LAB_OUT/$name.qemu.log")"
			return 1
		fi
	done
	version=$("$qmp" "$socket" query-version | sed 's/.*"minor": \([0-9]*\), "major": \([0-9]*\).*/\2.\1/')
	[[ -n $version ]] || { fail "QEMU: $(<"$LAB_OUT/$name.qemu.log")"; return 1; }
	if [[ "$*" == *vfio-pci* ]]; then given=no-dma-buf; fi
	echo "$version $given" >"$LAB_OUT/$name.qemu.given"
}

# dump NAME DEVICE
dump() {
	"$qmp" "/run/lab/$1" screendump "{\"device\": \"$2\", \"filename\": \"$LAB_OUT/firmware_$2.ppm\"}" >/dev/null ||
		fail "screendump of $2"
}

# Both have the same picture, and what is in it is not QEMU's message that there is none yet
same_picture() {
	[[ $(<$instance/display/mode) == "1280x800 XR24 "* ]] || return
	dump "$1" real
	dump "$2" ours
	(($(tail -n +4 "$LAB_OUT/firmware_real.ppm" | tr -d '\0' | wc -c) > 2000)) &&
		cmp "$LAB_OUT/firmware_real.ppm" "$LAB_OUT/firmware_ours.ppm"
}

until_seen() {
	local end=$((SECONDS + limit))
	until "$@" >"$work/seen" 2>&1; do
		((SECONDS < end)) || { fail "$*: $(<"$work/seen")"; return; }
		read -rt 0.3 <> <(:)
	done
}

stop() {
	local name
	for name; do
		"$qmp" "/run/lab/$name" quit >/dev/null
		while kill -0 "$(<"$work/$name.pid")" 2>/dev/null; do read -rt 0.1 <> <(:); done
		expect_equal '' "$("$nested" says "$name" 2>&1)" "what the QEMU of $name says"
	done
	"$nested" release $instance 30
}

# UEFI draws its console on all adapters that it can drive. With KVM on an emulated processor it ends the emulator
test_uefi() {
	create
	echo 1280x800 >$instance/display/resolution
	start uefi tcg -bios "$OVMF" -device bochs-display,id=real \
		-device "vfio-pci,id=ours,sysfsdev=$instance,display=on" || return
	until_seen same_picture uefi uefi
	stop uefi
}

# The BIOS draws by the ROM of the one adapter that it finds
test_bios() {
	create
	echo 1280x800 >$instance/display/resolution
	modprobe -q kvm_amd || modprobe -q kvm_intel
	start bios-real kvm:tcg -device bochs-display,id=real || return
	start bios kvm:tcg -device "vfio-pci,id=ours,sysfsdev=$instance,display=on,romfile=vgabios-bochs-display.bin" || return
	until_seen same_picture bios-real bios
	expect_equal '' "$("$qmp" /run/lab/bios-real quit >/dev/null; "$nested" says bios-real 2>&1)" 'what the QEMU of the other says'
	stop bios
}

# draws KVER: the driver of that kernel finds its mode, and what it draws is on the screen
draws() {
	create
	if ! "$nested" start guest --kver "$1" -- -device "vfio-pci,sysfsdev=$instance,display=on" ||
		! "$nested" wait guest ready 120; then
		fail "a guest with $1 does not start"
		return
	fi
	expect_equal "$1" "$("$nested" cmd guest 'uname -r')" 'the kernel'
	expect_equal 'drawn 1024x768 stride 4096' "$("$nested" cmd guest --time-limit 60 'fbdraw draw Q')" fbdraw
	# shellcheck disable=SC2317 # until_seen calls it
	drawn() {
		"$nested" qmp guest screendump "{\"filename\": \"$LAB_OUT/firmware_$1.ppm\"}" >/dev/null
		"$fbdraw" ppm Q "$LAB_OUT/firmware_$1.ppm" | grep -x 'match 1024x768'
	}
	until_seen drawn "$1"
	"$nested" stop guest || fail 'the guest did not power off'
	expect_equal '' "$("$nested" says guest 2>&1)" "QEMU's own messages"
	"$nested" release $instance 30
}

test_driver_of_6_1() {
	local kver
	kver=$(kernel_versions '6.1.*-amd64' | head -n 1)
	[[ -n $kver ]] || skip 'apt has no kernel 6.1'
	draws "$kver"
}

test_driver_of_the_newest_kernel() {
	local kver
	kver=$(kernel_versions '*+deb*-amd64' | head -n 1)
	[[ $kver != "$(uname -r)" ]] || skip 'no kernel that is newer is here'
	draws "$kver"
}

tap_main "$@"
