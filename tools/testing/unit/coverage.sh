#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the unit tests once more, with gcov, and prints of each file that they test
# which part of its lines they run. Fails if it is less than 95 % of one.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$here/../../../build/coverage
at_least=95

rm -rf "$out"
make -s -C "$here" O="$out" SANITIZE=--coverage
for test in "$out"/*_test; do
	"$test" > "$test.tap" || { grep "^not ok" "$test.tap"; exit 1; }
done

status=0
cd "$here"
for object in "$out"/vpci_*.o; do
	name=$(basename "$object" .o).c
	read -r percent of < <(gcov -n "$object" | grep -A 1 "^File '.*/$name'" |
		sed -n 's/^Lines executed:\([0-9.]*\)% of \([0-9]*\)/\1 \2/p')
	echo "$name: $percent % of $of lines"
	awk -v got="$percent" -v want=$at_least 'BEGIN { exit got < want }' || status=1
	gcov -t "$object" | sed -n 's/^ *#####: */    not run: /p'
done
((status == 0)) || echo "coverage.sh: less than $at_least % of a file; see the lines above" >&2
exit $status
