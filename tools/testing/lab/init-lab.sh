#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# /init of the lab VM. Makes the host's root file system, read-only over 9p with a tmpfs on top, the VM's own, and
# hands over to agent.sh in it. Runs in busybox: one static program costs less here than many over 9p.
#
# /job (shell variables, written by run.sh, appended to this initramfs):
#   REPO   repository root             OUT      directory shared read-write
#   KEEP   one path per line that stays visible although a tmpfs is mounted above it
#   KVER   kernel version              MODULES  its modules when they are not the installed ones

set -eu
export PATH=/bin
/bin/busybox --install -s /bin

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

# run.sh asks only whether this accelerator boots a kernel at all
if grep -qw lab.probe /proc/cmdline; then
	echo lab-probe-alive >/dev/console
	poweroff -f
fi

while read -r module; do insmod "$module"; done </modules
# shellcheck disable=SC1091
. /job

V9P=trans=virtio,version=9p2000.L,msize=524288
mount -t 9p -o "$V9P,ro,cache=loose" root /lower
mount -t tmpfs -o mode=755 tmpfs /keep
mkdir /keep/upper /keep/work
mount -t overlay -o "lowerdir=/lower,upperdir=/keep/upper,workdir=/keep/work" overlay /new

if [ -n "$MODULES" ]; then
	mkdir -p "/new/lib/modules/$KVER"
	mount --bind "/new$MODULES" "/new/lib/modules/$KVER"
fi

# Directories that the tmpfs mounts would hide: hold on to them, and put them back afterwards.
n=0
echo "$KEEP" | while read -r dir; do
	case $dir in
	/tmp/*|/run/*|/dev/*)
		mkdir -p "/keep/$n"
		mount --bind "/new$dir" "/keep/$n"
		;;
	esac
	n=$((n + 1))
done

mkdir -p /new/dev /new/proc /new/sys /new/run /new/tmp
mount --move /dev /new/dev
mount --move /proc /new/proc
mount --move /sys /new/sys
mount -t tmpfs -o mode=755 run /new/run
mount -t tmpfs -o mode=1777 tmp /new/tmp
mkdir -p /new/dev/shm /new/dev/pts /new/run/lock /new/run/lab
mount -t tmpfs -o mode=1777 shm /new/dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /new/dev/pts
mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
mount -t debugfs debugfs /new/sys/kernel/debug 2>/dev/null || true
ln -sf /proc/self/fd /new/dev/fd
ln -sf /proc/self/fd/0 /new/dev/stdin
ln -sf /proc/self/fd/1 /new/dev/stdout
ln -sf /proc/self/fd/2 /new/dev/stderr

n=0
echo "$KEEP" | while read -r dir; do
	if [ -d "/keep/$n" ]; then
		mkdir -p "/new$dir"
		mount --move "/keep/$n" "/new$dir"
	fi
	n=$((n + 1))
done

mkdir -p "/new$OUT"
mount -t 9p -o "$V9P,rw,cache=mmap" out "/new$OUT"

ifconfig lo 127.0.0.1 up
hostname lab
cp /job /argv /new/run/lab/
exec switch_root /new /bin/bash "$REPO/tools/testing/lab/agent.sh"
