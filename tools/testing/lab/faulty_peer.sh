#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# faulty_peer.sh KVER OUT [TEST...]: public faults that a kernel's vfio-pci has, and ours not, in one run of the lab VM
# whose logs are in OUT. Ours comes first, and what vfio-pci does is the end of the VM. When a kernel does not end
# any more, Documentation/security.rst and this are to be changed.

set -u

kver=$1 out=$2
shift 2
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
top=$here/../../..

# A leaf of 1 GiB of which a part gets a VMA of its own
test_leaf_that_is_split() {
	local status=0
	last="$kver"
	(
		cd "$top" && "$here/run.sh" --iommu --shmem 2G --name faulty-peer --time-limit 600 --kver "$kver" --out "$out" -- \
			tools/testing/selftests/run.sh none faulty-peer < /dev/null
	) > "$work/out" 2>&1 || status=$?
	cp "$out/leaf-split.tap" "$work/ours"
	expect_equal 3 "$(grep -c '^ok ' "$work/ours")" 'tests of ours that passed'
	expect_equal '' "$(grep '^not ok ' "$work/ours")" 'tests of ours that failed'
	if ((status == 0)) && grep -q '^ok ' "$out/vfio-pci.tap" && ! grep -q '^not ok ' "$out/vfio-pci.tap"; then
		skip 'vfio-pci of this kernel passes as well: it has the fix'
	fi
	expect_equal "$DIED" "$status" 'how the VM ended'
	# a panic repeats the log
	grep -a -m 1 -B 1000 -E "$SPLAT" "$out/console.log" | grep -a -oE 'leaf_split_peer: .*' | tail -n 1 > "$work/call"
	grep -a -m 1 -oE "$SPLAT.*" "$out/console.log" > "$work/splat"
	sed 's/^/# vfio-pci: /' "$work/call" "$work/splat"
	[[ -s $work/call && -s $work/splat ]] || fail 'the kernel did not end by what vfio-pci does'
}

# What run.sh says of a VM that is gone, and how the kernel says what it fell over
DIED=125
SPLAT='(BUG: |kernel BUG at |WARNING: |Oops: |general protection fault|mm/pgtable-generic\.c:[0-9]+: bad p)'

tap_main "$@"
