#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of fresh.sh itself, with a debootstrap that makes a root of busybox, in which "make" is a script: what is run, what
# is said of it, and that nothing is left when it ends in the middle. As TAP: fresh_test.sh [TEST...]

set -uo pipefail

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# shellcheck disable=SC2034 # for the expectations
last='make fresh'
# All that it makes
all=$work/all
# What a command takes at most
limit=60

needs_namespaces() {
	((EUID == 0)) || skip 'only root can make file systems'
	unshare --mount --pid --fork true 2> /dev/null || skip 'no mount namespaces'
	command -v busybox > /dev/null || skip 'no busybox'
}

setup() {
	rm -rf --one-file-system "$all"
	mkdir -p "$all/apt/sources.list.d" "$all/bin"
	export LAB_APT_ETC=$all/apt VFIO_MDEV_CACHE=$all/cache FRESH_OUT=$all/out
	echo "deb http://mirror.invalid/debian $codename main" > "$all/apt/sources.list"
	cat > "$all/bin/debootstrap" <<-EOF
		#!/bin/sh
		while [ \$# -gt 3 ]; do shift; done
		echo "\$3" > $all/mirror
		mkdir -p "\$2/bin" "\$2/etc/apt/sources.list.d" "\$2/etc/apt/apt.conf.d" "\$2/proc" "\$2/sys" "\$2/dev" "\$2/root"
		mkdir -p "\$2/var/cache/apt/archives"
		cp "$(command -v busybox)" "\$2/bin/busybox"
		for name in sh env umount rmdir; do ln -s busybox "\$2/bin/\$name"; done
		cp "$all/make" "\$2/bin/make"
		cp "\$2/bin/make" "\$2/bin/mdev-ctl"
		cp "\$2/bin/make" "\$2/bin/apt-get"
	EOF
	chmod +x "$all/bin/debootstrap"
	# shellcheck disable=SC2016 # for the script
	make_does 'echo "$0 $*"'
}

# make_does SCRIPT: what make is on the machines
make_does() {
	printf '#!/bin/busybox sh\n%s\n' "$1" > "$all/make"
	chmod +x "$all/make"
}

test_sources_of_one_line() {
	printf 'deb [arch=amd64 signed-by=/k.gpg] http://a.invalid/d %s main non-free\ndeb http://a.invalid/s %s-security main\ndeb http://b.invalid/ other x\n' \
		"$codename" "$codename" > "$all/apt/sources.list"
	mkdir "$all/made"
	"$here/../lab/setup.sh" sources sid "$all/made" || fail 'it failed'
	printf 'deb [arch=amd64 signed-by=/k.gpg] http://a.invalid/d sid main non-free\ndeb http://a.invalid/s sid-security main\n' > "$work/want"
	differ 'the entries' "$work/want" "$all/made/fresh.list"
	differ 'no others' /dev/null "$all/made/fresh.sources"
}

test_sources_of_stanzas() {
	rm "$all/apt/sources.list"
	printf 'Types: deb\nURIs: http://a.invalid/d\nSuites: %s %s-updates\nComponents: main\n' "$codename" "$codename" \
		> "$all/apt/sources.list.d/a.sources"
	mkdir "$all/made"
	"$here/../lab/setup.sh" sources sid "$all/made" || fail 'it failed'
	printf 'Types: deb\nURIs: http://a.invalid/d\nSuites: %s\nComponents: main\n\n' sid sid-updates > "$work/want"
	differ 'the entries' "$work/want" "$all/made/fresh.sources"
}

test_no_sources() {
	echo "deb http://b.invalid/ $codename-updates main" > "$all/apt/sources.list"
	mkdir "$all/made"
	! "$here/../lab/setup.sh" sources sid "$all/made" 2> "$work/err" || fail 'it succeeded'
	expect_has err "no apt source under $all/apt names the suite '$codename'"
}

test_bad_input() {
	! "$here/fresh.sh" potato 2> "$work/err" || fail 'it succeeded'
	expect_has err "SUITE=potato: it is one or more of: bookworm trixie"
	! FULL=yes "$here/fresh.sh" 2> "$work/err" || fail 'it succeeded'
	expect_has err 'FULL=yes: it is 1'
}

# Root is somebody else in a user namespace, and may read this tree none the less.
test_needs_root() {
	local other=()
	if ((EUID == 0)); then
		other=(unshare --user)
		"${other[@]}" true 2> /dev/null || skip 'no user namespaces'
	fi
	! "${other[@]}" "$here/fresh.sh" 2> "$work/err" || fail 'it succeeded'
	expect_equal 1 "$(wc -l < "$work/err")" 'lines of the message'
	expect_has err "needs root: run 'sudo make fresh'"
}

# run FULL SUITE...: leaves $rc
run() {
	local full=$1
	shift
	FULL=$full PATH=$all/bin:$PATH timeout $limit "$here/fresh.sh" "$@" > "$work/said" 2> "$work/err"
	rc=$?
}

# The processes that see mounts of a machine
on_machines() { grep -l -F "$all" /proc/[0-9]*/mountinfo 2> /dev/null; }

expect_left_nothing() {
	local file
	# the last process on a machine takes the lock with it
	for file in "$all"/cache/fresh/*.lock; do
		flock -w $limit "$file" true || fail "somebody is still on the machine of $file"
	done
	expect_equal '' "$(on_machines)" 'who sees mounts'
}

test_both_by_turns() {
	needs_namespaces
	run ''
	expect_equal 0 "$rc" status
	expect_has said '11 passed, 0 failed'
	expect_equal http://mirror.invalid/debian "$(cat "$all/mirror")" mirror
	expect_equal 1 "$(cat "$all"/out/*/demo.log | wc -l)" demos
	sed -n 's/^fresh.sh: make demo runs on \([a-z]*\) this time$/\1/p' "$work/err" > "$work/first"
	run ''
	sed -n 's/^fresh.sh: make demo runs on \([a-z]*\) this time$/\1/p' "$work/err" > "$work/second"
	expect_equal 'bookworm trixie' "$(sort "$work/first" "$work/second" | xargs)" 'who had a turn'
	expect_equal '' "$(find "$all/cache/fresh" -name '*.root' -o -name '*.tmp')" 'what is left'
	expect_left_nothing
}

test_all_of_it() {
	needs_namespaces
	run 1 trixie
	expect_equal 0 "$rc" status
	expect_has said '5 passed, 0 failed'
	expect_equal '/bin/make demo /bin/make check /bin/make install' \
		"$(cat "$all/out/trixie/demo.log" "$all/out/trixie/check.log" "$all/out/trixie/install.log" |
			grep '/bin/make .' | xargs)" 'what was run'
}

test_choice_of_qemu() {
	needs_namespaces
	# shellcheck disable=SC2016 # for the script
	make_does 'echo "$1 ${QEMU-none} ${FULL-none}"'
	QEMU=backports run '' trixie
	expect_equal 'demo backports none' "$(grep demo "$all/out/trixie/demo.log")" 'with a choice'
	(unset QEMU; run '' trixie)
	expect_equal 'demo none none' "$(grep demo "$all/out/trixie/demo.log")" 'without'
}

test_a_step_fails() {
	needs_namespaces
	# shellcheck disable=SC2016 # for the script
	make_does '[ "$1" != unit ] || { echo "not ok 7 - this one"; echo "6 passed, 1 failed"; exit 2; }'
	run '' bookworm
	expect_equal 1 "$rc" status
	expect_has said 'not ok - bookworm: make unit (status 2; '
	expect_has said '# not ok 7 - this one'
	expect_has said 'failed, 6 passed, 1 failed'
	expect_has said '3 passed, 1 failed'
	[[ -d $all/cache/fresh/bookworm.root/root ]] || fail 'the root was not kept'
	expect_left_nothing
}

test_no_root_file_system() {
	needs_namespaces
	printf '#!/bin/sh\necho "E: no such suite"\nexit 3\n' > "$all/bin/debootstrap"
	run '' bookworm
	expect_equal 1 "$rc" status
	expect_has said 'E: no such suite'
	expect_has said '0 passed, 1 failed'
}

# What is in the cache is used for a week.
test_cached() {
	needs_namespaces
	run '' bookworm
	rm "$all/mirror"
	run '' bookworm
	[[ ! -e $all/mirror ]] || fail 'the root was made anew'
	touch -d '8 days ago' "$all/cache/fresh/bookworm.tar.gz"
	run '' bookworm
	[[ -e $all/mirror ]] || fail 'the root was not made anew'
}

# stopped SIGNAL: when the machine is at work, which a fifo tells in the one directory that can be seen on both sides
stopped() {
	local pid begun='' fifo=$all/cache/fresh/bookworm.archives/begun
	needs_namespaces
	mkdir -p "${fifo%/*}"
	mkfifo "$fifo"
	exec {fd}<> "$fifo"
	make_does 'echo begun > /var/cache/apt/archives/begun; exec busybox sleep 1000'
	FULL='' PATH=$all/bin:$PATH env --default-signal=INT,TERM,HUP "$here/fresh.sh" bookworm > "$work/said" 2>&1 &
	pid=$!
	read -r -t $limit -u "$fd" begun
	expect_equal begun "$begun" 'it began'
	[[ -n $(on_machines) ]] || fail 'there are no mounts to be seen while it runs'
	kill -"$1" $pid
	wait $pid 2> /dev/null
	expect_left_nothing
	rm -rf --one-file-system "$all/cache"
	[[ ! -e $all/cache ]] || fail "$1: the root cannot be removed"
}

test_one_at_a_time() {
	mkdir -p "$all/cache/fresh"
	((EUID == 0)) || skip 'only root can make file systems'
	PATH=$all/bin:$PATH flock "$all/cache/fresh/trixie.lock" "$here/fresh.sh" 2> "$work/err" && fail 'it succeeded'
	expect_equal "fresh.sh: SUITE=trixie: another 'make fresh' is at work on it; wait for its end" \
		"$(grep -v committed "$work/err")" 'the message'
}

test_interrupted() { stopped INT; }
test_terminated() { stopped TERM; }
test_killed() { stopped KILL; }

tap_main "$@"
