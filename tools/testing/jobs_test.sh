#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does jobs.sh run what it is told, in the order and side by side as it says? The jobs here meet at FIFOs, so nothing
# depends on how fast they are.

# Jobs are called by name.
# shellcheck disable=SC2317

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
# shellcheck source=tools/testing/jobs.sh
. "$(dirname "${BASH_SOURCE[0]}")/jobs.sh"
last='jobs'
export JOBS_CPUS=2

setup() { rm -rf "$work/order" "$work"/fifo.*; mkfifo "$work/fifo.a" "$work/fifo.b"; }

note() { echo "$1" >>"$work/order"; }
order() { xargs <"$work/order"; }

# Two that run at once: neither ends before the other has begun
meet() { note "$1"; if [[ $1 == a ]]; then echo >"$work/fifo.a"; read -r _ <"$work/fifo.b"; else read -r _ <"$work/fifo.a"; echo >"$work/fifo.b"; fi; }

run() { jobs_run "$work/jobs" >"$work/out" 2>&1; }

test_side_by_side() {
	job one 1 10 '' meet a
	job two 1 10 '' meet b
	run
	expect_equal 'a b' "$(sort "$work/order" | xargs)"
	expect_equal 2 "$(wc -l <"$work/jobs/times")" 'times'
}

test_longest_way_first() {
	export JOBS_CPUS=1
	job short 1 10 '' note short
	job long 1 20 '' note long
	job first 1 5 '' note first
	job last 1 30 first note last
	run
	expect_equal 'first last long short' "$(order)"
}

test_as_many_as_there_are_processors() {
	busy() { mkdir "$work/busy" || fail 'two at once'; cat /proc/self/stat >/dev/null; rmdir "$work/busy"; note "$1"; }
	for name in 1 2 3 4; do job $name 2 1 '' busy $name; done
	run
	expect_equal '1 2 3 4' "$(sort "$work/order" | xargs)"
}

# The machine has memory for none, and one is run all the same
test_memory() {
	VM_MIB=1000000000
	busy() { mkdir "$work/busy" || fail 'two at once'; cat /proc/self/stat >/dev/null; rmdir "$work/busy"; note "$1"; }
	for name in 1 2 3; do job $name vm:1 1 '' busy $name; done
	run
	expect_equal '1 2 3' "$(sort "$work/order" | xargs)"
}

# What is small does not pass what waits for more processors
test_not_passed() {
	hold() { note hold; read -r _ <"$work/fifo.a"; }
	release() { note release; echo >"$work/fifo.a"; }
	job hold 1 100 '' hold
	job release 1 90 '' release
	job wide 2 80 '' note wide
	job small 1 10 '' note small
	run
	expect_equal 'wide small' "$(order | sed 's/.*\(wide.*\)/\1/')"
}

test_failed_ones_take_others_out() {
	job bad 1 1 '' false
	job after 1 1 bad note after
	job later 1 1 after note later
	job good 1 1 'not-asked-for' note good
	run
	expect_equal good "$(order)"
	expect_has out '# left out: after, because bad did not succeed'
	expect_has out '# left out: later, because after did not succeed'
}

test_output_in_one_piece() {
	a() { echo a1; echo >"$work/fifo.a"; read -r _ <"$work/fifo.b"; echo a2; }
	b() { read -r _ <"$work/fifo.a"; echo b1; echo >"$work/fifo.b"; echo b2; }
	job a 1 1 '' a
	job b 1 1 '' b
	run
	grep -v '^#' "$work/out" | xargs >"$work/pieces"
	grep -qxE 'a1 a2 b1 b2|b1 b2 a1 a2' "$work/pieces" || fail "$(cat "$work/pieces")"
}

# One that nothing runs beside is shown while it runs: it waits for its own line to be seen
test_shown_at_once_when_alone() {
	a() { echo seen; read -r _ <"$work/fifo.a"; false; }
	job a 1 1 '' a
	jobs_run "$work/jobs" | { grep -q -m 1 seen; echo >"$work/fifo.a"; cat >/dev/null; }
	job b 1 1 a note b
}

test_no_number_of_processors() {
	local bad
	job a 1 1 '' note a
	for bad in x 1.5 0 -1 '1 2' 08 99999; do
		JOBS_CPUS=$bad run && fail "JOBS_CPUS='$bad' is taken"
		expect_has out "not ok - JOBS_CPUS='$bad': it is how many"
	done
	[[ ! -e $work/order ]] || fail 'something ran'
}

test_ended_with_us() {
	cat >"$work/script" <<-END
		. "$here/jobs.sh"
		a() { sleep 1000 & echo "\$BASHPID \$!" >"$work/fifo.a"; wait; }
		job a 1 1 '' a
		job b 1 1 '' sleep 1000
		jobs_run "$work/jobs"
	END
	bash "$work/script" >"$work/out" 2>&1 &
	read -r pids <"$work/fifo.a"
	kill -TERM $!
	wait $!
	expect_equal 130 $? status
	# shellcheck disable=SC2086 # two words
	tail --pid="${pids% *}" -f /dev/null
	tail --pid="${pids#* }" -f /dev/null
}

tap_main "$@"
