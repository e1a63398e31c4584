#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: load the modules that this tree built, in place of any that
# the kernel brings, and bind mgpu to the "physical" display adapter.

set -euo pipefail

: "${LAB_PARENT:?is set in the lab VM; see tools/testing/lab/run.sh}"
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

device=/sys/bus/pci/devices/$LAB_PARENT

modprobe -a vfio vfio_iommu_type1
for module in drivers/vfio/mdev/mdev.ko drivers/vfio/vpci/vfio-vpci.ko \
	      samples/vfio-mdev/mgpu.ko; do
	[[ -e $module ]] || { echo "$module is not built; run \"make\"" >&2; exit 1; }
	insmod "$module"
done

if [[ -e $device/driver ]]; then
	echo "$LAB_PARENT" > "$device/driver/unbind"
fi
echo mgpu > "$device/driver_override"
echo "$LAB_PARENT" > /sys/bus/pci/drivers_probe
[[ $(basename "$(readlink -f "$device/driver")") == mgpu ]] ||
	{ echo "mgpu did not bind to $LAB_PARENT; see dmesg" >&2; exit 1; }
