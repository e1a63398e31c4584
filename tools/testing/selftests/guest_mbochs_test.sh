#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A real guest on an instance of the kernel's sample mbochs, on an mdev core that is loaded, in the lab VM: the guest's
# own bochs driver shows a picture on it.
#
#   guest_mbochs_test.sh FBDRAW [NAME...]    FBDRAW: the program that knows the pictures
#
# mbochs gives its picture to QEMU as a DMA buffer, which wants OpenGL. So the display of QEMU is off, and the picture
# is what QEMU finds in the frame buffer, where a display would read it.

set -u

fbdraw=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/selftests/samples.sh
. "$here/samples.sh"
nested=$here/../lab/nested.sh
uuid=cccccccc-5a3b-4e11-8e11-000000000001
instance=$DEVICES/$uuid
type=$(parent_of mbochs)/mdev_supported_types/mbochs-small
vram=$LAB_OUT/guest_mbochs.vram

last=guest

start_guest() {
	load_sample mbochs &&
		echo $uuid > "$type/create" &&
		"$nested" start mbochs -- -device "vfio-pci,sysfsdev=$instance,display=off" &&
		"$nested" wait mbochs ready 300
}

in_guest() { "$nested" cmd mbochs --time-limit 120 "$1"; }

test_stock_driver_finds_its_display() {
	expect_equal 'bochs-drmdrmfb' "$(in_guest 'cut -d" " -f2 /proc/fb')" 'frame buffer'
}

# Writes the picture that is in $vram for people to look at
write_picture() {
	/usr/bin/python3 - "$vram" "$1" "$2" "$3" > "$LAB_OUT/guest_mbochs.ppm" <<-'EOF'
		import sys
		data, (width, height, stride) = open(sys.argv[1], "rb").read(), map(int, sys.argv[2:])
		out = sys.stdout.buffer
		out.write(b"P6\n%d %d\n255\n" % (width, height))
		for y in range(height):
		    row = data[y * stride:y * stride + width * 4]
		    rgb = bytearray(width * 3)
		    rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
		    out.write(rgb)
	EOF
}

# The mode is what the guest's bochs makes of 4 MiB: that of 6.12 800x600, that of 7.3 1024x768
test_picture() {
	local said address width height stride end=$((SECONDS + 60))
	said=$(in_guest 'fbdraw draw M')
	[[ $said =~ ^drawn\ (800x600|1024x768)\ stride\ ([0-9]+)$ ]] || { fail "fbdraw: $said"; return; }
	width=${BASH_REMATCH[1]%x*} height=${BASH_REMATCH[1]#*x} stride=${BASH_REMATCH[2]}
	expect_equal $((width * 4)) "$stride" stride
	# shellcheck disable=SC2016 # for the guest's shell
	address=$(in_guest 'cd /sys/bus/pci/drivers/bochs-drm/0000:* && read -r start end flags < resource && echo $((start))')
	[[ $address =~ ^[1-9][0-9]*$ ]] || { fail "BAR 0 is at '$address'"; return; }
	# The guest's driver copies the picture a little later
	until
		"$nested" qmp mbochs pmemsave "{\"val\": $address, \"size\": $((stride * height)), \"filename\": \"$vram\"}" \
			> /dev/null || { fail pmemsave; return; }
		said=$("$fbdraw" check M "$width" "$height" "$stride" "$vram" 0)
	do
		((SECONDS < end)) || { fail "$said"; break; }
	done
	write_picture "$width" "$height" "$stride"
}

# What it says of mbochs is in the list that this is compared with
test_qemu_says_no_more() {
	"$nested" stop mbochs || fail 'the guest did not power off'
	expect_equal '' "$("$nested" says mbochs 2>&1)" "QEMU's own messages"
}

test_everything_comes_back() {
	"$nested" release $instance 30 || fail remove
	expect_equal 64 "$(<"$type/available_instances")" 'available mbochs-small'
	rmmod mbochs || fail rmmod
}

if ! start_guest; then
	echo 'not ok 1 - the guest did not start'
	echo '1..1'
	"$nested" stop mbochs 2> /dev/null
	echo 1 > $instance/remove
	rmmod mbochs
	exit 1
fi
tap_main "$@"
