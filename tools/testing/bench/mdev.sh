#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mdev.sh KVER [CORE...]: what instances cost on the kernel's mdev core and on ours, side by side in one run of the lab
# VM, in the order of the COREs (default: kernel ours). All modules must have been built for KVER. Times are those of an
# emulated machine and mean something in comparison only.

set -euo pipefail
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/testing/lab/common.sh
. "$bench/../lab/common.sh"

kver=${1:?the version of the kernel that the modules were built for}
shift
cores=("$@")
(($#)) || cores=(kernel ours)
out=$REPO/build/bench

rm -rf "$out/run"
mkdir -p "$out/run"
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$out/mdev_bench" "$bench/mdev_bench.c"
"$LAB_DIR/samples.sh" "$kver" >"$out/samples.log" 2>&1 || { tail -n 20 "$out/samples.log" >&2; die "see $out/samples.log"; }
"$LAB_DIR/run.sh" --name bench --time-limit 1800 --kver "$kver" --out "$out/run" -- \
	tools/testing/bench/run_mdev.sh "${cores[@]}" </dev/null

# value DRIVER CORE KEY: of the last run on that core
value() {
	local file
	for file in "$out/run/$1"-*-"$2"; do :; done
	awk -v key="$3" '$1 == key { print $2 }' "$file"
}

# times DRIVER create|remove [GOAL-AT-1000 GOAL-OF-RATIO]
times() {
	local core ratios=()
	for core in kernel ours; do
		ratios+=("$(awk -v a="$(value "$1" $core "${2}_16000")" -v b="$(value "$1" $core "${2}_1000")" \
			'BEGIN { printf "%.2f", a / b }')")
	done
	row "  $2 around the 1,000th (us)" "$(value "$1" kernel "${2}_1000")" "$(value "$1" ours "${2}_1000")" "${3-}"
	row "  $2 around the 16,000th (us)" "$(value "$1" kernel "${2}_16000")" "$(value "$1" ours "${2}_16000")" ''
	row '    ratio' "${ratios[@]}" "${4-}"
}

# memory DRIVER [GOAL]
memory() {
	row '  slab per instance (bytes)' "$(value "$1" kernel slab)" "$(value "$1" ours slab)" "${2-}"
	row '    of which unreclaimable' "$(value "$1" kernel slab_unreclaimable)" "$(value "$1" ours slab_unreclaimable)" ''
}

row() {
	printf '%-40s %10s %10s   %s\n' "$@"
}

row 'mbochs, of which VFIO knows' kernel ours goal
times mbochs create '<= kernel' '<= 1.10'
times mbochs remove
memory mbochs '<= kernel'
row 'mdev_bare, of which VFIO does not know' '' '' ''
times mdev_bare create '<= kernel' '<= 1.10'
times mdev_bare remove
memory mdev_bare '<= kernel'
echo "Each run, with the caches that grew most: $out/run/"
