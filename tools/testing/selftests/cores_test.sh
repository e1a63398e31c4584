#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two mdev cores on one machine, ours and the kernel's: only one can be loaded, no driver gets the one that it was not
# compiled for, and each finds its own. In the lab VM, with neither loaded.
#
#   cores_test.sh [NAME...]

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/lab/common.sh
. "$here/../lab/common.sh"
built=$(modules_dir "$(uname -r)" '')
samples=$REPO/build/samples/$(uname -r)
theirs=$(echo "/lib/modules/$(uname -r)/kernel/drivers/vfio/mdev"/mdev.ko*)
ours=$built/drivers/vfio/mdev/mdev-core.ko

# refused WHY COMMAND...: it fails, says why, and the log has a line on that, but no trace of a stack
refused() {
	local why=$1
	shift
	log_before=$(dmesg | wc -l)
	if "$@" 2>"$work/said"; then fail "$* succeeded"; fi
	expect_has said "$why"
	dmesg | tail -n "+$((log_before + 1))" >"$work/log"
	if grep -E 'duplicate|Call Trace' "$work/log"; then fail "$*: $(<"$work/log")"; fi
}

# Samples need VFIO; whatever a test has left is not there any more
setup() {
	local module
	modprobe -a vfio vfio_iommu_type1
	for module in mtty kvmgt; do
		[[ ! -d /sys/module/$module ]] || rmmod $module
	done
	[[ ! -d /sys/bus/mdev ]] || { "$here/../lab/unload.sh" && [[ ! -d /sys/bus/mdev ]]; }
}

test_kernel_core_beside_ours() {
	last='the kernel core'
	insmod "$ours" || fail insmod
	refused 'Device or resource busy' insmod "$theirs"
	expect_has log "mdev_core: refused the kernel's own mdev.ko"
	[[ -d /sys/bus/mdev && ! -d /sys/module/mdev ]] || fail 'what is there is not ours'
	insmod "$samples/ours/mtty.ko" || fail 'ours does not work any more'
	rmmod mtty mdev_core || fail rmmod
	insmod "$theirs" || fail "with ours gone, the kernel's is refused"
}

test_ours_beside_kernel_core() {
	last='our core'
	insmod "$theirs" || fail insmod
	refused 'Device or resource busy' insmod "$ours"
	expect_has log "mdev_core: there can be one mdev core only, and the kernel's own"
	insmod "$samples/kernel/mtty.ko" || fail "the kernel's does not work any more"
	rmmod mtty mdev || fail rmmod
	insmod "$ours" || fail "with the kernel's gone, ours is refused"
}

# With MODVERSIONS or without
test_driver_for_the_other_core() {
	last='a driver'
	insmod "$ours" || fail insmod
	refused 'Unknown symbol' insmod "$samples/kernel/mtty.ko"
	expect_has log 'mtty: Unknown symbol mdev_register_parent'
	rmmod mdev_core || fail rmmod
	insmod "$theirs" || fail insmod
	refused 'Unknown symbol' insmod "$samples/ours/mtty.ko"
	expect_has log 'mtty: Unknown symbol vfio_mdev_register_parent'
}

# Modules as "make install" leaves them: those of the kernel that parents take, and ours in "updates"
install_modules() {
	local root=$work/root dir name path verb
	dir=$root/lib/modules/$(uname -r)
	mkdir -p "$dir"
	cp "/lib/modules/$(uname -r)"/modules.{builtin,builtin.modinfo,order} "$dir/"
	modprobe -a --show-depends kvmgt vfio vfio_iommu_type1 | sort -u >"$work/depends"
	while read -r verb path _; do
		[[ $verb == insmod && $path == */kernel/* ]] || continue
		path=${path#*"/$(uname -r)/"}
		(cd "/lib/modules/$(uname -r)" && cp --parents "$path" "$dir/")
	done <"$work/depends"
	(cd "/lib/modules/$(uname -r)" && cp --parents kernel/drivers/vfio/mdev/mdev.ko* "$dir/")
	for name in drivers/vfio/mdev/mdev-core drivers/vfio/vpci/vfio-vpci samples/vfio-mdev/mgpu; do
		install -D "$built/$name.ko" "$dir/updates/$name.ko"
	done
	depmod -b "$root" "$(uname -r)" || fail depmod
}

# The distribution's parent driver for Intel's GPUs, which works without one as far as its registration
test_kvmgt_where_ours_is_installed() {
	local modprobe=(modprobe -d "$work/root")
	last=kvmgt
	modprobe -qn kvmgt || skip 'this kernel has no kvmgt'
	install_modules
	"${modprobe[@]}" kvmgt || fail 'it does not load'
	[[ -d /sys/bus/mdev/drivers/intel_vgpu_mdev && -d /sys/module/mdev ]] || fail 'it is not on its core'
	refused 'Device or resource busy' "${modprobe[@]}" mgpu
	expect_has log "mdev_core: there can be one mdev core only, and the kernel's own"
	rmmod kvmgt mdev || fail rmmod

	"${modprobe[@]}" mgpu || fail 'mgpu does not load'
	[[ -d /sys/bus/mdev/drivers/mgpu && -d /sys/module/mdev_core ]] || fail 'mgpu is not on its core'
	refused 'Device or resource busy' "${modprobe[@]}" kvmgt
	expect_has log "mdev_core: refused the kernel's own mdev.ko"
}

trap '"$here/../lab/unload.sh"; rm -rf "$work"' EXIT
tap_main "$@"
