# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Running a program that prints TAP as one suite of many; to be sourced. Its
# results go through as they are. A suite that dies on the way, runs fewer tests
# than it planned or none at all adds a "not ok" of its own, so that counting
# the "ok" and "not ok" lines of everything tells the truth. Status 4 says that
# all tests were skipped, and is none of that when it is so; whether anything at
# all has to run is for the caller to say.
#
# How many seconds each took is in $SUITE_OUT/suite-times.

# cmocka before 1.1.6 calls what it skips "not ok".
normalise() { sed -u 's/^not ok \(.*# SKIP\)/ok \1/'; }

# all_skipped LOG
all_skipped() { awk '/^ok / && !/# SKIP/ { ran = 1 } END { exit ran }' "$1"; }

# each_test "TEST..." COMMAND...: these tests of the command, which takes the name of one, as if it had no others
each_test() {
	local status=0 name names one
	read -r -a names <<< "$1"
	shift
	(
		for name in "${names[@]}"; do
			one=0
			"$@" "$name" || one=$?
			# nothing else of it was to run
			if ((one != 0 && one != 4)); then status=$one; fi
		done
		exit $status
	) | sed -u '/^1\.\./d' || status=$?
	echo "1..${#names[@]}"
	return $status
}

# suite NAME COMMAND...: NAME is also where its output is kept, in $SUITE_OUT
suite() {
	local name=$1 log=$SUITE_OUT/$1.tap status=0 ran planned start=$SECONDS
	shift
	echo "# suite $name"
	"$@" 2>&1 < /dev/null | normalise | tee "$log" || status=$?
	echo "$((SECONDS - start)) $name" >> "$SUITE_OUT/suite-times"
	ran=$(grep -cE '^(not )?ok ' "$log")
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | tail -n 1)
	if ((ran == 0)) || [[ $planned != "$ran" ]]; then
		echo "not ok - $name: ${planned:-no} tests planned, $ran ran, status $status; log: $log"
	elif ((status == 4)) && all_skipped "$log"; then
		:
	elif ((status)) && ! grep -q '^not ok ' "$log"; then
		echo "not ok - $name: status $status with no test failed; log: $log"
	fi
}
