#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Is what user space sees of our mdev core what it sees of the kernel's? The same unmodified sample drivers go through
# the same steps on the one and on the other, in one boot of the lab VM; files, modes, links, contents, errors and
# uevents are recorded after each step, and compared. No mdev core may be loaded.
#
#   abi_test.sh [NAME...]

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/selftests/samples.sh
. "$here/samples.sh"
bin=$here/../../../build/selftests

A=aaaaaaaa-ab10-4e11-8e11-000000000001
B=bbbbbbbb-ab10-4e11-8e11-000000000002

# What may differ, as "SIGN REGEX": < is a line of the kernel's core that ours does not have, > one of ours. Each must
# be needed. Nothing here may be something that a program can rely on.
allowed() {
	sed 's/^\t*//' <<-'EOF'
		# our core always has a description; without one of the driver's it repeats the name
		> .*/mdev_supported_types/mtty-[12]/description( f 444 0:0|: (Single|Dual) port serial[|])
		# where instances that have outlived their parent are, see Documentation/ABI/testing/sysfs-bus-mdev
		> [a-z]+ /sys/devices/mdev(/.*)?( [df] .*|: .*| -> .*)
		# the name of the module, see mdev_rival.c
		< (add|remove)@/module/mdev ACTION=.*
		> (add|remove)@/module/mdev_core ACTION=.*
		# a character after the UUID is an error; in the kernel's core it is ignored
		< .* write create 'aaaaaaaa-ab10-4e11-8e11-000000000001c': File exists
		> .* write create 'aaaaaaaa-ab10-4e11-8e11-000000000001c': Invalid argument
	EOF
}

# Prints the files, links and readable contents below the directories. What "power" directories hold is the driver core's.
record_tree() {
	local path lines
	find "$@" \( -type l -printf '%p -> %l\n' \) -o -printf '%p %y %m %U:%G\n' 2>/dev/null | sort
	find "$@" -name power -prune -o -type f -perm /444 -print 2>/dev/null | sort | while read -r path; do
		mapfile -t lines 2>/dev/null <"$path"
		printf '%s: %s\n' "$path" "${lines[*]/%/|}"
	done
}

# step NAME: the state after it
step() {
	local dir dirs=()
	for dir in /sys/bus/mdev /sys/class/mdev_bus "/sys/class/$sample" "/sys/devices/virtual/$sample" /sys/devices/mdev; do
		[[ ! -e $dir ]] || dirs+=("$dir")
	done
	((${#dirs[@]} == 0)) || record_tree "${dirs[@]}" | sed "s|^|$1 |"
}

# try FILE TEXT: what becomes of writing it
try() {
	local said
	said=$(error_of "$2" "$1")
	printf "%s write %s '%s': %s\n" "$now" "${1##*/}" "$2" "${said:-ok}"
}

# Uses core and sample of the caller
steps() {
	local types now first
	"$here/../lab/load.sh" core
	now=loaded; step $now
	load_sample "$sample"
	now=registered; step $now
	types=$(parent_of "$sample")/mdev_supported_types
	first=$(printf '%s\n' "$types"/* | head -n 1)
	try "$first/create" nonsense
	try "$first/create" "$A"
	try "$first/create" "$A"
	try "$first/create" "${A}c"
	now=created; step $now
	try "$DEVICES/$A/remove" nonsense
	try "$DEVICES/$A/remove" 0
	try "$DEVICES/$A/remove" 1
	now=removed; step $now
	try "$first/create" "${B^^}"$'\n'
	rmmod "$sample"
	now=unregistered; step $now
	"$here/../lab/unload.sh"
	now=unloaded; step $now
}

# record CORE SAMPLE: everything, to $work/CORE-SAMPLE and $work/CORE-SAMPLE.uevents
record() {
	local core=$1 sample=$2 listener word
	export LAB_MDEV_CORE=${core#ours}
	exec {listener}< <("$bin/uevents" "$work/$core-$sample.uevents")
	read -r word <&"$listener"
	[[ $word == ready ]] || { fail 'there is no listener to uevents'; return 1; }
	steps >"$work/$core-$sample" || fail "$core: a step failed"
	echo 'change 00000000-ab10-4e11-8e11-00000000000e END=1' >/sys/devices/virtual/mem/null/uevent
	# it has written all when its output ends
	read -r word <&"$listener"
	exec {listener}<&-
}

# compare FILE: unexplained differences between what both cores gave
compare() {
	diff "$work/kernel-$1" "$work/ours-$1" | grep '^[<>]' >"$work/differences"
	allowed | grep -v '^#' >"$work/allowed"
	grep -vxEf "$work/allowed" "$work/differences" >"$work/unexplained"
	cat "$work/differences" >>"$kept/differences"
	[[ ! -s $work/unexplained ]] || { fail 'unexplained differences'; show '' "$work/unexplained"; }
}

# Both records of sample $1, made once
both() {
	local core
	last=$1
	[[ ! -e $kept/$1.done ]] || return 0
	modprobe -a vfio vfio_iommu_type1
	for core in kernel ours; do record $core "$1"; done
	# Not an empty record, and one in which the sample worked
	grep -q "^created /sys/bus/mdev/devices/$A -> " "$work/ours-$1" || fail 'the instance was never there'
	touch "$kept/$1.done"
	cp "$work"/{kernel,ours}-"$1"{,.uevents} "$kept/"
}

sysfs_of() {
	both "$1"
	compare "$1"
}
test_mtty_sysfs() { sysfs_of mtty; }
test_mbochs_sysfs() { sysfs_of mbochs; }
test_mdpy_sysfs() { sysfs_of mdpy; }

uevents_of() {
	local event
	both "$1"
	for event in "change@.* MDEV_STATE=registered " "bind@.*/$A .* DRIVER=$1 " "change@.* MDEV_STATE=unregistered "; do
		grep -q "^$event" "$work/ours-$1.uevents" || fail "no event $event"
	done
	compare "$1.uevents"
}
test_mtty_uevents() { uevents_of mtty; }
test_mbochs_uevents() { uevents_of mbochs; }
test_mdpy_uevents() { uevents_of mdpy; }

# Every difference that is allowed is one that is there
test_list_is_minimal() {
	local regex
	for sample in "${SAMPLES[@]}"; do [[ -e $kept/$sample.done ]] || skip 'not all samples were compared'; done
	while read -r regex; do
		grep -qxE -e "$regex" "$kept/differences" || fail "not needed any more: $regex"
	done < <(allowed | grep -v '^#')
}

kept=$LAB_OUT/abi
rm -rf "$kept"
mkdir -p "$kept"
[[ ! -d /sys/bus/mdev ]] || { echo 'Bail out! an mdev core is loaded'; exit 1; }
tap_main "$@"
