#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lane.sh KVER [KDIR]: builds the modules for kernel KVER beside the tree, in
# build/lanes/KVER, so that the modules that "make" built stay where they are.
# Kbuild puts objects next to sources, so that directory holds links to them.
# KDIR holds the kernel's headers, if not the place where KVER itself is known.
#
# With MDEV_CORE=kernel in the environment they are built against the kernel's
# own mdev core, in build/lanes/KVER-kernel-mdev, where neither the sources nor
# the header of ours are to be seen.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kver=$1 kdir=${2-}
if [[ -z $kdir ]]; then
	root=$(kernel_root "$kver") || die "there is no kernel $kver; see tools/testing/lab/kernel.sh"
	kdir=${root%/}/lib/modules/$kver/build
fi
core=${MDEV_CORE-}
lane=$(lane_dir "$kver" "$core")
ours=(drivers/vfio/mdev include/linux/mdev.h)

mkdir -p "$lane"
find "$lane" -type l -delete
cd "$REPO"
find Kbuild drivers include samples \( -name '*.[ch]' -o -name Kbuild \) \
	! -name '*.mod.c' | while read -r file; do
	if [[ $core == kernel && ($file == "${ours[0]}"/* || $file == "${ours[1]}") ]]; then continue; fi
	mkdir -p "$(dirname "$lane/$file")"
	ln -s "$REPO/$file" "$lane/$file"
done
# shellcheck disable=SC2046 # a word or none
make $(clang_of "$kdir") --no-print-directory -C "$kdir" M="$lane" W=1 MDEV_CORE="$core" modules
