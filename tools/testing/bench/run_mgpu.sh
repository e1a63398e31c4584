#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: guests write to their displays' memory. One has the physical adapter
# by vfio-pci; two have instances of mgpu at the same time, each with its own picture
# on its own mode. The results go to $LAB_OUT/PEER-N, in MiB per second.
#
#   run_mgpu.sh FBDRAW VRAM_BENCH

set -euo pipefail

fbdraw=$1 bench=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nested=$here/../lab/nested.sh
parent=/sys/bus/pci/devices/$LAB_PARENT
ROUNDS=3
declare -A uuid=([A]=bbbbbbbb-be9c-4c11-8c11-00000000000a [B]=bbbbbbbb-be9c-4c11-8c11-00000000000b)
declare -A size=([A]=8M [B]=4M) resolution=([A]=1280x800 [B]=800x600)
declare -A mode=([A]='1280 800 5120' [B]='800 600 3200')

die() { echo "run_mgpu.sh: $*" >&2; exit 1; }

bind() {
	if [[ -e $parent/driver ]]; then echo "$LAB_PARENT" >"$parent/driver/unbind"; fi
	echo "$1" >"$parent/driver_override"
	echo "$LAB_PARENT" >/sys/bus/pci/drivers_probe
}

instance() { echo "/sys/bus/mdev/devices/${uuid[$1]}"; }

# start_guest NAME DEVICE
start_guest() {
	"$nested" start "$1" --cmdline iomem=relaxed --file "$bench" -- -device "$2"
	"$nested" wait "$1" ready 300
	"$nested" cmd "$1" --time-limit 60 "fbdraw draw $1"
}

# What the guest's driver has a copy of comes back when it draws: nothing else writes then
write_speed() {
	# shellcheck disable=SC2016 # for the guest's shell
	"$nested" cmd "$1" --time-limit 240 '/files/vram_bench $(ls -d /sys/bus/pci/drivers/bochs-drm/0000:*)/resource0'
}

check_picture() {
	local said
	# shellcheck disable=SC2086 # three numbers
	said=$("$fbdraw" check "$1" ${mode[$1]} "$parent/resource0" "$(<"$(instance "$1")/mgpu/vram_offset")" 60) ||
		die "the picture of guest $1: $said"
}

physical() {
	bind vfio-pci
	start_guest V "vfio-pci,host=$LAB_PARENT"
	write_speed V >"$LAB_OUT/vfio-pci-$1"
	"$nested" stop V
}

"$here/../lab/load.sh"
modprobe vfio-pci
physical 1
bind mgpu
for guest in A B; do
	echo "${uuid[$guest]}" >"$parent/mdev_supported_types/mgpu-${size[$guest]}/create"
	echo "${resolution[$guest]}" >"$(instance $guest)/display/resolution"
	start_guest $guest "vfio-pci,sysfsdev=$(instance $guest),display=on"
done
for guest in A B; do check_picture $guest; done
for ((n = 1; n <= ROUNDS; n++)); do
	for guest in A B; do write_speed $guest >"$LAB_OUT/mgpu-$guest-$n"; done
done
for guest in A B; do write_speed $guest >"$LAB_OUT/both-$guest" & done
wait
for guest in A B; do
	"$nested" stop $guest
	"$nested" release "$(instance $guest)" 30
done
physical 2
