#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# irq.sh KVER: what it costs to signal an eventfd through VFIO_DEVICE_SET_IRQS, for the physical adapter by vfio-pci and for
# instances, in one run of the lab VM. Fails if an instance is slower. All modules must have been built for KVER.

set -euo pipefail
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/testing/lab/common.sh
. "$bench/../lab/common.sh"

kver=${1:?the version of the kernel that the modules were built for}
out=$REPO/build/bench
run=$out/irq

rm -rf "$run"
mkdir -p "$run"
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -idirafter "$REPO/build/selftests/include" -o "$out/irq_bench" "$bench/irq_bench.c"
"$bench/../modules/build.sh" "$kver" >"$out/modules.log" 2>&1 || { tail -n 20 "$out/modules.log" >&2; die "see $out/modules.log"; }
"$LAB_DIR/run.sh" --name bench-irq --time-limit 600 --kver "$kver" --iommu --out "$run" -- \
	tools/testing/bench/run_irq.sh </dev/null

best() { sort -n "$run/$1" | head -n 1; }

printf '%-44s %8s\n' 'to signal an eventfd by VFIO_DEVICE_SET_IRQS' ns
printf '  %-42s %8s\n' 'vfio-pci, REQ' "$(best vfio-pci)" 'an instance of mgpu, REQ' "$(best mgpu)" \
	'an instance of irq_lab, MSI-X' "$(best msix)"
limit=$(($(best vfio-pci) * 105 / 100))
if (($(best mgpu) > limit || $(best msix) > limit)); then
	echo "MISSED: no more than vfio-pci, and 5 % for noise ($limit ns)"
	exit 1
fi
