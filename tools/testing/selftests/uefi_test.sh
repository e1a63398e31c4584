#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mgpu takes the adapter on a machine that was booted by UEFI, whose firmware has drawn on it, and whose kernel goes on
# with that picture as its console; in a lab VM like that, run.sh --firmware uefi, where no module is loaded:
#
#   uefi_test.sh [NAME...]

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/boot.sh
. "$here/../boot.sh"
device=/sys/bus/pci/devices/$LAB_PARENT
types=$device/mdev_supported_types
uuid=eeeeeeee-9e57-4c11-8c11-000000000002

last=uefi

# colours: how many bytes that are not black the screen of the adapter has
colours() {
	rm -f "$LAB_OUT/$1.ppm"
	"$here/../lab/qmp.py" "$LAB_QMP" screendump "{\"device\": \"physical\", \"filename\": \"$LAB_OUT/$1.ppm\"}" >/dev/null
	tail -n +4 "$LAB_OUT/$1.ppm" | tr -d '\0' | wc -c
}

# How many bytes that are not zero the adapter's VRAM begins with
vram_left() {
	python3 - "$device/resource0" <<-'EOS'
		import mmap, os, sys
		with open(sys.argv[1], 'r+b') as bar, mmap.mmap(bar.fileno(), 4 << 20) as vram:
		    print(len(vram[:].replace(b'\0', b'')))
	EOS
}

# Otherwise the tests behind it test nothing
test_console_is_on_the_adapter() {
	expect_equal 'EFI VGA' "$(cut -d' ' -f2- /proc/fb)" 'the frame buffer'
	grep -q "^  *[0-9a-f-]* : efifb\$" /proc/iomem || fail 'nobody has its memory'
	echo 'this is the console' >/dev/tty1
	(($(colours uefi-console) > 100)) || fail 'the screen is black'
	(($(vram_left) > 100)) || fail 'there is nothing in the VRAM'
}

# What the guide says on booting is all that it takes
test_boot_gives_it_to_mgpu() {
	install_modules || fail 'the modules cannot be installed'
	/lib/systemd/systemd-udevd --daemon || fail 'udevd does not start'
	add_parent "$(guide_rules | head -n 1)"
	expect_equal mgpu "$(driver_of_parent)" 'driver of the parent'
	expect_equal '' "$(cat /proc/fb)" 'the frame buffers'
	expect_equal 0 "$(colours uefi-taken)" 'what the screen shows'
	expect_equal 4 "$(<"$types/mgpu-4M/available_instances")" 'available mgpu-4M'
	echo $uuid >"$types/mgpu-16M/create" || fail create
	expect_equal 0 "$(vram_left)" 'what of the console an instance gets'
	echo 1 >/sys/bus/mdev/devices/$uuid/remove || fail remove
	umount -l "/lib/modules/$(uname -r)"
}

# ramoops takes any memory that it is told to
test_memory_that_somebody_has() {
	local start

	modprobe -n ramoops || skip 'this kernel has no ramoops'
	echo "$LAB_PARENT" >/sys/bus/pci/drivers/mgpu/unbind
	read -r start _ <"$device/resource"
	modprobe ramoops mem_address="$start" mem_size=0x100000 ecc=0 || fail ramoops
	dmesg -C
	! (echo "$LAB_PARENT" >/sys/bus/pci/drivers/mgpu/bind) 2>/dev/null || fail 'it was bound'
	dmesg | grep -q "mgpu $LAB_PARENT: .*its memory is in use, /proc/iomem says by whom" || fail "the log: $(dmesg)"
	rmmod ramoops
	echo "$LAB_PARENT" >/sys/bus/pci/drivers/mgpu/bind || fail bind
}

tap_main "$@"
