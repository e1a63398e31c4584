#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# samples.sh KVER [CORE...]: takes mtty, mdpy and mbochs, the parent drivers that come with the kernel, as they are from the source
# of its series, and builds them for kernel KVER: against our mdev core in build/samples/KVER/ours, and against the
# kernel's own in build/samples/KVER/kernel, or against one of them if CORE is "ours" or "kernel". For ours, the modules
# of this tree for KVER must have been built. The parent driver of the benchmark, mdev_bare, is built along with them.
#
# The source is that of a debug kernel or of the package linux-source-SERIES, installed, cached or downloaded; the part
# that we need is kept in CACHE/samples under the version of the package. It is no part of this repository.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tools/testing/lab/apt.sh
. "$LAB_DIR/apt.sh"
# shellcheck source=tools/testing/lab/archive.sh
. "$LAB_DIR/archive.sh"

PART=samples/vfio-mdev
NAMES=(mtty mdpy mbochs mdev_bare)

# Prints the directory with the samples of series $1
from_package() {
	local package=linux-source-$1 file dir
	dir=$(printf '%s\n' "$CACHE/samples/$package"-* | sort -V | tail -n 1)
	if [[ -d $dir ]]; then echo "$dir"; return; fi
	if ! file=$(series_source "$1"); then
		archive_ask ''
		file=$(series_source "$1") || die "neither apt nor the cache has $package; enable the suite that has it"
	fi
	dir=$CACHE/samples/$package-$(source_version "$file")
	mkdir -p "$CACHE/samples"
	tmp=$(mktemp -d "$CACHE/samples/.tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	say "unpacking $PART of $package"
	source_unpack "$file" "$tmp" "$package/$PART"
	mv -T "$tmp/$package/$PART" "$dir" 2>/dev/null || [[ -d $dir ]]
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
		# Kbuild does not see that the versions of symbols of others have changed
		[[ $dir/Module.symvers -nt $symbols ]] || rm -f "$dir/Module.symvers"
	fi
	# shellcheck disable=SC2046 # a word or none
	make $(clang_of "$kdir") --no-print-directory -C "$kdir" M="$dir" KBUILD_EXTRA_SYMBOLS="$symbols" modules
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
