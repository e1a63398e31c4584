#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests what 'make install' of mdev-ctl puts where, and the completion in bash.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

tool_source=$here/../../mdev-ctl

# install ARGS..: below $work/dest; leaves $work/out, a line for each file
install() {
	last="make install $*"
	rm -rf "$work/dest"
	make -s -C "$tool_source" install DESTDIR="$work/dest" "$@" >"$work/log" 2>&1 || fail "$last: $(cat "$work/log")"
	(cd "$work/dest" && find . ! -type d -printf '%m %P %l\n' -o -empty -printf '%m %P/\n') | sed 's/ $//' | sort -k2 >"$work/out"
}

test_install() {
	install
	expect_out <<-'EOF'
		755 etc/mdevctl.d/
		644 etc/udev/rules.d/60-mdev-ctl.rules
		755 usr/lib/mdevctl/scripts.d/callouts/
		755 usr/lib/mdevctl/scripts.d/notifiers/
		777 usr/local/sbin/lsmdev mdev-ctl
		755 usr/local/sbin/mdev-ctl
		644 usr/local/share/bash-completion/completions/mdev-ctl
		644 usr/local/share/man/man8/mdev-ctl.8
	EOF
	# shellcheck disable=SC2016 # udev's
	expect_has dest/etc/udev/rules.d/60-mdev-ctl.rules '"/usr/local/sbin/mdev-ctl start-parent-mdevs --syslog $kernel"'
	expect_equal "$("$tool_source/mdev-ctl" --version)" "$("$work/dest/usr/local/sbin/mdev-ctl" --version)" version
}

test_install_as_mdevctl() {
	(umask 077 && install PREFIX=/usr MDEVCTL=1)
	expect_out <<-'EOF'
		755 etc/mdevctl.d/
		755 usr/lib/mdevctl/scripts.d/callouts/
		755 usr/lib/mdevctl/scripts.d/notifiers/
		644 usr/lib/udev/rules.d/60-mdev-ctl.rules
		777 usr/sbin/lsmdev mdev-ctl
		755 usr/sbin/mdev-ctl
		777 usr/sbin/mdevctl mdev-ctl
		644 usr/share/bash-completion/completions/mdev-ctl
		777 usr/share/bash-completion/completions/mdevctl mdev-ctl
		644 usr/share/man/man8/mdev-ctl.8
		777 usr/share/man/man8/mdevctl.8 mdev-ctl.8
	EOF
	if grep -r @ "$work/dest/usr/lib/udev"; then fail 'a placeholder is left in the rules'; fi
	# with what was installed, and nothing else, it does what mdevctl would
	unset MDEV_CTL_ROOT
	MDEVCTL_ENV_ROOT=$work/dest "$work/dest/usr/sbin/mdevctl" define -u $D -p $P -t t || fail 'mdevctl define'
	expect_equal "$D $P t manual" "$(MDEVCTL_ENV_ROOT=$work/dest "$work/dest/usr/sbin/lsmdev" -d)" lsmdev
	# a second time changes nothing
	make -s -C "$tool_source" install DESTDIR="$work/dest" PREFIX=/usr MDEVCTL=1 || fail 'installed twice'
	[ -e "$work/dest/etc/mdevctl.d/$P/$D" ] || fail 'a definition has gone'
}

# Files of a package of mdevctl's are in the way of our links, and keep their contents.
test_install_leaves_files_of_others_alone() {
	local usr=$work/dest/usr name

	install PREFIX=/usr MDEVCTL=1
	rm "$usr/sbin/mdevctl" "$usr/sbin/lsmdev" "$usr/share/bash-completion/completions/mdevctl" "$usr/share/man/man8/mdevctl.8"
	for name in sbin/mdevctl share/bash-completion/completions/mdevctl share/man/man8/mdevctl.8; do
		echo theirs >"$usr/$name"
	done
	ln -s mdevctl "$usr/sbin/lsmdev"
	make -s -C "$tool_source" install DESTDIR="$work/dest" PREFIX=/usr MDEVCTL=1 >"$work/out" 2>&1 || fail "$(cat "$work/out")"
	expect_out <<-EOF
		$usr/sbin/lsmdev: left alone, it is not a link to mdev-ctl
		$usr/sbin/mdevctl: left alone, it is not a link to mdev-ctl
		$usr/share/bash-completion/completions/mdevctl: left alone, it is not a link to mdev-ctl
		$usr/share/man/man8/mdevctl.8: left alone, it is not a link to mdev-ctl.8
	EOF
	for name in sbin/mdevctl share/bash-completion/completions/mdevctl share/man/man8/mdevctl.8; do
		expect_equal theirs "$(cat "$usr/$name")" "$name"
	done
	expect_equal mdevctl "$(readlink "$usr/sbin/lsmdev")" lsmdev
	# a link that leads nowhere is somebody's, too; one of ours is not in the way
	rm "$usr/sbin/lsmdev" "$usr/sbin/mdevctl"
	ln -s elsewhere "$usr/sbin/lsmdev"
	ln -s mdev-ctl "$usr/sbin/mdevctl"
	make -s -C "$tool_source" install DESTDIR="$work/dest" PREFIX=/usr MDEVCTL=1 >"$work/out" 2>&1 || fail "$(cat "$work/out")"
	expect_equal 3 "$(wc -l <"$work/out")" 'lines'
	expect_equal elsewhere "$(readlink "$usr/sbin/lsmdev")" lsmdev
}

# completions LINE WANT..: what is offered at the end of LINE, as readline has it: without what is before the last colon
completions() {
	local line=$1

	shift
	last="completion of '$line'"
	# shellcheck disable=SC2016 # for the shell that is started
	bash -c '. "$1"
		COMP_LINE=$2 COMP_POINT=${#2}
		read -ra COMP_WORDS <<<"$2"
		_mdev_ctl
		printf "%s\n" "${COMPREPLY[@]}"' bash "$tool_source/mdev-ctl.bash" "$line" 2>&1 | sort >"$work/out"
	printf '%s\n' "$@" | sort >"$work/want"
	differ 'what is offered' "$work/want" "$work/out"
}

test_completion() {
	three_instances
	use_etc
	definition $P $C mgpu-4M manual
	mkdir "$work/bin"
	ln -s "$MDEV_CTL" "$work/bin/mdev-ctl"
	ln -s "$MDEV_CTL" "$work/bin/lsmdev"
	PATH=$work/bin:$PATH
	completions 'mdev-ctl st' start stats stop
	completions 'mdev-ctl --v' --version
	completions 'mdev-ctl stop --t' --timeout
	completions 'mdev-ctl stop -f --' --force --help --timeout --uuid
	completions 'mdev-ctl types -p ' $P $P2
	completions 'mdev-ctl types -p 0000:00:0' 05.0 06.0
	completions 'mdev-ctl types --parent=0000:00:06' 06.0
	completions 'mdev-ctl start -t m' mgpu-16M mgpu-4M mgpu-8M mtty-1
	completions 'mdev-ctl stop -u ' $A $B $C $D
	completions 'mdev-ctl stop --uuid=3' $C
	completions 'mdev-ctl who 2' $B
	completions 'mdev-ctl modify --addattr ' ''
	completions 'mdev-ctl nonsense --' ''
	completions 'lsmdev --def' --defined
	completions 'lsmdev -p 0000:00:05' 05.0
	completions "mdev-ctl define --jsonfile $root/us" "$root/usr"
}

test_completion_knows_all_commands() {
	local command

	PATH=$(dirname "$MDEV_CTL"):$PATH
	[ "$(basename "$MDEV_CTL")" = mdev-ctl ] || skip 'it is of another name'
	run --help
	sed -n 's/^  \([a-z]*\)  *[A-Z].*/\1/p' "$work/out" >"$work/commands"
	while read -r command; do
		completions "mdev-ctl $command" "$command"
	done <"$work/commands"
}

tap_main "$@"
