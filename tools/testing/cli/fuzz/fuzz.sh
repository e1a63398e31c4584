#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The parsers of mdev-ctl with random input, as TAP: fuzz.sh [TEST...]
#
# FUZZ_SECONDS in the environment is how long it looks. Inputs that led somewhere new are kept in build/ctl-fuzz/corpus
# for the next run; one that shows a fault is kept in build/ctl-fuzz, and can be given to ctl_fuzz.

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tap.sh"
build=$here/../../../../build/ctl-fuzz
seconds=${FUZZ_SECONDS:-20}

# Where each of the parsers begins
seeds() {
	mkdir -p "$build/corpus"
	printf 'c{\n  "mdev_type": "t-1",\n  "start": "auto",\n  "attrs": []\n}' >"$build/corpus/written"
	printf 'c{"mdev_type":"t","start":"manual","attrs":[{"a/b":"1 \\"x\\u00e9"},{"c":""}]}' >"$build/corpus/config"
	printf 'c{"mdev_type":"t","start":"auto","attrs":[{"\xc3\xa9":"\\u00e9\xef\xbf\xbf\xf4\x8f\xbf\xbf"}]}' \
		>"$build/corpus/characters"
	printf 'a[{"a":"1"},{"b":"2"}]' >"$build/corpus/attrs"
	printf 'p{"supports":{"version":2,"actions":["start","modify"],"events":["pre","live"]}}' >"$build/corpus/capabilities"
}

test_random() {
	local runs

	seeds
	if ! "$build/ctl_fuzz" -artifact_prefix="$build/" -max_total_time="$seconds" -max_len=400 \
		-print_final_stats=1 "$build/corpus" >"$work/log" 2>&1; then
		fail "$(grep -v '^#' "$work/log" | tail -n 40)"
	fi
	runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$work/log")
	((${runs:-0} > 1000)) || fail "only ${runs:-0} inputs were run in $seconds s"
	echo "# $runs inputs in $seconds s"
}

last=fuzz
tap_main "$@"
