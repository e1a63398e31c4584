#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels of the lanes, made when they are missing: prints the version of one.
#
#   kernel.sh stock        the distribution's newest 6.12
#   kernel.sh stock-new    the newest kernel that backports have, as the distribution built it
#   kernel.sh debug-new    built with debug.config from the newest source that backports have
#   kernel.sh debug-6.12   likewise from linux-source-6.12; every series from there on can be named
#   kernel.sh kcsan-new    likewise, with KCSAN instead of the checkers of debug.config, see kcsan.config
#   kernel.sh kmsan-new    likewise with KMSAN, see kmsan.config, by clang
#   kernel.sh guest-6.1    the distribution's newest of that series, for guests only: nothing can be built for it
#   kernel.sh --refresh ...   the newest version that apt has of it, not the one that is here already
#
# What backports have is asked of apt, see archive.sh: what the archive has dropped goes on to be served from the cache.
# Where a series that was named cannot be had at all, or nothing newer than "stock", or there is no compiler for a checker,
# the exit status is 77, and the last line says why.
#
# A debug kernel is known by the version of its source and by the hash of what it was configured with, and is kept in
# CACHE/kernels/KVER like an unpacked package: boot/vmlinuz-KVER, boot/vmlinux-KVER with debug information, and
# lib/modules/KVER, whose link "build" leads to what modules are built against.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tools/testing/lab/apt.sh
. "$LAB_DIR/apt.sh"
# shellcheck source=tools/testing/lab/archive.sh
. "$LAB_DIR/archive.sh"

CONFIG=$LAB_DIR/debug.config
# kcsan or kmsan, for a kernel that has this in place of the checkers of debug.config
checker=''
# Of the caller's: here it is the compiler of a checker
unset LLVM
# How often a build says that it goes on; for the tests of this, too
PROGRESS_SECONDS=${LAB_PROGRESS_SECONDS:-20}

usage() { sed -n '/^#   kernel/s/^# \{0,3\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

# All that makes another kernel of the same source: the options, the function configure(), and the compiler, for Kbuild
# warns when that of a module is another one than that of the kernel. No comment, and nothing else in this file.
config_hash() {
	local compiler=gcc
	if [[ -n ${LLVM-} ]]; then compiler=clang$LLVM; fi
	need "$compiler"
	{ options | grep -E '^(# )?CONFIG_'; declare -f configure; "$compiler" --version | head -n 1; } | sha256sum | cut -c1-8
}

# Those of debug.config, but for what the file of the checker says of them
options() {
	local more=$LAB_DIR/$checker.config
	if [[ -z $checker ]]; then cat "$CONFIG"; return; fi
	grep -vwFf <(sed -nE 's/^(# )?(CONFIG_[A-Z0-9_]+).*/\2/p' "$more") "$CONFIG"
	cat "$more"
}

# Can a compiler of this machine or of its archive do what the checker needs? If so sets what makes the kernel's
# makefiles take it.
choose_compiler() {
	local flags
	case $checker in
	kcsan)
		flags=(-fsanitize=thread --param tsan-distinguish-volatile=1)
		need gcc
		gcc "${flags[@]}" -x c -c /dev/null -o /dev/null 2>/dev/null || {
			say "$lane: $(gcc --version | head -n 1) does not know ${flags[*]}"
			return "$NOT_THERE"
		}
		;;
	kmsan)
		if ! "$LAB_DIR/setup.sh" kmsan >&2 || ! "clang-$CLANG" -fsanitize=kernel-memory -x c -c /dev/null -o /dev/null; then
			say "$lane: no clang-$CLANG that knows -fsanitize=kernel-memory is here or can be installed"
			return "$NOT_THERE"
		fi
		export LLVM=-$CLANG
		;;
	esac
}

# What is compiled is not counted beforehand; that it goes on is what one wants to see. Not by awk: that of Debian waits
# for some kilobytes before it looks at the first line.
progress() {
	local what=$1 n=0 start=$SECONDS last=$SECONDS line
	while read -r line; do
		[[ $line == @(CC|AS|LD|AR)\ * ]] || continue
		n=$((n + 1))
		((SECONDS - last >= PROGRESS_SECONDS)) || continue
		say "$what: $n objects after $((SECONDS - start)) s"
		last=$SECONDS
	done
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
	local tree=$1 name names=(BUG DEBUG_LIST DEBUG_ATOMIC_SLEEP FAILSLAB FAIL_PAGE_ALLOC IOMMUFD VFIO_DEVICE_CDEV)
	case $checker in
	kcsan) names+=(KCSAN KCSAN_STRICT) ;;
	kmsan) names+=(KMSAN) ;;
	*) names+=(KASAN PROVE_LOCKING DEBUG_KMEMLEAK UBSAN KCOV) ;;
	esac
	for name in "${names[@]}"; do
		grep -q "^CONFIG_$name=[ym]" "$tree/.config" ||
			die "the configuration of $tree lost CONFIG_$name: ${checker:-debug}.config lacks something that it needs"
	done
}

build() {
	local lane=$1 source=$2 hash=$3 work tree kver dest start=$SECONDS
	"$LAB_DIR/setup.sh" debug
	mkdir -p "$CACHE/kernels"
	work=$(mktemp -d "$CACHE/kernels/.tmp.XXXXXX")
	# shellcheck disable=SC2064 # the directory of now
	trap "rm -rf '$work'" EXIT
	say "$lane: unpacking ${source##*/}; building it takes some minutes, once"
	source_unpack "$source" "$work"
	tree=$(echo "$work"/linux-source-*)
	options >"$work/config"
	CONFIG=$work/config configure "$tree" "$hash"
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
	source_version "$source" >"$dest/source-version"
	source_prune "$tree"
	mv "$tree" "$dest/source"
	ln -sfn ../../../source "$dest/lib/modules/$kver/build"
	rm -rf "${CACHE:?}/kernels/$kver"
	mv "$dest" "$CACHE/kernels/$kver"
	cache_trim
	say "$lane: $kver built in $((SECONDS - start)) s"
}

# The debug kernel of series $1 that is here; with --refresh it must be of the source that apt would take now.
built() {
	local kver version
	kver=$(kernel_find "$1.*-lab-$hash") || return 1
	if [[ -n $refresh ]]; then
		version=$(apt_candidate "linux-source-$1") || return 1
		[[ $(cat "$CACHE/kernels/$kver/source-version" 2>/dev/null) == "$version" ]] || return 1
	fi
	echo "$kver"
}

# Series of which a debug kernel is here, whether its source is or not
built_series() { kernel_versions "*-lab-$hash" | series_of; }

# choose SERIES...: the first that can be had: sets series, and kver if its kernel is here, else source
choose() {
	kver='' source=''
	for series; do
		if kver=$(built "$series") || source=$(series_source "$series" "$refresh"); then return; fi
		say "linux-source-$series cannot be had, neither from apt nor from the cache"
	done
	return "$NOT_THERE"
}

# The debug kernel that was chosen. Two at once do not build the same.
serve() {
	local lock
	if [[ -z $kver ]]; then
		mkdir -p "$CACHE/kernels"
		exec {lock}>"$CACHE/kernels/.lock-$series"
		flock "$lock"
		built "$series" >/dev/null || build "$lane" "$source" "$hash" {lock}>&- >&2
		exec {lock}>&-
		kver=$(kernel_find "$series.*-lab-$hash")
	fi
	cache_use "$CACHE/kernels/$kver"
	if source=$(cached_source "$series"); then cache_use "$source"; fi
	echo "$kver"
}

# What sets a debug kernel of this lane apart from others of its source: sets hash, with the checker's name in front so
# that run.sh can tell by the version what it boots
choose_checker() {
	if [[ $lane != debug-* ]]; then checker=${lane%%-*}; fi
	choose_compiler
	hash=${checker:+$checker-}$(config_hash)
}

debug_new() {
	local all
	archive_ask "$refresh"
	all=$(newest_of linux-source- "$(archive_series)" "$({ cached_series; built_series; } | sort -Vru)") ||
		die "apt knows no linux-source of $OLDEST_SERIES or newer, and the cache has none; enable the suite that has one"
	# shellcheck disable=SC2086 # words
	choose $all || die "none of these can be had: $(echo $all | tr '\n' ' '); is there a network?"
	serve
}

# Kernels of the distribution, newer than those of "stock", that are complete here
new_images() {
	local kver
	for kver in $(kernel_versions '*+deb*-amd64'); do
		# shellcheck disable=SC2053 # a glob
		if [[ $kver != $KVER_GLOB && -n $(series_of <<<"$kver" | not_older) ]] && kernel_find "$kver"; then :; fi
	done
}

stock_new() {
	local archive here all series kver status
	archive_ask "$refresh"
	archive=$(archive_images)
	here=$(new_images)
	all=$(newest_of linux-image- "$(series_of <<<"$archive" | uniq)" "$(series_of <<<"$here" | uniq)") || {
		say "stock-new: apt has no kernel that is newer than $KVER_GLOB"
		return "$NOT_THERE"
	}
	for series in $all; do
		for kver in $(newer_first "$series" "$here" "$archive"); do
			if ! kernel_find "$kver" >/dev/null; then
				status=0
				"$LAB_DIR/image.sh" "$kver" >&2 || status=$?
				if ((status == NOT_THERE)); then continue; fi
				((status == 0)) || return "$status"
			fi
			if [[ -d $CACHE/kernels/$kver ]]; then cache_use "$CACHE/kernels/$kver"; fi
			echo "$kver"
			return
		done
	done
	return "$NOT_THERE"
}

# guest SERIES: the one that is here, or the newest that apt has
guest() {
	local kver
	kver=$(kernel_versions "$1.*-amd64" | head -n 1)
	if [[ -z $kver || -n $refresh ]]; then
		archive_ask "$refresh"
		kver=$(apt-cache pkgnames "linux-image-$1." | sed -nE 's/^linux-image-([0-9.]+[-+](deb)?[0-9]+-amd64)$/\1/p' | sort -Vr | head -n 1)
		[[ -n $kver ]] || { say "apt has no kernel $1"; return "$NOT_THERE"; }
		"$LAB_DIR/image.sh" --guest "$kver" >&2 || return
	fi
	if [[ -d $CACHE/kernels/$kver ]]; then cache_use "$CACHE/kernels/$kver"; fi
	echo "$kver"
}

# newer_first SERIES HERE ARCHIVE: which of these to take, in that order: what is here if it is good enough
newer_first() {
	if [[ -n $refresh ]]; then
		printf '%s\n' "$2" "$3" | sort -Vru
	else
		printf '%s\n' "$2" "$3"
	fi | grep -F -e "$1." || true
}

refresh=''
if [[ ${1-} == --refresh ]]; then refresh=refresh; shift; fi
(($# == 1)) || usage
lane=$1
case $lane in
stock)
	kernel_find "$KVER_GLOB" || die "no kernel $KVER_GLOB with image, modules and headers; run tools/testing/lab/setup.sh"
	;;
stock-new) stock_new ;;
guest-*) guest "${lane#guest-}" ;;
debug-new | kcsan-new | kmsan-new)
	choose_checker
	debug_new
	;;
debug-* | kcsan-* | kmsan-*)
	series=${lane#*-}
	[[ -n $(grep -xE '[0-9]+\.[0-9]+' <<<"$series" | not_older) ]] ||
		die "there is no lane '$lane'; a debug lane is ${lane%%-*}-new, or ${lane%%-*}- and a series from $OLDEST_SERIES on"
	choose_checker
	if [[ -n $refresh ]] || ! { built "$series" || cached_source "$series"; } >/dev/null; then archive_ask "$refresh"; fi
	choose "$series"
	serve
	;;
*) die "there is no lane '$lane'; there are stock, stock-new, debug-new, kcsan-new, kmsan-new, and debug- with a series like 6.12" ;;
esac
