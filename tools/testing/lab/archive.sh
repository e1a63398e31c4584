# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which kernels can be had, from the archive or from the cache; to be sourced after common.sh and apt.sh.
#
#   archive_ask FORCE            makes the suites with newer kernels known to apt, and asks for their lists: once a day
#                                if FORCE is empty
#   archive_series               series that apt has the source of, newest first
#   cached_series                series whose source is on this machine already
#   archive_images               versions of the distribution's newer kernels that apt has image and headers of
#   newest_of WHAT ARCHIVE CACHED  of two lists, newest first: what there is, newest first; says so when only the cache has
#                                the newest, because the archive had it once and has dropped it
#   series_source SERIES         the path of the source: /usr/src/*.tar.xz, or a package in CACHE/sources
#   source_version PATH          the version of such a source
#   source_unpack PATH DIR [TAR_ARG...]   unpacks it, or what the arguments say
#   source_prune DIR             removes from such a tree, configured, what nobody builds against
#
# No name of a package stands anywhere: names come and go with each series. A source stays in the cache under its version.

OLDEST_SERIES=6.12
# The exit status of the scripts when a kernel that was asked for cannot be had
# shellcheck disable=SC2034 # of the scripts that source this
NOT_THERE=77
# When nobody asked for it (kernel.sh --refresh), apt fetches lists not more often than that
ASK_MINUTES=1440
# Nor again for so long when there was no answer
DEAF_MINUTES=60

# series_of: of versions like 7.3.4+deb13-amd64, or names with it, on stdin the series
series_of() { sed -nE 's/^([0-9]+\.[0-9]+).*/\1/p'; }

# not_older: of the series on stdin those that this project is about, newest first
not_older() {
	sort -Vru | while read -r series; do
		if [[ $(printf '%s\n' "$OLDEST_SERIES" "$series" | sort -V | head -n 1) == "$OLDEST_SERIES" ]]; then echo "$series"; fi
	done
}

# The suites with newer kernels than this machine's: its own backports, and on bookworm the next one's
archive_suites() {
	case $(os_codename) in
	bookworm) echo bookworm-backports trixie-backports ;;
	*) echo "$(os_codename)-backports" ;;
	esac
}

os_codename() { sed -n 's/^VERSION_CODENAME=//p' "${LAB_OS_RELEASE:-/etc/os-release}" 2>/dev/null; }

# A run without root or without a network goes on with the lists that are here, and says so. Who comes while another one
# asks waits for the answer.
archive_ask() (
	local force=$1 stamp=$CACHE/apt-asked since=now suite
	mkdir -p "$CACHE"
	exec 9>"$CACHE/.apt-asked.lock"
	flock 9
	if [[ -z $force && -n $(find "$stamp" -mmin "-$ASK_MINUTES" 2>/dev/null) ]]; then exit; fi
	if ((EUID != 0)) && ! sudo -n true 2>/dev/null; then
		say "asking the archive which kernels there are needs root; going on with what apt knew before"
	else
		apt_turn
		for suite in $(archive_suites); do (add_suite "$(os_codename)" "$suite") || true; done
		say "asking the archive which kernels there are"
		(apt_get update) || { say "going on with what apt knew before"; since="$((ASK_MINUTES - DEAF_MINUTES)) minutes ago"; }
	fi
	touch -d "$since" "$stamp"
)

# Names alone also come from dependencies on packages that are no more
have_candidate() {
	local name
	while read -r name; do
		if apt_candidate "$name" >/dev/null; then echo "$name"; fi
	done
}

archive_series() {
	apt-cache pkgnames linux-source- | grep -xE 'linux-source-[0-9]+\.[0-9]+' | have_candidate |
		sed 's/^linux-source-//' | not_older
}

cached_series() {
	local file
	for file in "$CACHE"/sources/linux-source-*_*.deb /usr/src/linux-source-*.tar.xz; do
		if [[ -r $file ]]; then echo "${file##*/linux-source-}"; fi
	done | series_of | not_older
}

archive_images() {
	local series
	apt-cache pkgnames linux-headers- | sed -nE 's/^linux-headers-([0-9][0-9.]*\+deb[0-9]+-amd64)$/\1/p' |
		sort -Vr | while read -r kver; do
		series=$(series_of <<<"$kver")
		if [[ $series != "$OLDEST_SERIES" && -n $(not_older <<<"$series") ]] &&
		   apt_candidate "linux-image-$kver" >/dev/null && apt_candidate "linux-headers-$kver" >/dev/null; then
			echo "$kver"
		fi
	done
}

newest_of() {
	local what=$1 archive=$2 cached=$3 all
	all=$(printf '%s\n' "$archive" "$cached" | sed '/^$/d' | sort -Vru)
	[[ -n $all ]] || return 1
	if [[ $(head -n 1 <<<"$all") != $(head -n 1 <<<"$archive") ]]; then
		say "the archive has no $what$(head -n 1 <<<"$all") any more; the one in the cache serves"
	fi
	echo "$all"
}

# The newest version of series $1 in the cache
cached_source() {
	local file
	file=$(printf '%s\n' "$CACHE/sources/linux-source-$1"_*.deb | sort -V | tail -n 1)
	[[ -r $file ]] && echo "$file"
}

# series_source SERIES [FORCE]: without the word, what the cache has is good enough. Two at once download it once.
series_source() (
	local series=$1 force=${2-} tarball=/usr/src/linux-source-$1.tar.xz file version
	if [[ -r $tarball ]]; then echo "$tarball"; exit; fi
	mkdir -p "$CACHE/sources"
	exec 9>"$CACHE/sources/.lock"
	flock 9
	if [[ -z $force ]] && cached_source "$series"; then exit; fi
	if version=$(apt_candidate "linux-source-$series"); then
		say "downloading linux-source-$series $version"
		if file=$(apt_download "linux-source-$series=$version" "$CACHE/downloads"); then
			mv "$file" "$CACHE/sources/"
			echo "$CACHE/sources/${file##*/}"
			exit
		fi
	fi
	file=$(cached_source "$series") || exit 1
	say "linux-source-$series cannot be had now; the one in the cache serves: $(source_version "$file")"
	echo "$file"
)

source_version() {
	local file=$1
	case $file in
	*.deb) dpkg-deb -f "$file" Version ;;
	*) dpkg-query -W -f '${Version}' "$(basename "$file" .tar.xz)" 2>/dev/null || basename "$file" .tar.xz ;;
	esac
}

source_unpack() {
	local file=$1 dir=$2 tarball
	shift 2
	case $file in
	*.deb)
		tarball=$(basename "$file")
		dpkg-deb --fsys-tarfile "$file" | tar -xO "./usr/src/${tarball%%_*}.tar.xz" | tar -C "$dir" -xJ "$@"
		;;
	*) tar -C "$dir" -xf "$file" "$@" ;;
	esac
}

# What builds of modules, gdb and nobody else need of the tree
source_prune() {
	local tree=$1
	find "$tree" \( -name '*.o' -o -name '*.a' -o -name '*.cmd' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \) \
		-not -path "$tree/scripts/*" -not -path "$tree/tools/objtool/*" -delete
	find "$tree/arch" -mindepth 1 -maxdepth 1 -type d -not -name x86 -exec rm -rf {} +
	rm -rf "$tree"/{Documentation,sound,drivers/gpu,drivers/net,drivers/media,drivers/staging,fs/xfs,fs/btrfs}
}
