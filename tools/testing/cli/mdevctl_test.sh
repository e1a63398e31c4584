#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the same with mdev-ctl and with Debian's mdevctl, each on a tree of its own, and compares: exit codes, stdout,
# what was written to sysfs and to /etc/mdevctl.d, and how scripts were called.
#
# Debian's mdevctl cannot be told another root, so both run in a mount namespace. It is version 1.2 in Debian 12. What
# 1.4 does in another way is left out: it asks scripts for capabilities and in the order of their names, ends JSON
# without a newline, refuses more combinations of options to modify, knows --force, and shows of active devices only
# those attributes that scripts know; see test_scripts, too. And mdev-ctl lets the kernel decide where mdevctl looks at available_instances.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

theirs=$(command -v mdevctl)
F=66666666-6666-4666-8666-666666666666
E=55555555-5555-4555-8555-555555555555
[ -n "$theirs" ] || { echo 'Bail out! there is no mdevctl; tools/testing/lab/setup.sh libvirt installs it'; exit 1; }
own_mounts true 2>/dev/null || {
	echo 'Bail out! mdevctl is shown another /sys in a mount namespace, and there can be none here.' \
		'A chroot is a reason: enter that root by pivot_root, as systemd-nspawn does.'
	exit 1
}

# in_tree NAME TOOL ARGS..: with the tree's sys and etc in the places of the system's
in_tree() {
	local tree=$work/$1

	shift
	# shellcheck disable=SC2016 # for the shell that is started
	own_mounts sh -c 'mount --bind "$1/root/sys" /sys && mount --bind "$1/root/etc/mdevctl.d" /etc/mdevctl.d || exit 125
		shift; cd / && exec "$@"' sh "$tree" "$@" </dev/null
}

# The tree that a test has made, twice
two_trees() {
	unset MDEV_CTL_ROOT
	rm -rf "$work/ours" "$work/theirs"
	mkdir "$work/ours" "$work/theirs"
	cp -a "$root" "$work/ours/"
	cp -a "$root" "$work/theirs/"
}

# both ARGS..: leaves $rc
both() {
	local want

	last="mdevctl $*"
	in_tree theirs "$theirs" "$@" >"$work/theirs/out" 2>"$work/theirs/err"
	want=$?
	in_tree ours "$MDEV_CTL" "$@" >"$work/ours/out" 2>"$work/ours/err"
	rc=$?
	expect_equal $want $rc 'exit code'
	[ $want = $rc ] || { show theirs: "$work/theirs/err"; show ours: "$work/ours/err"; }
	[ $rc != 125 ] || fail 'no mount namespace'
	expect_equal "$(cat "$work/theirs/out")" "$(cat "$work/ours/out")" stdout
	diff -r -x '.mdev-ctl*' -x calls "$work/theirs/root" "$work/ours/root" >"$work/diff" || fail "$last: $(cat "$work/diff")"
}

# several ARGS, one call per line, with the exit code that it has to have in front
several() {
	local code args

	while read -r code args; do
		# shellcheck disable=SC2086 # words are wanted
		both $args
		expect_equal "$code" "$rc" "$last: exit code"
	done
}

make_tree() {
	three_instances
	use_etc
	mkdir -p "$(etc)"/scripts.d/{callouts,notifiers}
	definition $P $B mgpu-4M auto
	definition $P2 $E mtty-1 manual "$(attr a 1),
$(attr vendor/b 'x \"y\" é \\ /')"
	definition $P $D mgpu-8M manual
	definition $P2 $F mtty-1 auto
}

test_listings() {
	make_tree
	two_trees
	several <<-EOF
		0 list
		0 list -v
		0 list --dumpjson
		0 list -d
		0 list -dv
		0 list --defined --verbose
		0 list -d --dumpjson
		0 list -u $D
		0 list --uuid=${D^^}
		0 list -u ${D//-/} --dumpjson
		0 list -d -u $E --dumpjson
		0 list -d -p $P
		0 list -d -p $P2 --dumpjson
		0 list -p nobody
		0 list -p nobody --dumpjson
		0 list -d -u $C --dumpjson
		0 types
		0 types -p $P2
		0 types --dumpjson
		0 types -p nobody --dumpjson
	EOF
}

test_definitions() {
	make_tree
	printf '{"attrs":[{"c":"\\u00e9\\u0001\\t"},{"c":""}],"start":"auto","mdev_type":"t"}' >"$(etc)/json"
	two_trees
	several <<-EOF
		0 define -u $A -p $P -t mgpu-4M
		1 define -u $A -p $P -t mgpu-4M
		0 define -u $C -p 0000:00:99.0 -t any --auto
		0 define --uuid {${C^^}} --parent $P2 --jsonfile /etc/mdevctl.d/json
		1 define -u $C -p $P2 --jsonfile /etc/mdevctl.d/json
		1 define -u $C -p $P --jsonfile /etc/none
		1 define -u $C --jsonfile /etc/mdevctl.d/json
		1 define -u $C
		1 define -p $P
		0 modify -u $A --addattr x --value 1
		0 modify -u $A --addattr y --value=-2 --index 0
		0 modify -u $A --addattr z --value 3 -i 2
		1 modify -u $A --addattr z --value 3 -i 9
		0 modify -u $A --delattr -i 1
		1 modify -u $A --delattr -i 7
		0 modify -u $A --delattr
		0 modify -u $A --delattr
		0 modify -u $A --delattr
		0 modify -u $A --auto
		0 modify -u $A -m -t other
		1 modify -u $C --auto
		0 modify -u $C -p $P2 --manual
		1 modify -u $A -p $P2 --auto
		0 list -d --dumpjson
		0 undefine -u $A
		1 undefine -u $A
		1 undefine -u $C -p $P
		0 undefine -u $C
		0 list -d --dumpjson
	EOF
}

test_usage() {
	make_tree
	two_trees
	several <<-EOF
		2
		2 nonsense
		2 list --nonsense
		2 list -u x
		2 list list
		2 define
		2 define -u $A -p $P --jsonfile x -t t
		2 undefine
		2 modify --auto
		2 modify -u $B --auto --manual
		2 modify -u $B --addattr x
		2 modify -u $B --addattr x --value -5
		2 modify -u $B --delattr -i x
		2 start
		2 start -t t
		2 stop
	EOF
}

# Sysfs is of plain files here: what was written to them is compared.
test_start_and_stop() {
	make_tree
	two_trees
	several <<-EOF
		0 start -u $C -p $P -t mgpu-4M
		1 start -u $C -p $P -t nonsense
		1 start -u $C -p nobody -t mgpu-4M
		1 start -u $C -t mgpu-4M
		1 start -u $C -p $P
		1 start -u $C
		1 start -u $D -t mgpu-8M
		1 start -u $E
		0 start -u $F
		0 stop -u $D
		1 stop -u $C
		0 start-parent-mdevs $P2
		0 start-parent-mdevs nobody
	EOF
}

# logging callouts|notifiers NAME BODY: a script that keeps how it was called
logging() {
	cat >"$(etc)/scripts.d/$1/$2" <<-EOF
		#!/bin/sh
		[ "\$6" = capabilities ] && exit 0
		echo "$2 \$*" >>/etc/mdevctl.d/calls
		$3
	EOF
	chmod +x "$(etc)/scripts.d/$1/$2"
}

# Of the callouts, what both versions do: 1.2 has another order in define, and no failure of undefine.
test_scripts() {
	make_tree
	# shellcheck disable=SC2016 # for the script
	logging callouts a '{ cat; echo; } >>/etc/mdevctl.d/calls; [ "$4 $6 $8" != "pre stop none" ] || exit 3'
	logging notifiers n 'exit 1'
	two_trees
	several <<-EOF
		0 modify -u $B --manual
		0 modify -u $E --delattr
		0 start -u $F
		1 start -u $E
		1 stop -u $D
		0 undefine -u $E
	EOF
	expect_equal 17 "$(grep -c '^[an] ' "$work/theirs/root/etc/mdevctl.d/calls")" calls
	differ 'calls of scripts' "$work/theirs/root/etc/mdevctl.d/calls" "$work/ours/root/etc/mdevctl.d/calls"
}

tap_main "$@"
