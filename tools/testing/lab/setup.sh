#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs what building and the lab need and this machine does not have, on Debian 12 (bookworm) or 13 (trixie):
#
#   setup.sh               what "make" and the lab with the distribution's kernel need
#   setup.sh debug         what building the kernels of the debug lanes needs, too
#   setup.sh lint          what "make lint" needs, too
#   setup.sh libvirt       what the tests with libvirt need: libvirt 11 and Debian's mdevctl
#   setup.sh source 7.2    makes the package linux-source-7.2 known to apt
#
# With QEMU=backports in the environment, QEMU and libvirt are those of the backports, in Debian 13 as well.
#
# Does nothing, and asks apt nothing, when all is there. Everything is chosen so that no unrelated package changes:
# no recommended packages, and only the packages that must come from backports are taken from there.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PACKAGES=(gcc make libc6-dev pkg-config libjson-c-dev libcmocka-dev
	qemu-system-x86 busybox-static cpio kmod python3 xz-utils zstd pciutils valgrind)
DEBUG_PACKAGES=(flex bison bc libelf-dev perl)
LINT_PACKAGES=(sparse clang llvm lld cppcheck shellcheck perl)
LIBVIRT_PACKAGES=(libvirt-daemon libvirt-daemon-driver-nodedev libvirt-daemon-driver-qemu libvirt-clients)
# and what of it must be of the same version
LIBVIRT_PARTS=(libvirt0 libvirt-common libvirt-daemon-common libvirt-daemon-log)
LIBVIRT_AT_LEAST=11
QEMU_AT_LEAST=1:10
# replaced by the tests of the function add_backports
APT_ETC=${LAB_APT_ETC:-/etc/apt}

os_field() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release 2>/dev/null; }

check_system() {
	local id
	[[ -z ${QEMU-} || $QEMU == backports ]] ||
		die "QEMU='$QEMU' is no choice that there is; set it to 'backports', or not at all"
	id="$(os_field ID) $(os_field VERSION_ID) $(uname -m)"
	case $id in
	'debian 12 x86_64' | 'debian 13 x86_64') return ;;
	esac
	die "this system is '$id', and packages are known for Debian 12 and 13 on x86_64 only. Install by other means:" \
		"gcc, make, clang with libFuzzer, C library headers, pkg-config, json-c and cmocka with headers, QEMU 10 for" \
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

# Stanzas or lines of the sources that take binary packages from suite $1, with the suite replaced by $2 if given.
one_line_sources() {
	{ cat "$APT_ETC"/sources.list "$APT_ETC"/sources.list.d/*.list 2>/dev/null || true; } | awk -v suite="$1" -v new="${2-}" '
		$1 == "deb" && $0 !~ /cdrom:/ {
			at = 2
			if ($2 ~ /^\[/) { while ($at !~ /\]$/) at++; at++ }
			if ($(at + 1) != suite) next
			if (new != "") $(at + 1) = new
			print
		}'
}

deb822_sources() {
	local file
	for file in "$APT_ETC"/sources.list.d/*.sources; do
		if [[ -r $file ]]; then cat "$file"; echo; fi
	done | awk -v suite="$1" -v new="${2-}" '
		function flush() {
			if (text != "" && binary && named && !off) print text
			text = ""; binary = named = off = 0
		}
		/^#/ { next }
		/^[ \t]*$/ { flush(); next }
		tolower($1) == "types:" { for (i = 2; i <= NF; i++) if ($i == "deb") binary = 1; $0 = "Types: deb" }
		tolower($1) == "enabled:" && tolower($2) ~ /^(no|false|0|off)$/ { off = 1 }
		tolower($1) == "suites:" {
			for (i = 2; i <= NF; i++) if ($i == suite) named = 1
			if (new != "") $0 = "Suites: " new
		}
		{ text = text $0 "\n" }
		END { flush() }'
}

# Makes suite $2 known to apt unless it is, from the machine's own entry for suite $1.
add_suite() {
	local suite=$1 new=$2 entry kind=sources
	if [[ -n $(one_line_sources "$new")$(deb822_sources "$new") ]]; then return; fi
	entry=$(deb822_sources "$suite" "$new" | awk 'NF { print; next } { exit }')
	if [[ -z $entry ]]; then
		entry=$(one_line_sources "$suite" "$new" | head -n 1)
		kind=list
	fi
	[[ -n $entry ]] || die "no apt source under $APT_ETC names the suite '$suite', so none for '$new' can be made from" \
		"it; add one, and run this again"
	say "adding $APT_ETC/sources.list.d/$new.$kind"
	printf '%s\n' "$entry" | as_root tee "$APT_ETC/sources.list.d/$new.$kind" >/dev/null
}

as_root() {
	if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

check_root() {
	if ((EUID == 0)) || sudo -n true 2>/dev/null; then return; fi
	# At a terminal sudo may ask for the password, once, before anything is done
	if [[ -t 0 ]] && say "missing: $*. Installing needs root" && sudo -v; then return; fi
	die "missing: $*. Installing needs root: run this as root, or make sudo work without a password (sudo -v first)"
}

# apt_get COMMAND...: its noise goes to the log, which is shown when it fails
apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null >>"$log" 2>&1 || {
		tail -n 40 "$log" >&2
		die "'apt-get $*' failed, see above; the whole log is $log"
	}
}

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

# Image and modules of kernel $1 without installing a kernel: unpacked into the cache.
unpack_kernel() {
	local kver=$1 tmp
	mkdir -p "$CACHE/kernels"
	tmp=$(mktemp -d "$CACHE/kernels/.tmp.XXXXXX")
	# shellcheck disable=SC2064 # the directory of now
	trap "rm -rf '$tmp'" EXIT
	say "unpacking linux-image-$kver into $CACHE/kernels"
	(cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download "linux-image-$kver") >>"$log" 2>&1 </dev/null || {
		tail -n 20 "$log" >&2
		die "apt cannot download linux-image-$kver, see above; the whole log is $log"
	}
	dpkg -x "$tmp"/*.deb "$tmp/root"
	# newer packages have everything below /usr
	if [[ ! -e $tmp/root/lib ]]; then ln -s usr/lib "$tmp/root/lib"; fi
	depmod -b "$tmp/root" "$kver"
	ln -sfn "/usr/src/linux-headers-$kver" "$tmp/root/lib/modules/$kver/build"
	rm -rf "${CACHE:?}/kernels/$kver"
	mv "$tmp/root" "$CACHE/kernels/$kver"
}

main() {
	local missing kver='' codename suite install=() name part
	check_system
	# trixie has it by another name, or not at all; what needs it is skipped then
	if [[ $(os_field VERSION_CODENAME) == bookworm ]]; then PACKAGES+=(edid-decode); fi
	readarray -t -O "${#PACKAGES[@]}" PACKAGES < <(clang_packages)
	readarray -t missing < <(missing_packages)
	kver=$(kernel_find "$KVER_GLOB") || missing+=("linux $KVER_GLOB")
	((${#missing[@]})) || return 0

	check_root "${missing[*]}"
	log=$(mktemp "${TMPDIR:-/tmp}/lab-setup.XXXXXX.log")
	codename=$(os_field VERSION_CODENAME)
	suite=$(vm_suite)
	if [[ -n $suite ]] && [[ " ${missing[*]} " == *" qemu-system-x86 "* || -z $kver ]]; then
		add_suite "$codename" "$suite"
	fi
	say "missing: ${missing[*]}; asking apt (log: $log)"
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
	rm -f "$log"
	say "done; kernel for the lab: $(kernel_find "$KVER_GLOB")"
}

# A source package is of no version in particular: it is enough that apt has one.
add_source() {
	local package=linux-source-$1
	if apt-cache show "$package" &>/dev/null; then return; fi
	check_root "an apt source for $package"
	log=$(mktemp "${TMPDIR:-/tmp}/lab-setup.XXXXXX.log")
	case $1 in
	6.12) add_suite "$(os_field VERSION_CODENAME)" bookworm-backports ;;
	7.2) add_suite "$(os_field VERSION_CODENAME)" trixie-backports ;;
	esac
	apt_get update
	apt-cache show "$package" &>/dev/null || die "apt knows no $package; enable the suite that has it"
	rm -f "$log"
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
	log=$(mktemp "${TMPDIR:-/tmp}/lab-setup.XXXXXX.log")
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
	say "missing: libvirt $LIBVIRT_AT_LEAST${suite:+ of ${suite#/}}; asking apt (log: $log)"
	apt_get update
	say "installing ${install[*]}"
	apt_get install -y --no-install-recommends "${install[@]}"
	rm -f "$log"
}

case "${1-} $#" in
' 0') main ;;
'debug 1') PACKAGES+=("${DEBUG_PACKAGES[@]}"); main ;;
'lint 1') PACKAGES+=("${LINT_PACKAGES[@]}"); main ;;
'libvirt 1') add_libvirt ;;
'source 2') check_system; add_source "$2" ;;
# for the tests: what would be made of the sources under LAB_APT_ETC
'add-suite 3') add_suite "$2" "$3" ;;
*) die "usage: setup.sh [debug | lint | libvirt | source 6.12 | source 7.2]" ;;
esac
