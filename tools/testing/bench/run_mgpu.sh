#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: three guests write to their displays' memory. V has an adapter by
# vfio-pci; A and B have instances of mgpu on another adapter like it, each with its own
# picture on its own mode. Each writes on its own first, and then all at once. The
# results go to $LAB_OUT:
#
#   alone-GUEST-N    MiB per second
#   at_once-GUEST-N  likewise
#   scrub-GUEST      microseconds to overwrite the instance's VRAM
#
#   run_mgpu.sh FBDRAW VRAM_BENCH

set -euo pipefail

fbdraw=$1 bench=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nested=$here/../lab/nested.sh
parent=/sys/bus/pci/devices/$LAB_PARENT
ROUNDS=12
guests=(V A B)
declare -A uuid=([A]=bbbbbbbb-be9c-4c11-8c11-00000000000a [B]=bbbbbbbb-be9c-4c11-8c11-00000000000b)
declare -A size=([A]=8M [B]=4M) resolution=([A]=1280x800 [B]=800x600)
declare -A mode=([A]='1280 800 5120' [B]='800 600 3200')

die() { echo "run_mgpu.sh: $*" >&2; exit 1; }

instance() { echo "/sys/bus/mdev/devices/${uuid[$1]}"; }

# start_guest NAME QEMU_DEVICE_ARGS...
start_guest() {
	local name=$1
	shift
	"$nested" start "$name" --cmdline iomem=relaxed --file "$bench" -- "$@"
	"$nested" wait "$name" ready 300
}

draw() { "$nested" cmd "$1" --time-limit 60 "fbdraw draw $1"; }

check_picture() {
	local said
	# shellcheck disable=SC2086 # three numbers
	said=$("$fbdraw" check "$1" ${mode[$1]} "$parent/resource0" "$(<"$(instance "$1")/mgpu/vram_offset")" 60) ||
		die "the picture of guest $1: $said"
}

# at_once FUNCTION [ARG]: for all guests
at_once() {
	local guest pid pids=()
	for guest in "${guests[@]}"; do
		"$1" "$guest" "${@:2}" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
}

# write_for SECONDS GUEST RESULT
write_for() {
	# What the guest's driver has a copy of comes back when it draws: nothing else writes then
	# shellcheck disable=SC2016 # for the guest's shell
	"$nested" cmd "$2" --time-limit 240 \
		'/files/vram_bench $(ls -d /sys/bus/pci/drivers/bochs-drm/0000:*)/resource0 '"$1" >"$LAB_OUT/$3"
}

write_with_others() { write_for 2 "$1" "at_once-$1-$2"; }

faults() { cat "$(instance A)/vpci/faults" "$(instance B)/vpci/faults"; }

"$here/../lab/load.sh"
modprobe vfio-pci
echo vfio-pci >"/sys/bus/pci/devices/$LAB_PEER/driver_override"
echo "$LAB_PEER" >/sys/bus/pci/drivers_probe
start_guest V -device "vfio-pci,host=$LAB_PEER"
for guest in A B; do
	echo "${uuid[$guest]}" >"$parent/mdev_supported_types/mgpu-${size[$guest]}/create"
	cat "$(instance $guest)/mgpu/scrub_us" >"$LAB_OUT/scrub-$guest"
	echo "${resolution[$guest]}" >"$(instance $guest)/display/resolution"
	start_guest $guest -device "vfio-pci,sysfsdev=$(instance $guest),display=on"
done
for ((n = 1; n <= ROUNDS; n++)); do
	for guest in "${guests[@]}"; do write_for 0.4 "$guest" "alone-$guest-$n"; done
	before=$(faults)
	at_once write_with_others $n
	[[ $(faults) == "$before" ]] || die "memory that was mapped has met faults again"
done
at_once draw
for guest in A B; do check_picture $guest; done
for guest in "${guests[@]}"; do "$nested" stop "$guest"; done
for guest in A B; do "$nested" release "$(instance $guest)" 30; done
