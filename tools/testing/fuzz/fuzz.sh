#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The config space engine against a naive model, as TAP: fuzz.sh [TEST...]
#
# FUZZ_SECONDS in the environment is how long it looks for something new. Inputs
# that led somewhere new are kept in build/fuzz/corpus for the next run; one that
# shows a difference is kept in build/fuzz, and can be given to config_fuzz.

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
build=$here/../../../build/fuzz
seconds=${FUZZ_SECONDS:-30}

# fuzz OPTION...: runs becomes how many inputs were run
fuzz() {
	if ! "$build/config_fuzz" -artifact_prefix="$build/" "$@" >"$work/log" 2>&1; then
		fail "$(grep -v '^#' "$work/log" | tail -n 40)"
	fi
	runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$work/log")
}

test_corpus() {
	local runs files
	files=$(find "$here/corpus" -type f | wc -l)
	fuzz -runs=0 "$here/corpus"
	((files > 0 && ${runs:-0} >= files)) || fail "of $files inputs ${runs:-none} were run"
}

test_random() {
	local runs
	mkdir -p "$build/corpus"
	fuzz -max_total_time="$seconds" -len_control=0 -max_len=512 -print_final_stats=1 \
		"$build/corpus" "$here/corpus"
	((${runs:-0} > 1000)) || fail "only ${runs:-0} inputs were run in $seconds s"
	echo "# $runs inputs in $seconds s"
}

tap_main "$@"
