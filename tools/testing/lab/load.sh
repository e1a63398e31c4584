#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: load the modules that this tree built, in place of any that
# the kernel brings, and bind mgpu to the "physical" display adapter. For another
# kernel than the one that "make" built for they are in build/lanes, see lane.sh.

set -euo pipefail

: "${LAB_PARENT:?is set in the lab VM; see tools/testing/lab/run.sh}"
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

device=/sys/bus/pci/devices/$LAB_PARENT
built=.
made_for=$(modinfo -F vermagic drivers/vfio/mdev/mdev.ko 2> /dev/null || true)
if [[ ${made_for%% *} != "$(uname -r)" ]]; then
	built=build/lanes/$(uname -r)
fi

modprobe -a vfio vfio_iommu_type1
for module in drivers/vfio/mdev/mdev.ko drivers/vfio/vpci/vfio-vpci.ko \
	      samples/vfio-mdev/mgpu.ko; do
	[[ -e $built/$module ]] || { echo "$built/$module is not built; run \"make\"" >&2; exit 1; }
	insmod "$built/$module"
done

if [[ -e $device/driver ]]; then
	echo "$LAB_PARENT" > "$device/driver/unbind"
fi
echo mgpu > "$device/driver_override"
echo "$LAB_PARENT" > /sys/bus/pci/drivers_probe
[[ $(basename "$(readlink -f "$device/driver")") == mgpu ]] ||
	{ echo "mgpu did not bind to $LAB_PARENT; see dmesg" >&2; exit 1; }
