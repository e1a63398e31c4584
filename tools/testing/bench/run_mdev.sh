#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: mdev_bench with 17,000 instances of the sample mbochs, and of a driver that VFIO has nothing to do with,
# on each of the mdev cores, in the order given. The results go to $LAB_OUT/DRIVER-N-CORE, with N counting from 1.
#
#   run_mdev.sh CORE...    CORE: "kernel" or "ours"

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../selftests" && pwd)
bench=$here/../../../build/bench/mdev_bench
# shellcheck source=tools/testing/selftests/samples.sh
. "$here/samples.sh"

COUNT=17000

# What an earlier run has left in caches must not count for the next
shrink_slabs() {
	local shrink
	echo 3 >/proc/sys/vm/drop_caches
	for shrink in /sys/kernel/slab/*/shrink; do echo 1 >"$shrink"; done
}

# measure DRIVER TYPE [PARAMETER...]
measure() {
	local driver=$1 type=$2
	shift 2
	load_sample "$driver" "$@"
	shrink_slabs
	"$bench" "$type" $COUNT >"$LAB_OUT/$driver-$n-$core"
	rmmod "$driver"
}

n=0
for core; do
	n=$((n + 1))
	echo "$n: $COUNT instances of mbochs, then $COUNT of mdev_bare, on the mdev core: $core"
	export LAB_MDEV_CORE=${core#ours}
	"$here/../lab/load.sh" core
	# megabytes
	measure mbochs "$(parent_of mbochs)/mdev_supported_types/mbochs-small" count=400000
	measure mdev_bare /sys/devices/platform/mdev_bare/mdev_supported_types/platform-bare
	"$here/../lab/unload.sh"
done
