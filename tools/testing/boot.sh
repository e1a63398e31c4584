# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a boot does with the adapter, by the rules of udev that the guide has; to be sourced by tests in the lab VM,
# after tap.sh.

# Modules as "make install" has them, and those of the kernel that matter here: depmod of all takes minutes in this VM.
install_modules() {
	local kver tree

	kver=$(uname -r)
	# shellcheck disable=SC2154 # of tap.sh
	tree=$work/lib/modules/$kver
	mkdir -p "$tree"
	modprobe -a --show-depends vfio vfio_iommu_type1 irqbypass bochs | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u |
		xargs cp --parents -t "$work"
	cp "/lib/modules/$kver"/modules.{builtin,builtin.modinfo,order} "$tree"
	cp "$(dirname "${BASH_SOURCE[0]}")"/../../{drivers/vfio/mdev/mdev-core,drivers/vfio/vpci/vfio-vpci,samples/vfio-mdev/mgpu}.ko "$tree"
	depmod -b "$work" "$kver" && mount --bind "$tree" "/lib/modules/$kver"
}

driver_of_parent() { basename "$(readlink "/sys/bus/pci/devices/$LAB_PARENT/driver")"; }

# The rules in the guide: the one for every boot, and the one to put in front
guide_rules() {
	local guide
	guide=$(dirname "${BASH_SOURCE[0]}")/../../Documentation/admin-guide/mgpu.rst
	expect_equal 2 "$(grep -c $'^\tACTION==' "$guide")" 'rules in the guide' >&2
	sed -n 's/^\tACTION==/ACTION==/p' "$guide" | sed "s/0000:00:10.0/$LAB_PARENT/"
}

# add_parent RULES: udev gets to know of the adapter
add_parent() {
	echo "$1" >/etc/udev/rules.d/70-mgpu.rules
	udevadm control --reload
	udevadm trigger --settle --action=add "/sys/bus/pci/devices/$LAB_PARENT"
	udevadm settle
}
