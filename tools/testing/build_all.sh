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
supported=$(make -s -C "$REPO" supported)
mkdir -p "$log"

# build KDIR KVER
build() {
	if "$LAB_DIR/lane.sh" "$2" "$1" > "$log/$2.log" 2>&1 && ! grep -q 'warning:' "$log/$2.log"; then
		echo "ok      $2 ($1)"
	else
		echo "FAILED  $2 ($1), see $log/$2.log"
		status=1
	fi
}

declare -A seen=()
for kdir in /lib/modules/*/build /usr/src/linux-headers-* "$CACHE"/kernels/*/lib/modules/*/build; do
	kver=$(cat "$kdir/include/config/kernel.release" 2> /dev/null) || continue
	for series in $supported; do
		if [[ $kver == "$series".* && -z ${seen[$kver]-} ]]; then
			seen[$kver]=1
			build "$kdir" "$kver"
		fi
	done
done
((${#seen[@]})) || die "no headers of $supported are here; \"make setup\" installs some"
exit $status
