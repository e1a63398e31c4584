#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mgpu.sh KVER: how fast guests write to the memory of their displays: one that has an adapter by vfio-pci, and two that share
# another one like it by mgpu, all of them in one run of the lab VM, in turn and at once. Fails if mgpu is more than 5 % slower.
# Figures are those of an emulated machine and mean something in comparison only. It has one processor, which the guests
# share when they write at once; so what counts then is how fast each is while it has the processor.

set -euo pipefail
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/testing/lab/common.sh
. "$bench/../lab/common.sh"

kver=${1:?the version of the kernel that the modules were built for}
run=$REPO/build/bench/mgpu
missed=0

rm -rf "$run"
mkdir -p "$run"
gcc -std=gnu11 -O2 -static -Wall -Wextra -Werror -o "$REPO/build/bench/vram_bench" "$bench/vram_bench.c"
"$LAB_DIR/run.sh" --name bench-mgpu --time-limit 1200 --kver "$kver" --iommu --peer --nested --out "$run" -- \
	tools/testing/bench/run_mgpu.sh "$("$LAB_DIR/initramfs.sh" fbdraw-path)" "$REPO/build/bench/vram_bench" </dev/null

best() { sort -n "$run/$1"-[0-9]* | tail -n 1; }

# table MEASURE TITLE
table() {
	local peer guest got ratio verdict
	peer=$(best "$1-V")
	printf '%-46s %8s %8s\n' "$2" MiB/s ratio
	printf '%-46s %8s\n' '  an adapter of its own, vfio-pci' "$peer"
	for guest in A B; do
		got=$(best "$1-$guest")
		ratio=$(awk -v a="$got" -v b="$peer" 'BEGIN { printf "%.3f", a / b }')
		verdict='>= 0.95'
		if awk -v a="$ratio" 'BEGIN { exit !(a < 0.95) }'; then verdict+='   MISSED' missed=1; fi
		printf '%-46s %8s %8s   %s\n' "  instance of guest $guest, mgpu" "$got" "$ratio" "$verdict"
	done
}

table alone 'writes to mapped VRAM, one guest alone'
table at_once 'all three at once, while it has the processor'
echo "overwriting VRAM with zeroes: 8 MiB in $(<"$run/scrub-A") us, 4 MiB in $(<"$run/scrub-B") us"
echo "All figures: $run/"
exit $missed
