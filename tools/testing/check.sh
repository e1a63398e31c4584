#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds everything and runs all suites, or those that were asked for:
#
#   check.sh KVER               all of them; the lab boots kernel KVER
#   check.sh - unit             those that need neither kernel nor VM
#   check.sh KVER SUITE [TEST]  one suite, or one test of it
#
# The output is TAP-like; the last line is "N passed, N failed". Full logs are in
# build/check.

set -uo pipefail

testing=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$testing/../.." && pwd)
export SUITE_OUT=$top/build/check
# shellcheck source=tools/testing/suite.sh
. "$testing/suite.sh"
cd "$top" || exit 1

kver=$1
read -r -a asked <<< "${2-}"
only=${asked[0]-}
tests=("${asked[@]:1}")
all=$SUITE_OUT/all.tap

# The build as a test: it succeeds, and without a warning.
build() {
	local status=0 log=$SUITE_OUT/build.log
	make all tests > "$log" 2>&1 || status=$?
	if ((status == 0)) && ! grep -E 'warning:' "$log"; then
		echo 'ok 1 - everything builds without a warning (W=1)'
	else
		tail -n 40 "$log"
		echo 'not ok 1 - everything builds without a warning (W=1)'
	fi
	echo '1..1'
	return $status
}

wanted() { [[ -z $only || $only == "$1" || ($only == unit && $1 != build) ]]; }

cli() {
	local script
	make -s -C tools/mdev-ctl SAN=1
	for script in "$testing"/cli/*_test.sh; do
		[[ ${script##*/} != real_test.sh ]] || continue
		suite "cli-$(basename "$script" _test.sh)" "$script" "$@"
		MDEV_CTL=$top/tools/mdev-ctl/mdev-ctl-san \
			suite "cli-san-$(basename "$script" _test.sh)" "$script" "$@"
	done
}

lab() {
	local status=0
	"$testing/lab/run.sh" --name check --time-limit 600 --kver "$kver" \
		--out "$SUITE_OUT/lab" -- tools/testing/selftests/run.sh \
		"$("$testing/lab/initramfs.sh" fbdraw-path)" \
		${only:+"$only"} "${tests[@]}" < /dev/null || status=$?
	((status == 0)) || echo "not ok - the lab VM ended with status $status; logs: $SUITE_OUT/lab"
}

suites() {
	suite build build
	if grep -q '^not ok' "$SUITE_OUT/build.tap"; then return; fi
	if wanted make; then suite make "$testing/build_test.sh" "${tests[@]}"; fi
	if wanted config; then suite config build/unit/config_test "${tests[@]}"; fi
	if wanted cli; then cli "${tests[@]}"; fi
	case $only in
	'' | mdev | vpci | ctl | guest) lab ;;
	make | config | cli | unit) ;;
	*) echo "not ok - there is no suite '$only'; there are: make config cli (unit: these three) mdev vpci ctl guest" ;;
	esac
}

rm -rf "$SUITE_OUT"
mkdir -p "$SUITE_OUT/lab"
suites 2>&1 | tee "$all"

passed=$(grep '^ok ' "$all" | grep -vc '# SKIP')
failed=$(grep -c '^not ok ' "$all")
skipped=$(grep -c '^ok .*# SKIP' "$all")
if ((failed)); then
	echo "# failed:"
	grep '^not ok ' "$all" | sed 's/^/#   /'
fi
echo "$passed passed, $failed failed${skipped:+$( ((skipped)) && echo ", $skipped skipped")}"
((failed == 0 && passed > 0))
