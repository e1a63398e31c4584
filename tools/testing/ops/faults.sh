#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the suite "ops" find what it is for? Puts each fault of the directory faults into a copy of the
# tree, as a plausible patch would have it, plays with that on LANE, and prints a table of what found it, and
# after how many seconds:
#
#   faults.sh LANE [FAULT...]
#
# OPS_SECONDS (60) is for all devices together; OPS_SEED is passed on. Logs are in build/ops-faults. Exit
# status 1: a fault was not found.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/common.sh"
# shellcheck source=tools/testing/ops/targets.sh
. "$REPO/tools/testing/ops/targets.sh"

lane=$1
shift
faults=("$@")
if ((!$#)); then
	for patch in "$REPO"/tools/testing/ops/faults/*.patch; do faults+=("$(basename "$patch" .patch)"); done
fi
kver=$("$LAB_DIR/kernel.sh" "$lane")
root=$(kernel_root "$kver")
out=$REPO/build/ops-faults
copy=$out/tree
# What of the log says what it was
says='KASAN: [a-z-]*|BUG: .*|WARNING: .*|general protection fault|Oops: .*|kernel BUG at.*'

# The copy is inside of this repository, but none of it
apply() { GIT_CEILING_DIRECTORIES=$out git -C "$copy" apply "${@:2}" "$REPO/tools/testing/ops/faults/$1.patch"; }

# All of it is new, for make to see what an earlier fault has left
make_copy() {
	rm -rf "$copy"/{drivers,include,samples,tools,build}
	mkdir -p "$copy"
	cd "$REPO"
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
}

# Each step fails the whole, also where the shell does not look
build() {
	cd "$copy" && tools/testing/lab/lane.sh "$kver" && tools/testing/modules/build.sh "$kver" &&
		make -s -C tools/testing/selftests O="$copy/build/selftests" KDIR="${root%/}/lib/modules/$kver/build" \
			"$copy/build/selftests/ops_test"
}

# play FAULT LOGS: status 0 if nothing was found
play() {
	local each=$((${OPS_SECONDS:-60} / ${#TARGETS[@]}))
	"$copy/tools/testing/lab/run.sh" --name "ops-$1" --time-limit $((4 * each + 300)) --kver "$kver" --out "$2" -- \
		env "OPS_SECONDS=$each" "OPS_SEED=${OPS_SEED-}" tools/testing/ops/targets.sh < /dev/null > "$2/output" 2>&1
}

# What the kernel complained of; and when, since the first device was played with, if its log has times
splat() {
	awk -v says="$says" '
		match($0, /^\[ *[0-9.]+\]/) { now = substr($0, RSTART + 1, RLENGTH - 2) + 0 }
		/(^| )ops: / && !playing++ { begin = now }
		playing && match($0, says) {
			printf "%s%s\n", substr($0, RSTART, RLENGTH), begin ? sprintf(", %.0f s", now - begin) : ""
			exit
		}' "$1"
}

# What an invariant said, and when the run ended
broken() {
	grep -hoE 'does not come back from .*|# [a-z_]+, round .*|error: .*|0x?[0-9a-f]+ != .*' "$1" | head -n 1 | tr '\n' ',' || true
	sed -n 's/^# ended after \([0-9]*\) s/ \1 s/p' "$1" | head -n 1
}

# found LOGS: what it was, or nothing
found() {
	local why
	why=$(splat "$1/console.log")
	echo "${why:-$(broken "$1/output")}"
}

missed=0
make_copy
for fault in "${faults[@]}"; do
	logs=$out/$lane-$fault
	rm -rf "$logs"
	mkdir -p "$logs"
	if ! { apply "$fault" && build; } > "$logs/build" 2>&1; then
		die "$fault cannot be put in; see $logs/build"
	fi
	why=''
	if ! play "$fault" "$logs"; then why=$(found "$logs"); fi
	# a VM that ended for no reason that is known has found nothing
	[[ -n $why ]] || missed=1
	printf '%-14s %s: %s\n' "$fault" "$lane" "${why:-NOT FOUND, see $logs}"
	apply "$fault" -R
done
exit $missed
