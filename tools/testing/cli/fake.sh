# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The sysfs made of plain files on which the scripts that source this file test mdev-ctl. Needs no root.
#
#	list_test.sh [NAME..]		all tests of the script, or the named ones
#	MDEV_CTL=path list_test.sh	another binary, such as mdev-ctl-san
#
# Most tests compare whole outputs. Plain files do not behave like sysfs; where that matters (what is written in one
# call, and what the kernel answers), shim.c is preloaded.

# Syncing a real disk takes its time, and proves nothing here.
if [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
# shellcheck source=tools/testing/cli/ctl.sh
. "$(dirname "${BASH_SOURCE[0]}")/ctl.sh"

P=0000:00:05.0
P2=0000:00:06.0
A=11111111-1111-4111-8111-111111111111
B=22222222-2222-4222-8222-222222222222
# shellcheck disable=SC2034 # for the scripts
C=33333333-3333-4333-8333-333333333333
D=deadbeef-dead-4eef-8ead-deadbeefdead

# errno values of Linux on every architecture that has VFIO
# shellcheck disable=SC2034 # for the scripts
EPERM=1 EINTR=4 EIO=5 ENOMEM=12 EACCES=13 EBUSY=16 EEXIST=17 ENODEV=19 EINVAL=22 ENOSPC=28 EUSERS=87

add_parent() {
	mkdir -p "$sys/devices/pci0000:00/$1/mdev_supported_types" "$sys/class/mdev_bus"
	ln -s "../../devices/pci0000:00/$1" "$sys/class/mdev_bus/$1"
}

# add_type PARENT TYPE AVAILABLE NAME DESCRIPTION, the last two optional as in the kernel
add_type() {
	local dir=$sys/devices/pci0000:00/$1/mdev_supported_types/$2

	mkdir "$dir"
	: >"$dir/create"
	echo "$3" >"$dir/available_instances"
	echo vfio-pci >"$dir/device_api"
	[ -z "$4" ] || printf '%s\n' "$4" >"$dir/name"
	[ -z "$5" ] || printf '%b\n' "$5" >"$dir/description"
}

# add_instance PARENT TYPE UUID
add_instance() {
	local dir=$sys/devices/pci0000:00/$1/$3

	mkdir -p "$dir" "$sys/bus/mdev/devices"
	: >"$dir/remove"
	ln -s "../mdev_supported_types/$2" "$dir/mdev_type"
	ln -s "../../../devices/pci0000:00/$1/$3" "$sys/bus/mdev/devices/$3"
}

type_dir() { echo "$sys/class/mdev_bus/$1/mdev_supported_types/$2"; }

setup() {
	root=$work/root
	sys=$root/sys
	rm -rf "$root" "$work/log" "$work/calls"
	mkdir -p "$sys"
	export MDEV_CTL_ROOT=$root
}

two_parents() {
	add_parent $P2
	add_parent $P
	add_type $P mgpu-8M 2 'mgpu 8 MiB' 'vram: 8 MiB\nheads: 1'
	add_type $P mgpu-4M 4 'mgpu 4 MiB'
	add_type $P mgpu-16M 0
	add_type $P2 mtty-1 24 'Single port serial' 'one port'
}

three_instances() {
	two_parents
	add_instance $P2 mtty-1 $A
	add_instance $P mgpu-8M $D
	add_instance $P mgpu-4M $B
}

use_shim() {
	if [ ! -e "$work/shim.so" ]; then
		"${CC:-cc}" -shared -fPIC -o "$work/shim.so" "$here/shim.c" || skip 'no compiler for the shim'
	fi
}

# shim_run VAR=VALUE.. -- ARGS: as run, with the shim
shim_run() {
	local vars=()

	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	last="${vars[*]} mdev-ctl $*"
	env "${vars[@]}" "SHIM_LOG=$work/log" "LD_PRELOAD=$work/shim.so" "$MDEV_CTL" "$@" \
		>"$work/out" 2>"$work/err" </dev/null
	rc=$?
}

expect_log() {
	cat >"$work/want"
	[ -e "$work/log" ] || : >"$work/log"
	differ 'writes to sysfs' "$work/want" "$work/log"
}

etc() { echo "$root/etc/mdevctl.d"; }

# Everything that mdevctl wants to be there
use_etc() {
	mkdir -p "$root/etc/mdevctl.d" "$root"/usr/lib/mdevctl/scripts.d/{callouts,notifiers}
}

# definition PARENT UUID TYPE auto|manual [ATTRS]: as mdevctl writes it
definition() {
	mkdir -p "$(etc)/$1"
	if [ -n "${5-}" ]; then
		printf '{\n  "mdev_type": "%s",\n  "start": "%s",\n  "attrs": [\n%s\n  ]\n}' "$3" "$4" "$5"
	else
		printf '{\n  "mdev_type": "%s",\n  "start": "%s",\n  "attrs": []\n}' "$3" "$4"
	fi >"$(etc)/$1/$2"
}

attr() { printf '    {\n      "%s": "%s"\n    }' "$1" "$2"; }

# expect_definition PARENT UUID: the file has the bytes that stdin has, but for the last newline.
expect_definition() {
	printf %s "$(cat)" >"$work/want"
	if [ -e "$(etc)/$1/$2" ]; then
		differ "definition $1/$2" "$work/want" "$(etc)/$1/$2"
	else
		fail "$last: $2 is not defined on $1"
	fi
}

expect_not_defined() { [ ! -e "$(etc)/$1/$2" ] || fail "$last: $2 is defined on $1"; }

# script callouts|notifiers NAME: a script with the body that stdin has, which first logs how it was called
script() {
	local path=$root/usr/lib/mdevctl/scripts.d/$1/$2

	use_etc
	{
		echo '#!/bin/sh'
		# shellcheck disable=SC2016 # for the script
		printf 'event=$4 action=$6 state=$8; me=%s; log=%s\n' "$2" "$work/calls"
		# shellcheck disable=SC2016
		echo 'echo "$me $*" >>"$log"'
		cat
	} >"$path"
	chmod +x "$path"
}

# What the scripts were called with, but for the queries of capabilities if told so
expect_calls() {
	cat >"$work/want"
	[ -e "$work/calls" ] || : >"$work/calls"
	if [ "${1-}" = all ]; then cp "$work/calls" "$work/got"; else grep -v -e '-a capabilities' "$work/calls" >"$work/got"; fi
	rm -f "$work/calls"
	differ 'calls of scripts' "$work/want" "$work/got"
}
