#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests definitions under many writers at once, and under writers that are killed.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

attr_names() { sed -n 's/^      "\(.*\)": .*/\1/p' "$(etc)/$1/$2" | sort; }

# Nothing that one process adds is lost by another.
test_concurrent_modify() {
	local i

	use_etc
	definition $P $D t manual
	for i in {1..40}; do
		"$MDEV_CTL" modify -u $D --addattr "a$i" --value "$i" 2>>"$work/err" || echo "$i failed" >>"$work/failed_ones" &
	done
	wait
	[ ! -e "$work/failed_ones" ] || fail "$(cat "$work/failed_ones" "$work/err")"
	expect_equal "$(printf 'a%s\n' {1..40} | sort)" "$(attr_names $P $D)" attributes
}

# One of many defines it, the others are told.
test_concurrent_define() {
	local i

	use_etc
	for i in {1..20}; do
		{ "$MDEV_CTL" define -u $D -p $P -t "t$i" 2>/dev/null && echo "t$i" >>"$work/winners"; } &
	done
	wait
	expect_equal 1 "$(wc -l <"$work/winners")" winners
	expect_has "root/etc/mdevctl.d/$P/$D" "\"mdev_type\": \"$(cat "$work/winners")\""
}

# Readers see old or new, and never nothing, while devices are defined, changed, started, stopped and undefined.
test_readers_among_writers() {
	local i uuid

	three_instances
	use_etc
	definition $P $D t0 manual
	for uuid in $A $B $C; do
		(
			while [ ! -e "$work/enough" ]; do
				"$MDEV_CTL" define -u "$uuid" -p $P -t mgpu-4M
				"$MDEV_CTL" modify -u "$uuid" --auto
				"$MDEV_CTL" start -u "$uuid"
				"$MDEV_CTL" stop -u "$uuid"
				"$MDEV_CTL" undefine -u "$uuid"
			done
		) >/dev/null 2>&1 &
	done
	(
		i=0
		while [ ! -e "$work/enough" ]; do "$MDEV_CTL" modify -u $D -m -t t$((++i % 10)); done
	) &
	for i in {1..60}; do
		run list -d --dumpjson
		expect_rc 0
		expect_no_err
		cat "$work/out" >>"$work/listings"
		echo >>"$work/listings"
		run list --dumpjson
		expect_rc 0
		expect_no_err
	done
	: >"$work/enough"
	wait
	last='the listings'
	expect_equal 60 "$(python3 -c 'import json, sys
text, at, n = open(sys.argv[1]).read(), 0, 0
while at < len(text):
	j, at = json.JSONDecoder().raw_decode(text, at)
	n += any(sys.argv[2] in d for p in j for d in sum(p.values(), []))
	at += 1
print(n)' "$work/listings" $D 2>&1 | tail -n 1)" 'those that are JSON and have the device that is always there'
}

# Killed before any of its system calls in turn, a writer leaves the old file or the new one.
test_kill_at_any_call() {
	local n verb uuid old new status seen_old=0 seen_new=0

	use_etc
	if [ ! -e "$work/killer.so" ]; then
		"${CC:-cc}" -shared -fPIC -o "$work/killer.so" "$here/killer.c" || skip 'no compiler'
	fi
	definition $P $A t1 manual
	old=$(cat "$(etc)/$P/$A")
	new=${old/manual/auto}
	for verb in modify define undefine; do
		n=0
		while :; do
			rm -f "$(etc)/$P/$B"
			definition $P $A t1 manual
			case $verb in
			modify) set -- modify -u $A --auto ;;
			define) set -- define -u $B -p $P -t t1 ;;
			undefine) set -- undefine -u $A ;;
			esac
			n=$((n + 1))
			(KILL_AT=$n LD_PRELOAD=$work/killer.so "$MDEV_CTL" "$@" >/dev/null 2>&1; exit $?) 2>/dev/null
			status=$?
			last="$verb killed at call $n"
			case $verb in
			modify) uuid=$A ;;
			define) uuid=$B ;;
			undefine) uuid=$A ;;
			esac
			if [ ! -e "$(etc)/$P/$uuid" ]; then
				[ $verb != modify ] || fail "$last: the file has gone"
				seen_new=1
			else
				case $(cat "$(etc)/$P/$uuid") in
				"$old") seen_old=1 ;;
				"$new") seen_new=1 ;;
				*) fail "$last: half a file" ;;
				esac
			fi
			run list -d
			expect_rc 0
			expect_no_err
			[ $status = 137 ] || break
			# whoever comes next is not in the way of what was left behind
			run modify -u $A --addattr x --value 1
			[ $verb = undefine ] || expect_rc 0
		done
		expect_equal 0 $status "exit code of $verb when it was not killed"
		[ $n -ge 8 ] || fail "$verb: only $n points"
	done
	expect_equal '1 1' "$seen_old $seen_new" 'both were seen'
	expect_equal "$(etc)/.mdev-ctl.lock" "$(find "$(etc)" -name '.*')" 'what is left behind in the end'
}

test_disk_full() {
	use_etc
	own_mounts true 2>/dev/null || skip 'no mount namespaces'
	definition $P $D t manual "$(attr a "$(printf '%03000d' 0)")"
	cp -r "$(etc)" "$work/saved"
	last='modify on a full disk'
	# shellcheck disable=SC2016 # for the shell that is started
	own_mounts sh -c 'mount -t tmpfs -o size=16k tmpfs "$1" && cp -r "$2"/* "$1" && head -c 100000 /dev/zero >"$1/fill"
		"$3" modify -u "$4" --addattr b --value "$(printf "%08000d" 0)"; echo $? >"$5"; cmp "$1/'$P'/$4" "$2/'$P'/$4" || echo differs >>"$5"' \
		sh "$(etc)" "$work/saved" "$MDEV_CTL" $D "$work/rc" 2>"$work/err"
	expect_equal 1 "$(cat "$work/rc")" 'exit code, and the file is the old one'
	expect_has err 'No space left on device'
}

tap_main "$@"
