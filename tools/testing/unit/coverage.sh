#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the unit tests once more, with gcov, and says of each file that they test which part of its lines they run. As
# TAP: a file is a test, which fails below 95 %.

# Tests are called by name
# shellcheck disable=SC2317
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$here/../../../build/coverage
at_least=95
status=0 n=0

# verdict NAME COMMAND...
verdict() {
	local name=$1
	shift
	((n += 1))
	if "$@"; then echo "ok $n - $name"; else echo "not ok $n - $name"; status=1; fi
}

build() { make -s -C "$here" O="$out" SANITIZE=--coverage; }

run_tests() {
	local test
	for test in "$out"/*_test; do
		"$test" > "$test.tap" || { grep '^not ok' "$test.tap" | sed 's/^/# /'; return 1; }
	done
}

enough() { awk -v got="$1" -v want="$at_least" 'BEGIN { exit !(got >= want) }'; }

rm -rf "$out"
verdict 'the tests build' build
verdict 'the tests pass' run_tests
cd "$here" || exit 1
for object in "$out"/vpci_*.o; do
	name=$(basename "$object" .o).c
	read -r percent of < <(gcov -n "$object" | grep -A 1 "^File '.*/$name'" |
		sed -n 's/^Lines executed:\([0-9.]*\)% of \([0-9]*\)/\1 \2/p')
	gcov -t "$object" | sed -n 's/^ *#####: */# not run: /p'
	verdict "$name: ${percent:-0} % of ${of:-0} lines, at least $at_least" enough "${percent:-0}"
done
echo "1..$n"
exit $status
