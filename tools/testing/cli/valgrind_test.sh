#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs each command once under valgrind: no bad access, nothing leaked, no descriptor left open.

# shellcheck disable=SC2016 # for the scripts that are made
# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

# only_std COMMAND...: without the descriptors that the caller of this test has open, which newer versions of valgrind
# count as errors
only_std() (
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd <= 2)) || eval "exec $fd>&-"
	done
	exec "$@"
)

grind() {
	last="mdev-ctl $*"
	only_std valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible \
		--errors-for-leak-kinds=definite,indirect,possible --track-fds=yes --child-silent-after-fork=yes \
		--log-file="$work/valgrind" "$MDEV_CTL" "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
	# each open descriptor is followed by where it is from
	grep -A 1 'Open file descriptor' "$work/valgrind" | grep -A 1 'descriptor [0-9]*:' |
		grep -vE 'descriptor|inherited from parent|^--' >"$work/fds"
	if [ $rc = 99 ] || [ -s "$work/fds" ]; then
		fail "$last: $(head -n 30 "$work/valgrind")"
	fi
}

test_valgrind() {
	command -v valgrind >/dev/null || skip 'no valgrind'
	[[ $MDEV_CTL != *-san ]] || skip 'has sanitizers of its own'
	three_instances
	use_etc
	mkdir "$root/proc"
	definition $P $B mgpu-4M auto "$(attr a 1)"
	definition $P $C mgpu-4M manual
	echo '{' >"$(etc)/$P/$A"
	mkdir "$sys/bus/mdev/devices/$D/vpci"
	echo 1 >"$sys/bus/mdev/devices/$D/vpci/faults"
	script callouts a <<<'[ "$action" != attributes ] || echo "[{\"x\":\"1\"}]"'
	script notifiers n <<<'echo said'
	while read -r want args; do
		# shellcheck disable=SC2086 # words are wanted
		grind $args
		expect_rc "$want"
	done <<-EOF
		0 types
		0 types --dumpjson
		0 list -v
		0 list --dumpjson
		0 list -d -v
		0 list -d --dumpjson
		0 list -u $D --dumpjson
		0 define -u $D
		0 define -p $P -t t
		1 define -u $D
		0 modify -u $C --addattr x --value 1
		0 modify -u $C --delattr
		1 modify -u $C --delattr -i 7
		1 start -u $B
		1 start -u $C -t other
		0 start -p $P -t mgpu-4M
		1 start -p $P -t mgpu-16M
		0 stop -u $D
		0 undefine -u $C
		1 undefine -u $A -p $P
		0 start-parent-mdevs $P
		0 stats
		0 stats --json
		0 who $D
		1 doctor
		2 list --what
		0 help start
	EOF
}

test_descriptors_of_the_caller() {
	command -v valgrind >/dev/null || skip 'no valgrind'
	[[ $MDEV_CTL != *-san ]] || skip 'has sanitizers of its own'
	three_instances
	exec 7</dev/null 42<"$0"
	grind types
	expect_rc 0
}

tap_main "$@"
