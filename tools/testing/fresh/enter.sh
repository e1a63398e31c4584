#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs a command in another root file system; to be started in a mount and a PID namespace of its own:
#
#   enter.sh ROOT ARCHIVES DIRECTORY COMMAND
#
# ARCHIVES takes the place of apt's directory of packages. Of the environment, COMMAND gets QEMU, which setup.sh reads. Not
# by chroot: in one there are no user namespaces, udev thinks that it is in the hands of an installer, and the old root
# can be seen.

set -euo pipefail
root=$1
archives=$2
directory=$3
command=$4

# A machine without a network has itself, in a network namespace that is new
python3 -c '
import fcntl, socket, struct
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))'

mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /dev dev
mkdir -p run/old var/cache/apt/archives
mount --bind "$archives" var/cache/apt/archives
pivot_root . run/old
umount -l /run/old
rmdir /run/old
cd "$directory"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root TERM=dumb \
	${QEMU:+"QEMU=$QEMU"} sh -c "$command" </dev/null
