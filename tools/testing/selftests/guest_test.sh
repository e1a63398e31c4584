#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A real guest on an instance, in the lab VM: QEMU has nothing to complain of,
# the guest's own bochs driver drives it, a reset of the machine included; and
# when the host takes it away, the guest gives it up and lives on.
#
#   guest_test.sh FBDRAW [NAME...]    FBDRAW: the program that knows the pictures

set -u

fbdraw=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
nested=$here/../lab/nested.sh
parent=/sys/bus/pci/devices/$LAB_PARENT
uuid=cccccccc-9e57-4c11-8c11-000000000001
instance=/sys/bus/mdev/devices/$uuid

last=guest

# A device at boot that shows its screen, and one that is plugged in later: in a
# port, because nothing can be unplugged from the root bus, and without display=on,
# because QEMU does not let go of a device that has a console before it exits.
later=cccccccc-9e57-4c11-8c11-000000000002
later_instance=/sys/bus/mdev/devices/$later
# shellcheck disable=SC2054 # commas are QEMU's
vfio=(-device pcie-root-port,id=port0,chassis=1,pref32-reserve=32M)
device=vfio-pci,sysfsdev=$instance,display=on
later_json="\"driver\": \"vfio-pci\", \"bus\": \"port0\", \"sysfsdev\": \"$later_instance\""
if [[ ${VFIO_PATH-} == cdev ]]; then
	# shellcheck disable=SC2054
	vfio+=(-object iommufd,id=i0)
	device+=,iommufd=i0
	later_json+=', "iommufd": "i0"'
fi

# A driver for the guest, if it has our kernel; built where the mdev core is ours
files=()
vblank=$here/../../../build/modules/$(uname -r)/vblank_guest.ko
[[ ! -e $vblank ]] || files=(--file "$vblank")

# The guest that all tests share; nested.sh says on stderr what went wrong. A
# kernel with checkers takes minutes where the distribution's takes seconds.
start_guest() {
	echo $uuid > "$parent/mdev_supported_types/mgpu-8M/create" &&
		"$nested" start guest "${files[@]}" -- "${vfio[@]}" -device "$device" &&
		"$nested" wait guest ready 300
}

# Width, height and stride of the mode that bochs chooses with 8 MiB
mode='1024 768 4096'

in_guest() { "$nested" cmd guest --time-limit 120 "$1"; }
qmp() { "$nested" qmp guest "$@" > /dev/null || fail "qmp $*"; }

test_stock_driver_finds_its_display() {
	expect_equal 'bochs-drmdrmfb' "$(in_guest 'cut -d" " -f2 /proc/fb')" 'frame buffer'
	# What the guest's kernel found by sizing the BARs
	# shellcheck disable=SC2016 # for the guest's shell
	expect_equal '8388608 4096' "$(in_guest '
		cd /sys/bus/pci/drivers/bochs-drm/0000:*
		i=0
		while read -r start end flags; do
			if [ $i = 0 ] || [ $i = 2 ]; then echo $((end - start + 1)); fi
			i=$((i + 1))
		done < resource' | xargs)" 'sizes of BAR 0 and BAR 2'
}

test_guest_sees_all_of_config() {
	expect_equal 4096 "$(in_guest 'cat /sys/bus/pci/drivers/bochs-drm/0000:*/config | wc -c')" bytes
}

# The guest draws K, and its VRAM on the physical device comes to hold exactly that.
draw_picture() {
	local said

	expect_equal "drawn 1024x768 stride 4096" "$(in_guest 'fbdraw draw K')" fbdraw
	# The guest's driver copies the picture to the VRAM a little later: 60 s
	# shellcheck disable=SC2086 # three numbers
	said=$("$fbdraw" check K $mode "$parent/resource0" \
		"$(<$instance/mgpu/vram_offset)" 60) || fail "$said"
}

test_picture_reaches_the_vram() {
	draw_picture
	[[ $(<$instance/vpci/pages_mapped) -ge 768 ]] ||
		fail "only $(<$instance/vpci/pages_mapped) pages are mapped"
}

test_screendump_shows_the_screen() {
	qmp screendump "{\"filename\": \"$LAB_OUT/guest_test.ppm\"}"
	expect_equal '1024 768' "$(sed -n 2p "$LAB_OUT/guest_test.ppm")" 'size of the screen'
	# A picture of one colour has one distinct triple of bytes
	[[ $(tail -c +17 "$LAB_OUT/guest_test.ppm" | od -An -v -tx1 -w3 | sort -u | wc -l) -gt 10 ]] ||
		fail 'the screen shows nothing'
}

# A reset of the machine resets the function: QEMU finds a way to do it, nothing
# of the picture is left in the VRAM, and the guest comes up again.
test_machine_reset() {
	local resets end=$((SECONDS + 60))

	draw_picture
	resets=$(<$instance/vpci/resets)
	qmp stop
	qmp set-action '{"reboot": "reset"}'
	qmp system_reset
	until (($(<$instance/vpci/resets) > resets)); do
		((SECONDS < end)) || { fail 'the function was not reset in 60 s'; return; }
	done
	# shellcheck disable=SC2086 # three numbers
	expect_equal 0 "$("$fbdraw" scan K $mode "$parent/resource0" \
		"$(<$instance/mgpu/vram_offset)" 8388608)" 'what is left of the picture'
	qmp cont
	expect_equal 'bochs-drmdrmfb' "$("$nested" cmd guest --time-limit 300 \
		'cut -d" " -f2 /proc/fb')" 'frame buffer after the reset'
}

# The guest's kernel has a way to reset the function that is the function's own, and it is one
test_guest_resets_the_function() {
	local resets said

	draw_picture
	resets=$(<$instance/vpci/resets)
	# shellcheck disable=SC2016 # for the guest's shell
	said=$(in_guest '
		cd /sys/bus/pci/drivers/bochs-drm && device=$(echo 0000:*) && echo $device > unbind || exit
		cat /sys/bus/pci/devices/$device/reset_method
		echo 1 > /sys/bus/pci/devices/$device/reset
		status=$?
		echo $device > bind
		exit $status') || fail "reset: $said"
	expect_equal flr "$said" 'reset_method'
	(($(<$instance/vpci/resets) > resets)) || fail 'the function was not reset'
	# shellcheck disable=SC2086 # three numbers
	expect_equal 0 "$("$fbdraw" scan K $mode "$parent/resource0" \
		"$(<$instance/mgpu/vram_offset)" 8388608)" 'what is left of the picture'
}

# How many displays the guest's driver has
guest_displays() {
	in_guest 'ls -d /sys/bus/pci/drivers/bochs-drm/0000:* 2> /dev/null | wc -l'
}

needs_our_core() {
	[[ -z ${LAB_MDEV_CORE-} ]] || skip "the kernel's core waits for the user of an instance"
}

# Thousandths of interrupts in a second of the guest's clock: of five seconds, and where the host was too busy for all
# of them, of the best five in a minute
count_vblanks() {
	# shellcheck disable=SC2016 # for the guest's shell
	in_guest '
		cd /sys/bus/pci/drivers/bochs-drm && device=$(echo 0000:*) && echo $device > unbind || exit
		insmod /files/vblank_guest.ko
		status=$?
		if [ $status = 0 ]; then
			of=/sys/module/vblank_guest/parameters
			until [ $(cat $of/millihertz) -ge 58800 ] || [ $(cat $of/count) -gt 3600 ]; do usleep 100000; done
			cat $of/millihertz
			rmmod vblank_guest
		fi
		echo $device > bind
		exit $status'
}

test_vertical_blank_interrupts() {
	local rate

	((${#files[@]})) || skip "the guest's driver is not built for $(uname -r)"
	[[ $(in_guest 'uname -r') == "$(uname -r)" ]] || skip "the guest has another kernel, and no driver for it"
	rate=$(count_vblanks) || { fail "the driver in the guest: $rate"; return; }
	echo "# $rate interrupts in 1,000 s of the guest's clock"
	((rate >= 58800 && rate <= 61200)) || fail "$rate is not within 2 % of 60000"
	! grep -q vpci_vblank_tick /proc/timer_list || fail 'the timer still runs'
}

plug_in() {
	echo $later > "$parent/mdev_supported_types/mgpu-8M/create" || fail create
	qmp device_add "{$later_json}"
	# shellcheck disable=SC2016 # for the guest's shell
	in_guest 'until [ "$(ls -d /sys/bus/pci/drivers/bochs-drm/0000:* | wc -l)" = 2 ]; do usleep 50000; done' ||
		fail 'the guest does not see the new device'
}

test_remove_makes_the_guest_give_it_up() {
	local said

	needs_our_core
	plug_in
	said=$( (echo 1 > $later_instance/remove) 2>&1) || fail "remove: $said"
	[[ ! -e $later_instance ]] || fail 'the instance is still there'
	expect_equal 1 "$(guest_displays)" "the guest's displays"
}

# From here on it has a right to complain, of what is in the list for that
test_qemu_says_nothing() {
	expect_equal '' "$("$nested" says guest 2>&1)" "QEMU's own messages"
}

# The parent goes at once, and its instance when the guest has given it up. The
# other one lives on as a shell for as long as QEMU holds it.
test_unbind_makes_the_guest_give_it_up() {
	local end=$((SECONDS + 120))

	needs_our_core
	plug_in
	"$nested" given guest asked-on-root-bus
	echo "$LAB_PARENT" > /sys/bus/pci/drivers/mgpu/unbind
	[[ ! -e $parent/mdev_supported_types ]] || fail 'the parent is still there'
	while [[ -e $later_instance ]]; do
		((SECONDS < end)) || { fail 'the instance is still there after 120 s'; break; }
		read -rt 0.05 <> <(:)
	done
	expect_equal /sys/devices/mdev/$uuid "$(readlink -f $instance)" 'the shell'
	expect_equal hello "$(in_guest 'echo hello')" 'the guest'
	echo "$LAB_PARENT" > /sys/bus/pci/drivers/mgpu/bind
}

test_everything_comes_back() {
	local end=$((SECONDS + 30))

	"$nested" stop guest || fail 'the guest did not power off'
	expect_equal '' "$("$nested" says guest 2>&1)" "QEMU's own messages"
	# ours has unbound the parent above
	[[ -z ${LAB_MDEV_CORE-} ]] || "$nested" release $instance 30 || fail remove
	while [[ -e $instance ]]; do
		((SECONDS < end)) || { fail 'the shell is still there after 30 s'; break; }
		read -rt 0.05 <> <(:)
	done
	expect_equal 2 "$(<"$parent/mdev_supported_types/mgpu-8M/available_instances")" 'available mgpu-8M'
}

# The last test does it as well, and looks at the result; but it may not have run
clean_up() {
	local left

	"$nested" stop guest
	for left in $instance $later_instance; do
		[[ ! -e $left ]] || "$nested" release "$left" 30
	done
	rm -rf "$work"
} > /dev/null 2>&1
trap clean_up EXIT

if ! start_guest; then
	echo 'not ok 1 - the guest did not start'
	echo '1..1'
	exit 1
fi
tap_main "$@"
