#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The main job, in the lab VM: one display adapter split between two guests that
# run at the same time. Every statement that is printed was checked.
#
#   split.sh FBDRAW    FBDRAW: the program that draws and recognises pictures

set -euo pipefail

fbdraw=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nested=$here/../lab/nested.sh
parent=/sys/bus/pci/devices/$LAB_PARENT
types=$parent/mdev_supported_types

# A guest's name is the letter that it draws.
guests=(A B)
declare -A uuid=([A]=aaaaaaaa-5911-4a11-8a11-000000000001
		 [B]=bbbbbbbb-5911-4b11-8b11-000000000002)
declare -A size=([A]=8M [B]=4M)
declare -A mode offset bytes before after

step() { printf '==> %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
stat_of() { cat "/sys/bus/mdev/devices/${uuid[$1]}/vpci/$2"; }
block_of() { cat "/sys/bus/mdev/devices/${uuid[$1]}/mgpu/vram_$2"; }
available() {
	local type
	for type in "$types"/*; do
		printf '%s:%s ' "${type##*/mgpu-}" "$(<"$type/available_instances")"
	done
}

start_guest() {
	"$nested" start "$1" -- -device \
		"vfio-pci,sysfsdev=/sys/bus/mdev/devices/${uuid[$1]},display=on"
}

# "drawn WxH stride S"
draw() {
	local said
	said=$("$nested" cmd "$1" "fbdraw draw $1")
	[[ $said =~ ([0-9]+)x([0-9]+)\ stride\ ([0-9]+) ]] ||
		die "guest $1 did not draw but said: $said"
	mode[$1]="${BASH_REMATCH[1]} ${BASH_REMATCH[2]} ${BASH_REMATCH[3]}"
}

# The guest's driver copies its picture to VRAM a little later by itself: 20 s.
wait_for_picture() {
	local said
	# shellcheck disable=SC2086 # three numbers
	said=$("$fbdraw" check "$1" ${mode[$1]} "$parent/resource0" "${offset[$1]}" 20) ||
		die "the picture of guest $1 is not in its VRAM: $said"
}

# No run of pixels of the other guest's picture is in this one's block.
check_nothing_of() {
	local said
	# shellcheck disable=SC2086 # three numbers
	said=$("$fbdraw" scan "$2" ${mode[$2]} "$parent/resource0" \
		"${offset[$1]}" "${bytes[$1]}") ||
		die "VRAM of guest $1 holds parts of the picture of guest $2: $said"
}

step "loading mdev, vfio-vpci and mgpu; $LAB_PARENT becomes the parent"
"$here/../lab/load.sh"
free_before=$(available)
echo "    instances that could be created now: $free_before"

for g in "${guests[@]}"; do
	step "creating instance ${uuid[$g]} of type mgpu-${size[$g]}"
	echo "${uuid[$g]}" > "$types/mgpu-${size[$g]}/create"
	offset[$g]=$(block_of "$g" offset)
	bytes[$g]=$(block_of "$g" size)
done
echo "    instances that could be created now: $(available)"

for g in "${guests[@]}"; do
	before[$g]=$(stat_of "$g" pages_mapped)
	((before[$g] == 0)) || die "instance of $g has pages mapped before any touch"
done

step "booting guests A and B at the same time, each with its instance"
for g in "${guests[@]}"; do
	start_guest "$g"
done
for g in "${guests[@]}"; do
	"$nested" wait "$g" ready 60
	echo "    guest $g: $("$nested" cmd "$g" 'cat /proc/fb; uname -r' | tr '\n' ' ')"
done

step "each guest draws its letter into its /dev/fb0"
for g in "${guests[@]}"; do
	draw "$g"
done
for g in "${guests[@]}"; do
	wait_for_picture "$g"
	after[$g]=$(stat_of "$g" pages_mapped)
	((after[$g] > 0)) || die "guest $g has drawn, but no page is mapped"
	"$nested" qmp "$g" screendump "{\"filename\": \"$LAB_OUT/guest-$g.png\", \"format\": \"png\"}" > /dev/null
done
check_nothing_of A B
check_nothing_of B A

echo
printf '    %-6s %-6s %-10s %-22s %-22s %-12s %s\n' guest type mode \
	'pages mapped: before' 'after the first touch' 'own picture' "other's picture"
for g in "${guests[@]}"; do
	# shellcheck disable=SC2086 # three numbers
	set -- ${mode[$g]}
	printf '    %-6s %-6s %-10s %-22s %-22s %-12s %s\n' "$g" "${size[$g]}" "$1x$2" \
		"${before[$g]}" "${after[$g]}" 'in its VRAM' 'not in its VRAM'
done
echo

step "powering the guests off and removing the instances"
for g in "${guests[@]}"; do
	"$nested" stop "$g"
	said=$("$nested" says "$g" 2>&1) || die "guest $g: $said"
	"$nested" release "/sys/bus/mdev/devices/${uuid[$g]}" 30
done
free_after=$(available)
[[ $free_after == "$free_before" ]] ||
	die "not everything came back: $free_before before, $free_after after"
"$here/../lab/unload.sh"
echo "    everything was returned: $free_after"
