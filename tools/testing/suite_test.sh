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

# one NAME: of a program with several tests, see program()
one() {
	[[ $1 != c ]] || return 139
	printf '1..1\nok 1 - %s%s\n' "$1" "${skips-}"
	[[ -z ${skips-} ]] || return 4
}

test_some_tests_of_a_program() {
	SUITE_OUT=$work suite noun each_test 'a b' one > "$work/said"
	printf '%s\n' '# suite noun' 'ok 1 - a' 'ok 1 - b' 1..2 > "$work/expected"
	differ 'two tests' "$work/expected" "$work/said"
	skips=' # SKIP not here' SUITE_OUT=$work suite noun each_test 'a b' one > "$work/said"
	expect_equal 0 "$(grep -c '^not ok' "$work/said")" 'failures of what was skipped'
	SUITE_OUT=$work suite noun each_test 'a c' one > "$work/said"
	expect_has said 'not ok - noun: 2 tests planned, 1 ran, status 139'
}

# faults LANE...: what cve.py makes of the logs in $work/run, without what is well
faults() { "$here/cve.py" verify "$work/run" "$@" | grep -v -e '^1\.\.' -e '^ok .*(stock)$' > "$work/said"; }

test_public_faults_are_accounted_for() {
	local suite alone=$work/run/stock/alone n
	mkdir -p "$alone"
	for suite in $("$here/cve.py" suites); do
		for name in $("$here/cve.py" tests "$suite"); do echo "ok 1 - $name"; done > "$alone/$suite.tap"
	done
	n=$(grep -c '^[A-Z]' "$here/cve.txt")
	expect_equal "$n" "$("$here/cve.py" verify "$work/run" stock debug-new | grep -c '^ok .*(stock)$')" 'tests that passed'

	# what failed on any lane has failed
	mkdir -p "$work/run/debug-new/alone"
	echo 'not ok 1 - test_hammer' > "$work/run/debug-new/alone/irq-race.tap"
	faults stock debug-new
	expect_has said 'CVE-2026-46036: irq-race test_hammer failed (debug-new)'
	# the second run of a part that was disturbed counts
	mv "$work/run/debug-new/alone" "$work/run/debug-new/alone.again"
	faults stock debug-new
	expect_equal '' "$(cat "$work/said")" 'what is said of a part that ran again'

	# what ran nowhere, or was skipped everywhere
	echo 'ok 1 - test_hammer # SKIP not here' > "$alone/irq-race.tap"
	faults stock debug-new
	expect_has said 'CVE-2026-46036: irq-race test_hammer did not run'
	expect_has said 'CVE-2026-46036: irq-race test_nothing_is_lost_or_doubled did not run'
	expect_equal 0 "$(grep -vc '^not ok' "$work/said")" 'what else is said'
	faults stock
	expect_equal 0 "$(grep -c '^not ok' "$work/said")" 'failures where no lane has checkers'
	expect_has said 'irq-race test_hammer # SKIP did not run on stock'
}

tap_main "$@"
