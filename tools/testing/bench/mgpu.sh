#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mgpu.sh KVER: how fast guests write to the memory of their displays: one that has the physical adapter by vfio-pci, and two
# that share it by mgpu at the same time, in one run of the lab VM. Fails if mgpu is more than 5 % slower. Figures are those
# of an emulated machine and mean something in comparison only. It has one processor, so the guests take turns; what they
# reach both at once is shown, too, and has no goal.

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
"$LAB_DIR/run.sh" --name bench-mgpu --time-limit 1200 --kver "$kver" --iommu --nested --out "$run" -- \
	tools/testing/bench/run_mgpu.sh "$("$LAB_DIR/initramfs.sh" fbdraw-path)" "$REPO/build/bench/vram_bench" </dev/null

best() { sort -n "$run/$1"-[0-9]* | tail -n 1; }

peer=$(best vfio-pci)
printf '%-46s %8s %8s\n' 'writes of a guest to its mapped VRAM' MiB/s ratio
printf '%-46s %8s\n' 'the physical adapter, vfio-pci' "$peer"
for guest in A B; do
	got=$(best "mgpu-$guest")
	ratio=$(awk -v a="$got" -v b="$peer" 'BEGIN { printf "%.2f", a / b }')
	verdict='>= 0.95'
	if awk -v a="$ratio" 'BEGIN { exit !(a < 0.95) }'; then verdict+='   MISSED' missed=1; fi
	printf '%-46s %8s %8s   %s\n' "instance of guest $guest, mgpu" "$got" "$ratio" "$verdict"
done
printf '%-46s %8s\n' 'both instances at once, on one processor' \
	"$(awk '{ sum += $1 } END { print sum }' "$run/both-A" "$run/both-B")"
echo "All figures: $run/"
exit $missed
