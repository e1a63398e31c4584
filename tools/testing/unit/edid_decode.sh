#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What edid-decode, which knows the standard, says of our EDIDs:
#
#   edid_decode.sh EDID_TEST [NAME...]

set -u

generator=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

conforms() {
	last=$1x$2
	"$generator" --dump "$1" "$2" > "$work/edid"
	edid-decode --check "$work/edid" > "$work/said" 2>&1 || fail "$last: $(grep -A9 -e Fail -e Warn "$work/said")"
	expect_has said 'EDID conformity: PASS'
	expect_has said "$1x$2 "
}

test_usual_sizes() {
	local size
	command -v edid-decode > /dev/null || skip 'edid-decode is not installed'
	for size in '640 480' '800 600' '1024 768' '1280 800' '1280 1024' '1600 900' '1920 1080' '2560 1600' '3840 2160'; do
		# shellcheck disable=SC2086 # two words
		conforms $size
	done
}

test_damage_is_noticed() {
	command -v edid-decode > /dev/null || skip 'edid-decode is not installed'
	"$generator" --dump 1024 768 | sed 's/a name/b name/' > "$work/edid"
	! edid-decode --check "$work/edid" > /dev/null 2>&1 || fail 'a wrong checksum conforms'
}

tap_main "$@"
