#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: mmio_bench on the physical adapter by vfio-pci, on an instance of
# mgpu that is as large as the adapter, on the sample mbochs, and on vpci_lab, in
# turn and several times. The results go to $LAB_OUT/PEER-N.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../selftests" && pwd)
bench=$here/../../../build/bench/mmio_bench
# shellcheck source=tools/testing/selftests/samples.sh
. "$here/samples.sh"

ROUNDS=8
parent=/sys/bus/pci/devices/$LAB_PARENT
uuid=bbbbbbbb-be9c-4c11-8c11-000000000001
instance=$DEVICES/$uuid

# bind DRIVER: the physical adapter to it
bind() {
	if [[ -e $parent/driver ]]; then echo "$LAB_PARENT" >"$parent/driver/unbind"; fi
	echo "$1" >"$parent/driver_override"
	echo "$LAB_PARENT" >/sys/bus/pci/drivers_probe
}

# on_instance FILE TYPE_DIRECTORY ARGUMENT...
on_instance() {
	local file=$1 type=$2
	shift 2
	echo $uuid >"$type/create"
	"$bench" "$@" "$instance" >"$LAB_OUT/$file"
	echo 1 >"$instance/remove"
}

"$here/../lab/load.sh"
modprobe vfio-pci
insmod "$here/../../../build/modules/$(uname -r)/vpci_lab.ko"
load_sample mbochs

for ((n = 1; n <= ROUNDS; n++)); do
	echo "round $n of $ROUNDS"
	"$bench" zero >"$LAB_OUT/zero-$n"
	bind vfio-pci
	"$bench" "$parent" >"$LAB_OUT/vfio-pci-$n"
	bind mgpu
	on_instance "mgpu-$n" "$parent/mdev_supported_types/mgpu-16M"
	on_instance "mbochs-$n" "$(parent_of mbochs)/mdev_supported_types/mbochs-medium"
	on_instance "lab-$n" /sys/devices/vpci_lab/mdev_supported_types/-bars lab
done
rmmod mbochs vpci_lab
