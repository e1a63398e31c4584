#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# samples.sh KVER [CORE...]: takes mtty, mdpy and mbochs, the parent drivers that come with the kernel, as they are from the source
# of its series, and builds them for kernel KVER: against our mdev core in build/samples/KVER/ours, and against the
# kernel's own in build/samples/KVER/kernel, or against one of them if CORE is "ours" or "kernel". For ours, the modules
# of this tree for KVER must have been built. The parent driver of the benchmark, mdev_bare, is built along with them.
#
# The source is that of a debug kernel or of the package linux-source-SERIES, installed or downloaded; the part that we
# need is kept in CACHE/samples under the version of the package. It is no part of this repository.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PART=samples/vfio-mdev
NAMES=(mtty mdpy mbochs mdev_bare)

# The version of package $1 that is installed, or the one that apt would download
package_version() {
	local version
	version=$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null || true)
	[[ -n $version ]] || version=$(LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: //p')
	[[ -n $version && $version != '(none)' ]] || die "apt knows no $1; enable the suite that has it"
	echo "$version"
}

# The tarball of package $1, installed or downloaded to directory $2
package_tarball() {
	local package=$1 tmp=$2 tarball=/usr/src/$1.tar.xz
	if [[ ! -r $tarball ]]; then
		say "downloading $package"
		(cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download "$package") >"$tmp/log" 2>&1 </dev/null ||
			{ tail -n 20 "$tmp/log" >&2; die "apt cannot download $package, see above"; }
		dpkg -x "$tmp"/*.deb "$tmp/root"
		tarball=$tmp/root$tarball
		[[ -r $tarball ]] || die "the package $package holds no $package.tar.xz"
	fi
	echo "$tarball"
}

# Prints the directory with the samples of series $1
from_package() {
	local package=linux-source-$1 dir tarball
	"$LAB_DIR/setup.sh" source "$1"
	dir=$CACHE/samples/$package-$(package_version "$package")
	if [[ ! -d $dir ]]; then
		mkdir -p "$CACHE/samples"
		tmp=$(mktemp -d "$CACHE/samples/.tmp.XXXXXX")
		trap 'rm -rf "$tmp"' EXIT
		tarball=$(package_tarball "$package" "$tmp")
		say "unpacking $PART of $package"
		# what follows in the archive does not matter
		tar -C "$tmp" -xf "$tarball" "$package/$PART"
		mv "$tmp/$package/$PART" "$dir"
	fi
	echo "$dir"
}

# build KVER KDIR SOURCE CORE: CORE is "ours" or "kernel"
build() {
	local kver=$1 kdir=$2 source=$3 core=$4 dir=$REPO/build/samples/$1/$4 symbols='' name
	mkdir -p "$dir"
	rm -f "$dir"/*.[ch]
	for name in "$source"/*.[ch] "$REPO/tools/testing/bench/mdev_bare.c"; do ln -s "$name" "$dir/"; done
	{
		echo "obj-m := ${NAMES[*]/%/.o}"
		# Ours has to come first, before the header of the same name that the kernel has
		if [[ $core == ours ]]; then
			# shellcheck disable=SC2016 # for make
			echo 'LINUXINCLUDE := -I'"$REPO"'/include $(LINUXINCLUDE)'
		fi
	} >"$dir/Kbuild"
	if [[ $core == ours ]]; then
		symbols=$(modules_dir "$kver" '')/Module.symvers
		[[ -e $symbols ]] ||
			die "$symbols: the modules for $kver are not built; run make or tools/testing/lab/lane.sh $kver"
	fi
	make --no-print-directory -C "$kdir" M="$dir" KBUILD_EXTRA_SYMBOLS="$symbols" modules
}

(($#)) || { say "usage: samples.sh KVER [ours] [kernel]"; exit 2; }
kver=$1
shift
cores=("$@")
(($#)) || cores=(ours kernel)
root=$(kernel_root "$kver") || die "there is no kernel $kver; see tools/testing/lab/kernel.sh"
kdir=${root%/}/lib/modules/$kver/build
source=${root%/}/source/$PART
[[ -d $source ]] || source=$(from_package "$(cut -d. -f1,2 <<<"$kver")")
for core in "${cores[@]}"; do build "$kver" "$kdir" "$source" "$core"; done
