#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the modules against every supported set of headers and configured kernel
# tree on this machine, each in build/lanes, and prints a line for each.

set -uo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab/common.sh"

status=0
log=$REPO/build/build-all
mkdir -p "$log"
for series in $(make -s -C "$REPO" supported); do
	while read -r kver; do
		kernel_has_headers "$kver" || continue
		if "$LAB_DIR/lane.sh" "$kver" > "$log/$kver.log" 2>&1 &&
		   ! grep -q 'warning:' "$log/$kver.log"; then
			echo "ok      $kver"
		else
			echo "FAILED  $kver, see $log/$kver.log"
			status=1
		fi
	done < <(kernel_versions "$series.*")
done
exit $status
