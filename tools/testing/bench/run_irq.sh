#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: irq_bench on the physical adapter by vfio-pci, on an instance of mgpu, and on irq_lab, in turn and several
# times. The results go to $LAB_OUT.

set -euo pipefail

testing=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bench=$testing/../../build/bench/irq_bench
ROUNDS=3 MSIX=2 REQ=4
parent=/sys/bus/pci/devices/$LAB_PARENT
uuid=bbbbbbbb-be9c-4c11-8c11-000000000002
instance=/sys/bus/mdev/devices/$uuid

# bind DRIVER: the physical adapter to it
bind() {
	if [[ -e $parent/driver ]]; then echo "$LAB_PARENT" >"$parent/driver/unbind"; fi
	echo "$1" >"$parent/driver_override"
	echo "$LAB_PARENT" >/sys/bus/pci/drivers_probe
}

# on_instance FILE TYPE_DIRECTORY INDEX
on_instance() {
	echo $uuid >"$2/create"
	"$bench" $instance "$3" >>"$LAB_OUT/$1"
	echo 1 >$instance/remove
}

"$testing/lab/load.sh"
modprobe vfio-pci
insmod "$testing/../../build/modules/$(uname -r)/irq_lab.ko"
for ((n = 0; n < ROUNDS; n++)); do
	bind vfio-pci
	"$bench" "$parent" $REQ >>"$LAB_OUT/vfio-pci"
	bind mgpu
	on_instance mgpu "$parent/mdev_supported_types/mgpu-4M" $REQ
	on_instance msix /sys/devices/irq_lab/mdev_supported_types/-irqs $MSIX
done
rmmod irq_lab
