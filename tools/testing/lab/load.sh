#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: load the modules that this tree built and bind mgpu to the
# "physical" display adapter. The lifecycle core is ours, in place of any that the
# kernel brings, or the kernel's if LAB_MDEV_CORE is "kernel".
#
#   load.sh           all of them
#   load.sh core      only the lifecycle core
#   load.sh soft SIZE all of them, and the parent is one of system memory
#
# Those that are loaded already stay.

set -euo pipefail

: "${LAB_PARENT:?is set in the lab VM; see tools/testing/lab/run.sh}"
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

device=/sys/bus/pci/devices/$LAB_PARENT
core=${LAB_MDEV_CORE-}
built=$(modules_dir "$(uname -r)" "$core")

load() {
	local name=${1##*/}
	name=${name%%.*}
	[[ ! -e /sys/module/${name//-/_} ]] || return 0
	[[ -e $1 ]] || { echo "$1 is not built; run \"make\"" >&2; exit 1; }
	insmod "$@"
}

modprobe -a vfio vfio_iommu_type1
if [[ $core == kernel ]]; then
	load "$(echo "/lib/modules/$(uname -r)/kernel/drivers/vfio/mdev"/mdev.ko*)"
else
	load "$built/drivers/vfio/mdev/mdev-core.ko"
fi
[[ ${1-} != core ]] || exit 0
load "$built/drivers/vfio/vpci/vfio-vpci.ko"
if [[ ${1-} == soft ]]; then
	load "$built/samples/vfio-mdev/mgpu.ko" soft_vram="$2"
	exit
fi
load "$built/samples/vfio-mdev/mgpu.ko"

if [[ -e $device/driver ]]; then
	echo "$LAB_PARENT" > "$device/driver/unbind"
fi
echo mgpu > "$device/driver_override"
echo "$LAB_PARENT" > /sys/bus/pci/drivers_probe
[[ $(basename "$(readlink -f "$device/driver")") == mgpu ]] ||
	{ echo "mgpu did not bind to $LAB_PARENT; see dmesg" >&2; exit 1; }
