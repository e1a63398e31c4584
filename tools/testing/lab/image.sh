#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# image.sh KVER: unpacks the distribution's kernel KVER as it is, with what modules are built against, into
# CACHE/kernels/KVER. Nothing is installed, so KVER need not be of this machine's suite, and the kernel that "make"
# builds for by itself stays the same.
#
# Modules are built against its headers package. The host tools in there want the C library and the compiler of the
# suite that it comes from; where they do not run, against the source, prepared with the kernel's own configuration. What
# this machine's compiler cannot do is missing from that, and no structure depends on it; that the module loader takes
# the result is what the lane's tests begin with.
#
#   image.sh --guest KVER      without what modules are built against
#
# Exit status 77: a package that it takes cannot be had.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tools/testing/lab/apt.sh
. "$LAB_DIR/apt.sh"
# shellcheck source=tools/testing/lab/archive.sh
. "$LAB_DIR/archive.sh"

# unpack_packages DIR PACKAGE...: below DIR
unpack_packages() {
	local dir=$1 name deb
	shift
	for name; do
		deb=$(apt_download "$name" "$CACHE/downloads") || exit "$NOT_THERE"
		deb_unpack "$deb" "$dir"
		rm -f "$deb"
	done
}

# Newer kernels come in several packages.
image_packages() {
	local name
	for name in linux-{image,base,binary,modules}-"$1"; do
		if apt_candidate "$name" >/dev/null; then echo "$name"; fi
	done
}

# Image and modules of kernel $1 below $2, as kernel_root() wants them
unpack_image() {
	local kver=$1 root=$2 packages name
	packages=$(image_packages "$kver")
	grep -qx -e "linux-image-$kver" <<<"$packages" || { say "apt has no linux-image-$kver"; exit "$NOT_THERE"; }
	say "unpacking linux-image-$kver into $CACHE/kernels"
	# shellcheck disable=SC2086 # words
	unpack_packages "$root" $packages
	# newer packages have everything below /usr
	if [[ ! -e $root/lib ]]; then ln -s usr/lib "$root/lib"; fi
	# and leave it to their scripts to fill /boot
	mkdir -p "$root/boot"
	for name in vmlinuz config; do
		[[ -e $root/boot/$name-$kver ]] || ln "$root/lib/modules/$kver/$name" "$root/boot/$name-$kver"
	done
	depmod -b "$root" "$kver"
}

# The packages with the headers of kernel $1: its own, the common ones, the host tools
headers_packages() {
	echo "linux-headers-$1"
	apt-cache depends "linux-headers-$1" | sed -nE 's/^ *Depends: (linux-(headers|kbuild)-.*)/\1/p'
}

# Whether the host tools of the headers below $1 run here, and their compiler is here
headers_work() {
	local compiler
	if find "$1"/usr/lib/linux-kbuild-* -type f -perm /111 -exec ldd {} + 2>&1 | grep -q 'not found'; then return 1; fi
	compiler=$(sed -nE 's/^CC *=.*(gcc-[0-9]+)$/\1/p' "$1"/usr/src/linux-headers-*/.kernelvariables)
	command -v "${compiler:-gcc}" >/dev/null
}

# The headers below $1 are for /usr/src; they get to know that they will be in $2.
move_headers() {
	local file
	for file in "$1"/usr/src/linux-headers-*/{Makefile,.kernelvariables}; do
		if [[ -f $file ]]; then sed -i "s:/usr/src/:$2/usr/src/:" "$file"; fi
	done
}

# prepare KVER HEADERS TREE: source of KVER's version in TREE becomes one that modules can be built against
prepare() {
	local kver=$1 headers=$2/usr/src/linux-headers-$1 tree=$3 version
	version=$(make -s -C "$tree" kernelversion)
	[[ $kver == "$version"+* ]] || { say "there is no source of $kver, only of $version"; exit "$NOT_THERE"; }
	cp "$headers/.config" "$tree/.config"
	"$tree/scripts/config" --file "$tree/.config" --set-str LOCALVERSION "${kver#"$version"}"
	make -s -C "$tree" olddefconfig
	# without the program that signs: it needs a library, and nobody but the distribution has the key
	make -s -C "$tree" -j"$(nproc)" CONFIG_MODULE_SIG_FORMAT= modules_prepare >&2
	cp "$headers/Module.symvers" "$tree/"
	[[ $(make -s -C "$tree" kernelrelease) == "$kver" ]] || die "$tree is configured for another kernel than $kver"
}

# What modules are built against, for the kernel below $work
add_build() {
	local build source tree
	if [[ -e /usr/src/linux-headers-$kver/Makefile ]]; then
		build=/usr/src/linux-headers-$kver
	else
		# shellcheck disable=SC2046 # words
		unpack_packages "$work/headers" $(headers_packages "$kver")
		if headers_work "$work/headers"; then
			move_headers "$work/headers" "$dest"
			mkdir -p "$work/root/usr/src" "$work/root/usr/lib"
			mv "$work"/headers/usr/src/linux-headers-* "$work/root/usr/src/"
			mv "$work"/headers/usr/lib/linux-kbuild-* "$work/root/usr/lib/"
			build=$dest/usr/src/linux-headers-$kver
		else
			say "its host tools do not run here: preparing the source with its configuration instead, once"
			"$LAB_DIR/setup.sh" debug
			source=$(series_source "$(series_of <<<"$kver")") || exit "$NOT_THERE"
			[[ $(source_version "$source") == "$(apt_candidate "linux-headers-$kver")" ]] ||
				source=$(series_source "$(series_of <<<"$kver")" refresh) || exit "$NOT_THERE"
			source_unpack "$source" "$work"
			tree=$(echo "$work"/linux-source-*)
			prepare "$kver" "$work/headers" "$tree"
			source_prune "$tree"
			mv "$tree" "$work/root/source"
			build=$dest/source
		fi
	fi
	ln -sfn "$build" "$work/root/lib/modules/$kver/build"
}

guest=''
if [[ ${1-} == --guest ]]; then guest=1; shift; fi
(($# == 1)) || die "usage: image.sh [--guest] KVER"
kver=$1
dest=$CACHE/kernels/$kver
mkdir -p "$CACHE/kernels"
# Two at once do this once
exec {lock}>"$CACHE/kernels/.lock-$kver"
flock "$lock"
if kernel_find "$kver" >/dev/null || { [[ -n $guest ]] && kernel_root "$kver" >/dev/null; }; then exit; fi
work=$(mktemp -d "$CACHE/kernels/.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/root" "$work/headers"
unpack_image "$kver" "$work/root"
if [[ -z $guest ]]; then add_build; fi
rm -rf "${dest:?}"
mv "$work/root" "$dest"
cache_trim
say "$kver is unpacked"
