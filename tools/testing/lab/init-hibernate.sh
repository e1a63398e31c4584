#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# /init of a lab VM that hibernates. A 9p file system does not survive that, so the root is this initramfs: busybox,
# modules, and what run.sh --with has added. There is a disk to swap to; when it holds the image of a VM, this
# kernel is the one that brings that VM back. CMD is run before, as what such a kernel does until then.
#
# /job: see init-lab.sh

set -eu
export PATH=/bin
/bin/busybox --install -s /bin

PAGE=4096

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do insmod "$module"; done </modules
# shellcheck disable=SC1091
. /job
# Ports and disks come a moment after their driver
until [ -b "$SWAP" ] && grep -qsxF lab.qmp /sys/class/virtio-ports/*/name; do usleep 50000; done
mkdir -p /run/lab /tmp "$OUT"
cp /job /argv /run/lab/
ln -sf /proc/self/fd /dev/fd
ifconfig lo 127.0.0.1 up
hostname lab

# Where mkswap writes "SWAPSPACE2", a kernel that hibernates writes this
if [ "$(dd if="$SWAP" bs=1 skip=$((PAGE - 10)) count=9 2>/dev/null)" = S1SUSPEND ]; then
	cd "$REPO"
	# shellcheck disable=SC2016 # for bash
	LAB_RESUMES=1 LAB_PARENT=$PARENT LAB_SWAP=$SWAP bash -c '. /argv; exec "${ARGV[@]}"' >/dev/console 2>&1 || true
	cat "/sys/class/block/${SWAP#/dev/}/dev" >/sys/power/resume || true
	echo "init-hibernate.sh: the kernel has not brought back the VM whose image is on $SWAP" >/dev/console
	poweroff -f
fi

mkswap "$SWAP" >/dev/null
swapon "$SWAP"
exec /bin/bash "$REPO/tools/testing/lab/agent.sh"
