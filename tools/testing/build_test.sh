#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What "make" says when it is asked for something that it cannot do.

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
top=$here/../..
last='make'

# expect_refusal KDIR TEXT: one line, which names KDIR and holds TEXT
expect_refusal() {
	if make -s -C "$top" modules KDIR="$1" > "$work/out" 2> "$work/err"; then
		fail 'it succeeded'
	fi
	grep -v '^make' "$work/err" > "$work/said"
	expect_equal 1 "$(wc -l < "$work/said")" 'lines of the message'
	expect_has said "KDIR=$1: "
	expect_has said "$2"
}

test_no_headers() {
	expect_refusal "$work/nowhere" 'no kernel headers there'
}

test_unsupported_kernel() {
	local release

	for release in 6.1.0-37-amd64 6.11.9 6.120.1 6.13.0 7.0.1 5.10.0; do
		mkdir -p "$work/$release/include/config"
		echo $release > "$work/$release/include/config/kernel.release"
		expect_refusal "$work/$release" "kernel $release is not supported, only 6.12"
	done
}

test_help_lists_the_targets() {
	local target

	make -s -C "$top" help > "$work/out"
	for target in all demo check lab-shell setup install clean; do
		expect_has out "make $target "
	done
}

tap_main "$@"
