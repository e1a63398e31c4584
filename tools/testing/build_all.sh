#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the modules against every set of headers and configured kernel tree from 6.12 on that is on this machine, each in
# build/lanes, and prints a line for each. A kernel that is refused by name of what it lacks is a failure only if it is of
# a series that "make supported" lists.

set -uo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab/common.sh"

status=0
log=$REPO/build/build-all
tested=$(make -s -C "$REPO" supported | cut -d' ' -f1 | cut -d. -f1,2)
mkdir -p "$log"

is_tested() { grep -qxF "$(cut -d. -f1,2 <<< "$1")" <<< "$tested"; }

# build KDIR KVER
build() {
	local note=''
	is_tested "$2" || note=', not tested'
	if "$LAB_DIR/lane.sh" "$2" "$1" > "$log/$2.log" 2>&1 && ! grep -q 'warning:' "$log/$2.log"; then
		echo "ok      $2 ($1)$note"
	elif [[ -n $note ]] && grep -q 'in no known form' "$log/$2.log"; then
		echo "refused $2 ($1)$note: $(sed -n 's/.*no known form: \(.*\)\. Take.*/\1/p' "$log/$2.log")"
	else
		echo "FAILED  $2 ($1)$note, see $log/$2.log"
		status=1
	fi
}

declare -A seen=()
for kdir in /lib/modules/*/build /usr/src/linux-headers-* "$CACHE"/kernels/*/lib/modules/*/build; do
	kver=$(cat "$kdir/include/config/kernel.release" 2> /dev/null) || continue
	if [[ -z ${seen[$kver]-} && $(printf '%s\n' 6.12 "$kver" | sort -V | head -n 1) == 6.12 ]]; then
		seen[$kver]=1
		build "$kdir" "$kver"
	fi
done
((${#seen[@]})) || die 'no headers of a kernel from 6.12 on are here; "make setup" installs some'
exit $status
