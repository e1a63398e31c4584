#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the main job (split.sh) in the lab VM and shows where the pictures are.
#
#   demo.sh KVER    KVER: the kernel that the modules were built for

set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")/../lab" && pwd)
out=$(cd "$lab/../../.." && pwd)/build/demo
kver=${1:?the version of the kernel that the modules were built for}

rm -rf "$out"
mkdir -p "$out"
echo "==> booting the lab VM: kernel $kver with one bochs-display of 16 MiB"
"$lab/run.sh" --name demo --nested --time-limit 240 --kver "$kver" --out "$out" -- \
	tools/testing/demo/split.sh "$("$lab/initramfs.sh" fbdraw-path)"

echo "==> the screens of the two guests, as their QEMU shows them:"
for picture in "$out"/guest-A.png "$out"/guest-B.png; do
	[[ -s $picture ]] || { echo "demo: $picture was not made" >&2; exit 1; }
	echo "    $picture"
done
