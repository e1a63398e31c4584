#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs what building and the lab need and this machine does not have, on Debian 12 (bookworm) or 13 (trixie):
#
#   setup.sh               what "make" and the lab with the distribution's kernel need
#   setup.sh debug         what building the kernels of the debug lanes needs, too
#   setup.sh kmsan         what building the one for KMSAN needs, too: a clang of its own
#   setup.sh lint          what "make lint" needs, too
#   setup.sh firmware      what the tests with UEFI need, too
#   setup.sh libvirt       what the tests with libvirt need: libvirt 11 and Debian's mdevctl
#   setup.sh fresh         what "make fresh" needs: debootstrap, and nothing else
#   setup.sh sources trixie DIR   makes of the machine's own apt entries those of that release, for a root of "make fresh"
#
# With QEMU=backports in the environment, QEMU and libvirt are those of the backports, in Debian 13 as well.
#
# Does nothing, and asks apt nothing, when all is there. Everything is chosen so that no unrelated package changes:
# no recommended packages, and only the packages that must come from backports are taken from there.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tools/testing/lab/apt.sh
. "$LAB_DIR/apt.sh"

PACKAGES=(gcc make libc6-dev pkg-config libjson-c-dev libcmocka-dev liburing-dev
	qemu-system-x86 busybox-static cpio kmod python3 xz-utils zstd pciutils valgrind edid-decode man-db)
DEBUG_PACKAGES=(flex bison bc libelf-dev perl)
KMSAN_PACKAGES=("clang-$CLANG" "llvm-$CLANG" "lld-$CLANG")
LINT_PACKAGES=(sparse clang llvm lld cppcheck shellcheck perl)
FIRMWARE_PACKAGES=(ovmf udev)
LIBVIRT_PACKAGES=(libvirt-daemon libvirt-daemon-driver-nodedev libvirt-daemon-driver-qemu libvirt-clients)
# and what of it must be of the same version
LIBVIRT_PARTS=(libvirt0 libvirt-common libvirt-daemon-common libvirt-daemon-log)
LIBVIRT_AT_LEAST=11
QEMU_AT_LEAST=1:10
# The tests have a system and kernels of their own
OS_RELEASE=${LAB_OS_RELEASE:-/etc/os-release}
KVER_GLOB=${LAB_KVER_GLOB:-$KVER_GLOB}
unpacking=''

os_field() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$OS_RELEASE" 2>/dev/null; }

check_system() {
	local id
	[[ -z ${QEMU-} || $QEMU == backports ]] ||
		die "QEMU='$QEMU' is no choice that there is; set it to 'backports', or not at all"
	id="$(os_field ID) $(os_field VERSION_ID) $(uname -m)"
	case $id in
	'debian 12 x86_64' | 'debian 13 x86_64') return ;;
	esac
	die "this system is '$id', and packages are known for Debian 12 and 13 on x86_64 only. Install by other means:" \
		"gcc, make, clang with libFuzzer, C library headers, pkg-config, json-c, cmocka and liburing with headers, QEMU 10 for" \
		"x86, pciutils, a static busybox, cpio, kmod, python3, xz, zstd, and image, modules and headers of one Linux $KVER_GLOB kernel"
}

# The suite to take QEMU and libvirt from, if it is not the system's own: Debian 12 has neither QEMU 10 nor libvirt 11
vm_suite() {
	local codename
	codename=$(os_field VERSION_CODENAME)
	if [[ $codename == bookworm || -n ${QEMU-} ]]; then echo "$codename-backports"; fi
}

# Packages of backports have the release that they were made for in their versions
from_backports() { [[ $1 == *~bpo* ]]; }

# What fuzzing needs. The libraries of clang are of one version with it, and apt has those of several.
clang_packages() {
	local version
	if version=$(clang -dumpversion 2>/dev/null); then
		echo "libclang-rt-${version%%.*}-dev"
	else
		printf '%s\n' clang libclang-rt-dev
	fi
}

# Names of PACKAGES that are not installed, or too old.
missing_packages() {
	local name version status
	declare -A have=()
	while read -r name version status; do
		if [[ $status == installed ]]; then have[${name%%:*}]=$version; fi
	done < <(dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' "${PACKAGES[@]}" 2>/dev/null || true)
	for name in "${PACKAGES[@]}"; do
		if [[ -z ${have[$name]-} ]]; then
			echo "$name"
		elif [[ $name == qemu-system-x86 ]] && dpkg --compare-versions "${have[$name]}" lt "$QEMU_AT_LEAST"; then
			echo "$name"
		elif [[ $name == qemu-system-x86 && -n ${QEMU-} ]] && ! from_backports "${have[$name]}"; then
			echo "$name"
		fi
	done
}

check_root() {
	local what="missing: $*. Installing needs root"
	if ((EUID == 0)) || sudo -n true 2>/dev/null; then return; fi
	command -v sudo >/dev/null || die "$what, and there is no sudo: run this as root"
	# At a terminal sudo may ask for the password, once, before anything is done
	if [[ -t 0 ]] && say "$what" && sudo -v; then return; fi
	die "$what: run this as root, or make sudo work without a password (sudo -v first)"
}

cleanup() {
	settle
	if [[ -n $unpacking ]]; then rm -rf "$unpacking"; fi
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The version to take headers for: one whose image is here already, else the newest that apt has.
choose_kernel() {
	local known kver
	known=$(apt-cache pkgnames linux-headers- | sed -n 's/^linux-headers-\([0-9][0-9.]*+deb[0-9.]*-amd64\)$/\1/p' | sort -Vr)
	while read -r kver; do
		# shellcheck disable=SC2053 # a glob
		if [[ $kver == $KVER_GLOB ]] && grep -qxF -e "$kver" <<<"$known"; then
			echo "$kver"
			return
		fi
	done < <(kernel_versions "$KVER_GLOB"; echo "$known")
	return 1
}

# Image and modules of kernel $1 without installing a kernel: unpacked into the cache. What is there under its name is
# whole: it gets the name last, and after its contents are on the disk.
unpack_kernel() {
	local kver=$1 deb root
	mkdir -p "$CACHE/kernels"
	say "unpacking linux-image-$kver into $CACHE/kernels"
	deb=$(apt_download "linux-image-$kver" "$CACHE/downloads")
	unpacking=$(mktemp -d "$CACHE/kernels/.tmp.XXXXXX")
	root=$unpacking/root
	deb_unpack "$deb" "$root"
	# newer packages have everything below /usr
	if [[ ! -e $root/lib ]]; then ln -s usr/lib "$root/lib"; fi
	depmod -b "$root" "$kver" || die "depmod fails on $root, $(least_room)"
	ln -sfn "/usr/src/linux-headers-$kver" "$root/lib/modules/$kver/build"
	sync -f "$root"
	rm -rf "${CACHE:?}/kernels/$kver"
	mv -T "$root" "$CACHE/kernels/$kver"
	rm -rf "$unpacking" "$deb"
}

# Sets the array missing and kver, the kernel that is there
find_missing() {
	readarray -t missing < <(missing_packages)
	kver=$(kernel_find "$KVER_GLOB") || missing+=("linux $KVER_GLOB")
}

main() {
	local missing kver='' codename suite install=() name part
	check_system
	readarray -t -O "${#PACKAGES[@]}" PACKAGES < <(clang_packages)
	find_missing
	((${#missing[@]})) || return 0

	check_root "${missing[*]}"
	apt_turn
	# by the one that had its turn before, nothing may be left to do
	find_missing
	((${#missing[@]})) || return 0
	codename=$(os_field VERSION_CODENAME)
	suite=$(vm_suite)
	if [[ -n $suite ]] && [[ " ${missing[*]} " == *" qemu-system-x86 "* || -z $kver ]]; then
		add_suite "$codename" "$suite"
	fi
	say "missing: ${missing[*]}; asking apt"
	apt_get update
	if [[ -z $kver ]]; then
		kver=$(choose_kernel) || die "apt knows no linux-headers for $KVER_GLOB; enable the suite that has them"
		if ! kernel_has_headers "$kver"; then install+=("linux-headers-$kver"); fi
	fi
	for name in "${missing[@]}"; do
		case $name in
		'linux '*) ;;
		qemu-system-x86)
			if [[ -n $suite ]]; then
				# and what must be of the same version
				for part in qemu-system-{x86,common,data} seabios; do
					install+=("$part/$suite")
				done
			else
				install+=("$name")
			fi
			;;
		*) install+=("$name") ;;
		esac
	done
	if ((${#install[@]})); then
		say "installing ${install[*]}"
		apt_get install -y --no-install-recommends "${install[@]}"
	fi
	kernel_root "$kver" >/dev/null || unpack_kernel "$kver"
	say "done; kernel for the lab: $(kernel_find "$KVER_GLOB")"
}

libvirt_is_here() {
	local version
	dpkg -s mdevctl "${LIBVIRT_PACKAGES[@]}" &>/dev/null || return 1
	version=$(dpkg-query -W -f '${Version}' libvirt-daemon)
	[[ -z ${QEMU-} ]] || from_backports "$version" || return
	dpkg --compare-versions "$version" ge "$LIBVIRT_AT_LEAST"
}

# libvirt 11 is in Debian 13, and for Debian 12 in backports. None of it is started on this machine.
add_libvirt() {
	local suite install=()
	check_system
	if libvirt_is_here; then return; fi
	check_root "${LIBVIRT_PACKAGES[*]} mdevctl"
	apt_turn
	if libvirt_is_here; then return; fi
	suite=$(vm_suite)
	if [[ -n $suite ]]; then
		add_suite "$(os_field VERSION_CODENAME)" "$suite"
		suite=/$suite
	fi
	install=("${LIBVIRT_PACKAGES[@]/%/$suite}" "${LIBVIRT_PARTS[@]/%/$suite}" mdevctl)
	# the QEMU driver needs it, and of the version of the systemd that is here
	if [[ $(dpkg-query -W -f '${Version}' systemd 2>/dev/null) == *bpo* ]]; then
		install+=("systemd-container$suite")
	fi
	say "missing: libvirt $LIBVIRT_AT_LEAST${suite:+ of ${suite#/}}; asking apt"
	apt_get update
	say "installing ${install[*]}"
	apt_get install -y --no-install-recommends "${install[@]}"
}

add_fresh() {
	if command -v debootstrap >/dev/null; then return; fi
	check_root debootstrap
	apt_turn
	if command -v debootstrap >/dev/null; then return; fi
	say 'missing: debootstrap; asking apt'
	apt_get update
	apt_get install -y --no-install-recommends debootstrap
}

# The entries for this machine's release, its updates and its security, as those of release $1, into directory $2
write_sources() {
	local codename part
	codename=$(os_field VERSION_CODENAME)
	for part in '' -updates -security; do one_line_sources "$codename$part" "$1$part"; done >"$2/fresh.list"
	for part in '' -updates -security; do deb822_sources "$codename$part" "$1$part"; done >"$2/fresh.sources"
	grep -qE "[[:space:]]$1([[:space:]]|\$)" "$2/fresh.list" "$2/fresh.sources" || die "no apt source under $APT_ETC names the suite '$codename'," \
		"so none for '$1' can be made from it; add one, and run this again"
}

case "${1-} $#" in
' 0') main ;;
'debug 1') PACKAGES+=("${DEBUG_PACKAGES[@]}"); main ;;
'kmsan 1') PACKAGES+=("${DEBUG_PACKAGES[@]}" "${KMSAN_PACKAGES[@]}"); main ;;
'lint 1') PACKAGES+=("${LINT_PACKAGES[@]}"); main ;;
'firmware 1') PACKAGES+=("${FIRMWARE_PACKAGES[@]}"); main ;;
'libvirt 1') add_libvirt ;;
'fresh 1') add_fresh ;;
'sources 3') write_sources "$2" "$3" ;;
# for the tests: what would be made of the sources under LAB_APT_ETC
'add-suite 3') add_suite "$2" "$3" ;;
*) die "usage: setup.sh [debug | kmsan | lint | firmware | libvirt | fresh | sources SUITE DIR]" ;;
esac
