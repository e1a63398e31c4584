#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What suite.sh makes of programs that end well, badly, early, or with nothing tested.

set -uo pipefail

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
# shellcheck source=tools/testing/suite.sh
. "$here/suite.sh"
last=suite

# program STATUS LINE...: what the suite "noun" is
program() {
	local status=$1
	shift
	printf '%s\n' "$@"
	return "$status"
}

# expect_added TEXT STATUS LINE...: the line that the suite adds to those of the program; none if TEXT is empty
expect_added() {
	local text=$1
	shift
	SUITE_OUT=$work suite noun program "$@" > "$work/said"
	grep '^not ok - noun: ' "$work/said" > "$work/added"
	if [[ -n $text ]]; then
		expect_has added "$text"
	else
		differ "$*" /dev/null "$work/added"
	fi
}

test_what_went_well() {
	expect_added '' 0 'ok 1 - a' 'ok 2 - b' 1..2
	expect_added '' 0 'ok 1 - a' 'ok 2 - b # SKIP not here' 1..2
}

test_a_failure_is_not_counted_twice() {
	expect_added '' 1 'ok 1 - a' 'not ok 2 - b' 1..2
}

test_what_ended_early() {
	expect_added 'no tests planned, 0 ran, status 0' 0
	expect_added 'no tests planned, 0 ran, status 1' 1 'Bail out!'
	expect_added '2 tests planned, 1 ran, status 139' 139 1..2 'ok 1 - a'
}

test_a_status_without_a_failure() {
	expect_added 'status 1 with no test failed' 1 'ok 1 - a' 1..1
	expect_added 'status 99 with no test failed' 99 'ok 1 - a # SKIP not here' 1..1
}

test_all_skipped() {
	expect_added '' 4 'ok 1 - a # SKIP not here' 'ok 2 - b # SKIP not here' 1..2
	expect_added 'status 4 with no test failed' 4 'ok 1 - a # SKIP not here' 'ok 2 - b' 1..2
}

# cmocka before 1.1.6
test_skipped_is_not_failed() {
	SUITE_OUT=$work suite noun program 0 'not ok 1 - a # SKIP' 'ok 2 - b' 1..2 > "$work/said"
	expect_equal 0 "$(grep -c '^not ok' "$work/said")" failures
}

tap_main "$@"
