#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds what a lab VM and its nested guests boot from, once, and prints where it is:
#
#   initramfs.sh lab KVER      initramfs of the lab VM: mounts the host's root over 9p (init-lab.sh)
#   initramfs.sh hibernate KVER  the same, of one that can hibernate: all of its root (init-hibernate.sh)
#   initramfs.sh nested KVER   initramfs of a nested guest: display driver, fbdraw, command channel (init-nested.sh)
#   initramfs.sh vmlinux KVER  the uncompressed kernel image: no decompression and no firmware stage, so it boots faster
#   initramfs.sh fbdraw-path   the static program fbdraw
#
# Everything is kept in the cache under the hash of all that went in, so a stale file can never be used.
# Modules are stored unpacked: finding them out is the host's work, and the guest's CPU is emulated.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

LAB_MODULES=(virtio_pci virtio_console 9p 9pnet_virtio overlay)
HIBERNATE_MODULES=(virtio_pci virtio_console virtio_blk vfio vfio_iommu_type1)
NESTED_MODULES=(virtio_pci virtio_console bochs)

usage() { die "usage: initramfs.sh lab|hibernate|nested|vmlinux KVER, or initramfs.sh fbdraw-path"; }

hash_of() { sha256sum "$@" | sha256sum | cut -c1-16; }

# Files of the modules $3... of kernel $2 under root $1, in load order; a built-in module has none.
module_files() {
	local root=$1 kver=$2 kind file name
	shift 2
	for name; do
		modprobe -d "$root" -S "$kver" --show-depends "$name" ||
			die "kernel $kver has no module '$name', neither as a file nor built in: it cannot run the lab"
	done | while read -r kind file _; do
		if [[ $kind == insmod ]]; then echo "$file"; fi
	done | awk '!seen[$0]++'
}

unpack_module() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# make_initramfs KIND KVER INIT MODULE... -- [EXTRA_FILE...]
make_initramfs() {
	local kind=$1 kver=$2 init=$3 root list names=() files=() key out tmp
	shift 3
	while [[ $1 != -- ]]; do names+=("$1"); shift; done
	shift
	need busybox cpio modprobe depmod
	root=$(kernel_root "$kver") || die "no image and modules of kernel $kver; run tools/testing/lab/setup.sh"
	list=$(module_files "$root" "$kver" "${names[@]}")
	readarray -t files < <(printf '%s' "$list")
	key=$(hash_of "$LAB_DIR/initramfs.sh" "$init" "$(command -v busybox)" \
		"${root%/}/lib/modules/$kver/modules.builtin" "${files[@]}" "$@")
	out=$CACHE/initramfs/$kind-$kver-$key.cpio
	if [[ ! -e $out ]]; then
		mkdir -p "$CACHE/initramfs"
		tmp=$(mktemp -d "$CACHE/initramfs/.tmp.XXXXXX")
		# shellcheck disable=SC2064 # the directory of now
		trap "rm -rf '$tmp'" EXIT
		fill_tree "$tmp/root" "$root" "$kver" "$init" "$@"
		(cd "$tmp/root" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$tmp/cpio"
		mv "$tmp/cpio" "$out"
		cache_trim
	fi
	cache_use "$out"
	echo "$out"
}

# Uses the array `files` of its caller.
fill_tree() {
	local top=$1 root=$2 kver=$3 init=$4 dir file name
	shift 4
	dir=$top/lib/modules/$kver
	mkdir -p "$top"/{bin,dev,proc,sys,run,new,lower,keep} "$dir"
	cp "$(command -v busybox)" "$top/bin/busybox"
	ln -s busybox "$top/bin/sh"
	install -m 755 "$init" "$top/init"
	for file; do install -m 755 "$file" "$top/bin/${file##*/}"; done
	for file in "${files[@]}"; do
		name=${file##*/}
		unpack_module "$file" >"$dir/${name%%.ko*}.ko"
		echo "/lib/modules/$kver/${name%%.ko*}.ko" >>"$top/modules"
	done
	touch "$top/modules"
	cp "${root%/}/lib/modules/$kver"/modules.{builtin,builtin.modinfo,order} "$dir/"
	depmod -b "$top" "$kver"
}

make_fbdraw() {
	local key out tmp
	need gcc
	key=$(hash_of "$LAB_DIR/fbdraw.c" "$LAB_DIR/initramfs.sh")
	out=$CACHE/fbdraw-$key/fbdraw
	if [[ ! -e $out ]]; then
		mkdir -p "${out%/*}"
		tmp=$(mktemp "$out.XXXXXX")
		gcc -static -O2 -Wall -Wextra -Werror -o "$tmp" "$LAB_DIR/fbdraw.c" ||
			{ rm -f "$tmp"; die "fbdraw.c does not compile; see the compiler's message above"; }
		chmod 755 "$tmp"
		mv "$tmp" "$out"
	fi
	cache_use "${out%/*}"
	echo "$out"
}

make_vmlinux() {
	local kver=$1 root image out tmp
	root=$(kernel_root "$kver") || die "no image of kernel $kver; run tools/testing/lab/setup.sh"
	image=${root%/}/boot/vmlinuz-$kver
	out=$CACHE/initramfs/vmlinux-$kver-$(hash_of "$image" "$LAB_DIR/vmlinux.py")
	if [[ -e $out ]]; then
		cache_use "$out"
	else
		mkdir -p "${out%/*}"
		tmp=$(mktemp "$out.XXXXXX")
		if /usr/bin/python3 "$LAB_DIR/vmlinux.py" "$image" >"$tmp"; then
			chmod 644 "$tmp"
			mv "$tmp" "$out"
		else
			rm -f "$tmp"
			out=$image
		fi
	fi
	echo "$out"
}

case "${1-} $#" in
'lab 2') make_initramfs lab "$2" "$LAB_DIR/init-lab.sh" "${LAB_MODULES[@]}" -- ;;
'hibernate 2') make_initramfs hibernate "$2" "$LAB_DIR/init-hibernate.sh" "${HIBERNATE_MODULES[@]}" -- ;;
'nested 2')
	fbdraw=$(make_fbdraw)
	make_initramfs nested "$2" "$LAB_DIR/init-nested.sh" "${NESTED_MODULES[@]}" -- "$fbdraw"
	;;
'vmlinux 2') make_vmlinux "$2" ;;
'fbdraw-path 1') make_fbdraw ;;
*) usage ;;
esac
