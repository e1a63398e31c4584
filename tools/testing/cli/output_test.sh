#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests what mdev-ctl does with a stdout or stderr that is full or closed.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

test_output_full() {
	three_instances
	for args in list 'list --dumpjson' types 'types --dumpjson' help --help --version 'list -h'; do
		last="mdev-ctl $args >/dev/full"
		# shellcheck disable=SC2086 # words are wanted
		"$MDEV_CTL" $args >/dev/full 2>"$work/err"
		rc=$?
		expect_rc 1
		expect_err <<-EOF
			Error: Unable to write the output

			Caused by:
			    No space left on device (os error 28)
		EOF
	done
	last='mdev-ctl list -u >/dev/full'
	"$MDEV_CTL" list -u $C >/dev/full 2>"$work/err"
	rc=$?
	expect_rc 0
}

test_output_pipe_closed() {
	three_instances
	last='mdev-ctl list | true'
	{
		sleep 0.2
		"$MDEV_CTL" list 2>"$work/err"
		echo $? >"$work/rc"
	} | true
	rc=$(cat "$work/rc")
	expect_rc 1
	expect_has err 'Broken pipe (os error 32)'
}

test_output_closed() {
	three_instances
	last='mdev-ctl list >&-'
	"$MDEV_CTL" list >&- 2>"$work/err"
	rc=$?
	expect_rc 1
	expect_has err 'Bad file descriptor (os error 9)'
}

test_messages_do_not_reach_sysfs() {
	three_instances
	use_shim
	for fds in '>&-' '2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		rm -f "$work/log"
		last="mdev-ctl start $fds"
		eval "SHIM_ERRNO=$EBUSY SHIM_LOG=$work/log LD_PRELOAD=$work/shim.so" \
			"\"\$MDEV_CTL\" start -p $P -t mgpu-4M $fds" 2>/dev/null
		rc=$?
		expect_rc 1
		expect_equal 1 "$(wc -l <"$work/log")" 'writes to sysfs'
	done
}

# No file that is opened, such as the pipe to a script, gets the number of a closed one, and is printed to.
test_closed_descriptors_are_kept() {
	local fds

	script callouts a <<<"[ \$event != pre ] || readlink /proc/\$PPID/fd/0 /proc/\$PPID/fd/1 /proc/\$PPID/fd/2 >$work/fds"
	for fds in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		rm -f "$work/fds" "$(etc)/$P/$D"
		last="mdev-ctl define $fds"
		eval "\"\$MDEV_CTL\" define -u $D -p $P -t t 0</dev/null >>$work/out 2>>$work/err $fds" || fail "$last"
		expect_equal 3 "$(wc -l <"$work/fds")" "descriptors of the tool"
		if grep -q pipe: "$work/fds"; then fail "$last: a pipe is among them"; fi
	done
}

tap_main "$@"
