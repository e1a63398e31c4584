#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels of the lanes, made when they are missing: prints the version of one.
#
#   kernel.sh stock        the distribution's newest supported kernel
#   kernel.sh debug-6.12   built from the package linux-source-6.12 with debug.config
#   kernel.sh debug-7.2    likewise from linux-source-7.2, of trixie-backports
#   kernel.sh --refresh debug-...   from the newest source that apt has, not the one that was built last
#
# A debug kernel is known by the version of its source and by the hash of what it was configured with, and is kept in
# CACHE/kernels/KVER like an unpacked package: boot/vmlinuz-KVER, boot/vmlinux-KVER with debug information, and
# lib/modules/KVER, whose link "build" leads to what modules are built against.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

CONFIG=$LAB_DIR/debug.config

usage() { sed -n '/^#   kernel/s/^# \{0,3\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

# All that makes another kernel of the same source: the options, the function configure(), and the compiler, for Kbuild
# warns when that of a module is another one than that of the kernel. No comment, and nothing else in this file.
config_hash() {
	need gcc
	{ grep -E '^(# )?CONFIG_' "$CONFIG"; declare -f configure; gcc --version | head -n 1; } | sha256sum | cut -c1-8
}

# What is compiled is not counted beforehand; that it goes on is what one wants to see.
progress() {
	awk -v what="$1" -v every=20 '
		BEGIN { "date +%s" | getline start; last = start }
		/^ +(CC|AS|LD|AR)/ { n++; if (n % 50) next
			close("date +%s"); "date +%s" | getline now
			if (now - last >= every) {
				printf "kernel.sh: %s: %d objects after %d s\n", what, n, now - start > "/dev/stderr"
				last = now
			} }'
}

# The source tarball of series $1; sets $tarball
find_source() {
	local series=$1 package=linux-source-$1 dir=$CACHE/sources
	tarball=/usr/src/$package.tar.xz
	[[ ! -r $tarball ]] || return 0
	"$LAB_DIR/setup.sh" source "$series"
	mkdir -p "$dir"
	tmp=$(mktemp -d "$dir/.tmp.XXXXXX")
	say "downloading $package"
	(cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download "$package") >"$tmp/log" 2>&1 </dev/null ||
		{ tail -n 20 "$tmp/log" >&2; die "apt cannot download $package, see above"; }
	dpkg -x "$tmp"/*.deb "$tmp/root"
	tarball=$tmp/root/usr/src/$package.tar.xz
	[[ -r $tarball ]] || die "the package $package holds no $package.tar.xz"
}

configure() {
	local tree=$1 hash=$2
	make -C "$tree" -s tinyconfig
	(cd "$tree" && scripts/kconfig/merge_config.sh -m .config "$CONFIG") >/dev/null
	make -C "$tree" -s olddefconfig
	"$tree/scripts/config" --file "$tree/.config" --set-str LOCALVERSION "-lab-$hash"
}

# What the debug lanes are for must be there. What an option needs changes from series to series.
check_config() {
	local tree=$1 name
	for name in KASAN PROVE_LOCKING DEBUG_KMEMLEAK UBSAN DEBUG_ATOMIC_SLEEP FAILSLAB IOMMUFD VFIO_DEVICE_CDEV KCOV; do
		grep -q "^CONFIG_$name=[ym]" "$tree/.config" ||
			die "the configuration of $tree lost CONFIG_$name: debug.config lacks something that it needs"
	done
}

# What builds of modules, gdb and nobody else need of the tree
prune() {
	local tree=$1
	find "$tree" \( -name '*.o' -o -name '*.a' -o -name '*.cmd' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \) \
		-not -path "$tree/scripts/*" -not -path "$tree/tools/objtool/*" -delete
	find "$tree/arch" -mindepth 1 -maxdepth 1 -type d -not -name x86 -exec rm -rf {} +
	rm -rf "$tree"/{Documentation,sound,drivers/gpu,drivers/net,drivers/media,drivers/staging,fs/xfs,fs/btrfs}
}

build() {
	local lane=$1 series=$2 hash=$3 tarball tmp='' work tree kver dest start=$SECONDS
	"$LAB_DIR/setup.sh" debug
	find_source "$series"
	mkdir -p "$CACHE/kernels"
	work=$(mktemp -d "$CACHE/kernels/.tmp.XXXXXX")
	# shellcheck disable=SC2064 # the directories of now
	trap "rm -rf '$work' '$tmp'" EXIT
	say "$lane: unpacking $tarball; building it takes some minutes, once"
	tar -C "$work" -xf "$tarball"
	tree=$(echo "$work"/linux-source-*)
	configure "$tree" "$hash"
	check_config "$tree"
	make -C "$tree" -j"$(nproc)" bzImage modules 2>"$work/errors" | progress "$lane" ||
		{ tail -n 30 "$work/errors" >&2; die "$lane: the kernel does not build, see above"; }
	kver=$(make -C "$tree" -s kernelrelease)
	dest=$work/kernel
	mkdir -p "$dest/boot"
	make -C "$tree" -s modules_install INSTALL_MOD_PATH="$dest" >/dev/null
	cp "$tree/arch/x86/boot/bzImage" "$dest/boot/vmlinuz-$kver"
	mv "$tree/vmlinux" "$dest/boot/vmlinux-$kver"
	cp "$tree/.config" "$dest/boot/config-$kver"
	prune "$tree"
	mv "$tree" "$dest/source"
	ln -sfn ../../../source "$dest/lib/modules/$kver/build"
	rm -rf "${CACHE:?}/kernels/$kver"
	mv "$dest" "$CACHE/kernels/$kver"
	cache_trim
	say "$lane: $kver built in $((SECONDS - start)) s"
}

refresh=0
if [[ ${1-} == --refresh ]]; then refresh=1; shift; fi
(($# == 1)) || usage
case $1 in
stock)
	kernel_find "$KVER_GLOB" || die "no kernel $KVER_GLOB with image, modules and headers; run tools/testing/lab/setup.sh"
	;;
debug-6.12 | debug-7.2 | debug-7.3)
	series=${1#debug-}
	hash=$(config_hash)
	if ((refresh)) || ! kernel_find "$series.*-lab-$hash" >/dev/null; then build "$1" "$series" "$hash" >&2; fi
	kver=$(kernel_find "$series.*-lab-$hash")
	cache_use "$CACHE/kernels/$kver"
	echo "$kver"
	;;
*) die "there is no lane '$1'; there are stock, debug-6.12 and debug-7.2" ;;
esac
