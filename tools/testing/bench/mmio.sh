#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mmio.sh KVER: what accesses of a display adapter cost by vfio-pci, by an instance of mgpu on the same adapter, and by the
# sample mbochs, in one run of the lab VM. Fails if a goal is missed. All modules must have been built for KVER. Times are
# those of an emulated machine and mean something in comparison only.

set -euo pipefail
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/testing/lab/common.sh
. "$bench/../lab/common.sh"

kver=${1:?the version of the kernel that the modules were built for}
out=$REPO/build/bench
run=$out/mmio
missed=0

rm -rf "$run"
mkdir -p "$run"
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -idirafter "$REPO/build/selftests/include" -o "$out/mmio_bench" "$bench/mmio_bench.c"
"$bench/../modules/build.sh" "$kver" >"$out/modules.log" 2>&1 || { tail -n 20 "$out/modules.log" >&2; die "see $out/modules.log"; }
"$LAB_DIR/samples.sh" "$kver" ours >"$out/samples.log" 2>&1 || { tail -n 20 "$out/samples.log" >&2; die "see $out/samples.log"; }
"$LAB_DIR/run.sh" --name bench-mmio --time-limit 900 --kver "$kver" --iommu --out "$run" -- \
	tools/testing/bench/run_mmio.sh </dev/null

# value PEER KEY: the best of all rounds; of the touches the median, because a round or two are lucky with the caches
value() {
	cat "$run/$1"-[0-9]* | awk -v key="$2" '$1 == key { print $2 }' | sort -n | awk -v key="$2" '
		{ values[NR] = $1 }
		END { print values[key ~ /touch/ ? int((NR + 1) / 2) : 1] }'
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# verdict GOT LIMIT: whether GOT is at most LIMIT
verdict() {
	if awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; then
		echo "$3"
	else
		echo "$3   MISSED"
	fi
}

row() {
	printf '%-38s %10s %10s %10s   %s\n' "$@"
	if [[ ${*: -1} == *MISSED ]]; then missed=1; fi
}

# figure TEXT KEY [LIMIT GOAL]: of all three; LIMIT is for mgpu
figure() {
	local goal=${4-}
	if (($# > 2)); then goal=$(verdict "$(value mgpu "$2")" "$3" "$4"); fi
	row "$1" "$(value vfio-pci "$2")" "$(value mgpu "$2")" "$(value mbochs "$2")" "$goal"
}

# compared TEXT KEY OTHER: with read(2) of /dev/zero
compared() {
	local base mine
	base=$(value zero "$3")
	mine=$(ratio "$(value mgpu "$2")" "$base")
	row "  against /dev/zero ($base ns)" "$(ratio "$(value vfio-pci "$2")" "$base")" "$mine" \
		"$(ratio "$(value mbochs "$2")" "$base")" "$(verdict "$mine" 1.20 '<= 1.20')"
}

times() { awk -v a="$1" -v b="$2" 'BEGIN { print a * b }'; }

row '' vfio-pci mgpu mbochs 'goal for mgpu'
figure 'faults for 16 MiB at 2 MiB alignment' faults 8 '<= 8'
# Equal work; the rounds of one driver differ by 3 %
figure 'first touch, us per MiB' first_touch "$(times "$(value vfio-pci first_touch)" 1.02)" '<= 1.02 x vfio-pci'
row '  against mbochs' '' "$(ratio "$(value mgpu first_touch)" "$(value mbochs first_touch)")" '' \
	"$(verdict "$(ratio "$(value mgpu first_touch)" "$(value mbochs first_touch)")" 0.40 '<= 0.40')"
figure 'second touch, us per MiB' second_touch "$(times "$(value vfio-pci second_touch)" 1.05)" '<= 1.05 x vfio-pci'
figure 'faults for 16 MiB, not aligned' faults_unaligned 256 '<= 256'
figure '  first touch, us per MiB' first_touch_unaligned
figure 'read(2) of 1 MiB of BAR 0, us' copy "$(value vfio-pci copy)" '<= vfio-pci'
figure 'read(2) of 4 bytes of BAR 0, ns' near
figure '  in turns, 2 MiB apart' far "$(times "$(value mgpu near)" 1.10)" '<= 1.10 x the same place'
figure 'trapped register, 2 bytes, ns' trapped
compared '' trapped read2
figure 'config space, 4 bytes, ns' config
compared '' config read4
echo
# A cost that grows like log n grows by the same sum whenever n is ten times as large. The ratio of two costs
# would say less: a tree of ten extents has one node and costs nothing to balance. 15 % are for the noise; of what
# grows like the square of log n the second sum is 40 % larger than the first.
row 'extents of 4 KiB, random order' 100 1,000 10,000 'goal for what ten times as many add'
for what in back revoke; do
	few=$(value lab ${what}_100) more=$(value lab ${what}_1000) many=$(value lab ${what}_10000)
	row "  $what one, ns" "$few" "$more" "$many" \
		"$(verdict $((many - more)) "$(times $((more - few)) 1.15)" "+$((more - few)), then +$((many - more)): <= 1.15 x")"
done
echo "All figures: $run/"
exit $missed
