# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests with the kernel's sample drivers share; to be sourced, in the lab VM, with $here set. The modules were
# built by lab/samples.sh.

# shellcheck disable=SC2034 # of the scripts that source this
SAMPLES=(mtty mdpy mbochs)
DEVICES=/sys/bus/mdev/devices

# shellcheck disable=SC2154 # $here is the caller's
# load_sample NAME [PARAMETER...]
load_sample() {
	local name=$1 built
	built=$(realpath "$here/../../..")/build/samples/$(uname -r)/${LAB_MDEV_CORE:-ours}
	shift
	# mbochs exports DMA buffers, where that is a module
	modprobe -qa vfio vfio_iommu_type1
	insmod "$built/$name.ko" "$@"
}

unload_samples() {
	local name
	for name in "${SAMPLES[@]}"; do
		if [[ -d /sys/module/$name ]]; then rmmod "$name"; fi
	done
}

# The parent device that sample $1 makes
parent_of() { echo "/sys/devices/virtual/$1/$1"; }

# error_of TEXT FILE: what write(2) of TEXT fails with, or nothing
error_of() {
	local said
	if said=$( (printf %s "$1" >"$2") 2>&1); then return; fi
	echo "${said##*: }"
}
