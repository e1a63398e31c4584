# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of the lab share: messages, where things are, and which kernel to boot. To be sourced.
#
# A kernel is three things of one version: an image, its modules, and its headers (our own modules are built with
# them). Image and modules are the installed ones, or those that setup.sh unpacked under CACHE/kernels/KVER.

LAB_DIR=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by the scripts that source this
REPO=$(cd -P "$LAB_DIR/../../.." && pwd)
# Debian's users have no depmod and modinfo in their PATH
PATH=$PATH:/usr/sbin:/sbin
CACHE=${VFIO_MDEV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vfio-mdev}
# What to boot when nobody says otherwise: a glob of versions of the distribution's kernels.
# shellcheck disable=SC2034
KVER_GLOB='6.12.*-amd64'

# The clang for kernels that gcc has no checker for: 7.3 wants 17 or newer, and Debian 12 and 13 have this one.
# shellcheck disable=SC2034
CLANG=19

# Debian's UEFI firmware, with its variables in memory
# shellcheck disable=SC2034
OVMF=/usr/share/ovmf/OVMF.fd

# The name before a message is that of the script which was called.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# cache_use PATH: what is in the cache may stay there
cache_use() { touch "$1"; }

# The newest of each series ("7.3") of the sources and of the distribution's kernels that the cache has, and that
# were of use in the last three months
cache_newest() {
	find "$CACHE/sources" "$CACHE/kernels" -mindepth 1 -maxdepth 1 \( -name 'linux-source-*.deb' -o -name '[0-9]*' \) \
		! -name '*-lab-*' -mtime -90 2>/dev/null | sort -Vr | awk -F/ '{
			match($NF, /[0-9]+\.[0-9]+/)
			series = substr($NF, 1, RSTART + RLENGTH - 1)
			if (!seen[series]++) print
		}'
}

# Removes from the cache what has been of no use for two weeks: each change of a file that an image is made of makes
# another image. Of sources, and of kernels as the distribution made them, the newest one of a series stays longer, for
# the archive drops whole series. Two at once remove the same, and only one of them finds it.
cache_trim() {
	local keep=() path
	while read -r path; do keep+=(! -path "$path" ! -path "$path/*"); done < <(cache_newest)
	find "$CACHE" -mindepth 1 -maxdepth 2 -mtime +14 \( -path "$CACHE/initramfs/*" -o -path "$CACHE/fbdraw-*" -o \
		-path "$CACHE/kernels/*" -o -path "$CACHE/sources/*" -o -path "$CACHE/downloads/*" -o \
		-path "$CACHE/*/.tmp.*" \) "${keep[@]}" -prune -exec rm -rf {} + || true
}

# clang_of KDIR: what makes Kbuild take the clang that the kernel was built by, empty if that was not clang
clang_of() { sed -nE 's/^CONFIG_CLANG_VERSION=([0-9]+)[0-9]{4}$/LLVM=-\1/p' "$1/include/config/auto.conf"; }

# need COMMAND...: stop when a program is not installed
need() {
	local cmd
	for cmd; do
		command -v "$cmd" >/dev/null ||
			die "the program '$cmd' is not installed; run tools/testing/lab/setup.sh"
	done
}

# Where the modules of this tree for kernel $1 are when "make" did not build them in the tree; $2 is MDEV_CORE.
lane_dir() { echo "$REPO/build/lanes/$1${2:+-$2-mdev}"; }

# Where the modules of this tree for kernel $1 and MDEV_CORE $2 are, whoever built them.
modules_dir() {
	local made_for=''
	if [[ -z $2 ]]; then made_for=$(modinfo -F vermagic "$REPO/drivers/vfio/mdev/mdev-core.ko" 2>/dev/null || true); fi
	if [[ ${made_for%% *} == "$1" ]]; then echo "$REPO"; else lane_dir "$1" "$2"; fi
}

# The root that holds the image and modules of kernel $1; fails when there is none.
kernel_root() {
	local root
	for root in / "$CACHE/kernels/$1"; do
		if [[ -r ${root%/}/boot/vmlinuz-$1 && -r ${root%/}/lib/modules/$1/modules.dep ]]; then
			echo "$root"
			return
		fi
	done
	return 1
}

kernel_has_headers() {
	[[ -e /usr/src/linux-headers-$1/Makefile || -e $(kernel_root "$1")/lib/modules/$1/build/Makefile ]]
}

# Versions that match glob $1 and have an image somewhere, newest first. The distribution's flavours for real-time and
# cloud kernels do not count.
kernel_versions() {
	local image kver
	for image in /boot/vmlinuz-* "$CACHE"/kernels/*/boot/vmlinuz-*; do
		kver=${image##*/vmlinuz-}
		# shellcheck disable=SC2053 # $1 is a glob
		if [[ -e $image && $kver == $1 && $kver != *-rt-* && $kver != *-cloud-* ]]; then echo "$kver"; fi
	done | sort -Vru
}

# The newest complete kernel that matches glob $1; fails when there is none.
kernel_find() {
	local kver
	while read -r kver; do
		if kernel_root "$kver" >/dev/null && kernel_has_headers "$kver"; then
			echo "$kver"
			return
		fi
	done < <(kernel_versions "$1")
	return 1
}
