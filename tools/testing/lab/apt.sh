# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of the lab have apt do; to be sourced after common.sh.
#
#   apt_get ARG...                    apt-get as root; waits for a lock that another process has
#   apt_download PACKAGE[=VERSION] DIR   puts the package's file into DIR, prints its path
#   deb_unpack FILE DIR               unpacks a package's file below DIR
#   apt_candidate PACKAGE             the version that apt would take; fails when it knows none
#   add_suite KNOWN NEW               makes suite NEW known to apt, from the machine's own entry for KNOWN
#
# What fails has said why and ends its shell. Apt's output is shown only then.

# The tests have their own
APT_ETC=${LAB_APT_ETC:-/etc/apt}
# A machine that is new upgrades itself for some minutes
APT_WAIT=1800

as_root() {
	if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Prints which lock apt did not get and who has it, from the output $1; fails when that was not the matter.
apt_lock_holder() {
	local said
	said=$(grep -m 1 -e '^E: Could not get lock' -e 'lock was locked by another process' "$1") || return 1
	if [[ $said =~ ^'E: Could not get lock '([^ ]*)'. It is held by process '([0-9]+)' ('(.*)')' ]]; then
		echo "${BASH_REMATCH[1]}: process ${BASH_REMATCH[2]} (${BASH_REMATCH[3]}) has this lock"
	elif [[ $said =~ 'with pid '([0-9]+) ]]; then
		echo "dpkg: process ${BASH_REMATCH[1]} ($(cat "/proc/${BASH_REMATCH[1]}/comm" 2>/dev/null)) has its lock"
	elif [[ $said =~ ^'E: Could not get lock '([^ ]*)' - open (11:' ]]; then
		echo "${BASH_REMATCH[1]%.}: another process has this lock"
	else
		return 1
	fi
}

# apt_run NAME COMMAND...: a command of apt that may find a lock taken. It is tried again every second then: the timeout
# that apt has (DPkg::Lock::Timeout) is for dpkg's locks only, and not for those of its lists and of its cache.
apt_run() (
	name=$1 said='' start=$SECONDS
	shift
	log=$(mktemp "${TMPDIR:-/tmp}/lab-apt.XXXXXX") || exit 1
	trap 'rm -f "$log"' EXIT
	until LC_ALL=C "$@" </dev/null >"$log" 2>&1; do
		if ! holder=$(apt_lock_holder "$log"); then
			trap - EXIT
			tail -n 40 "$log" >&2
			die "'$name' failed, see above; the whole log is $log"
		fi
		((SECONDS - start < APT_WAIT)) ||
			die "$holder, for $((APT_WAIT / 60)) minutes now; when it has ended, run this again"
		if [[ $holder != "$said" ]]; then say "$holder; waiting for it"; fi
		said=$holder
		sleep 1
	done
)

apt_get() {
	apt_run "apt-get $*" as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=0 \
		-o Acquire::Retries=5 "$@" || exit 1
}

# The version of $1 that apt would take; fails when there is none.
apt_candidate() {
	local version
	version=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p')
	[[ -n $version && $version != '(none)' ]] || return 1
	echo "$version"
}

# apt_download PACKAGE[=VERSION] DIR: no root is needed. What an earlier run got of it is in DIR under the same name, is
# gone on with, and checked as a whole by apt. Two at once into one DIR take turns.
apt_download() {
	local package=$1 dir=$2 file
	mkdir -p "$dir" || exit 1
	dir=$(cd "$dir" && pwd) || exit 1
	# asked elsewhere: of a file that is there already nothing is printed
	file=$(cd / && apt-get -q --print-uris -o APT::Sandbox::User=root download "$package" 2>/dev/null |
		awk -v quote="'" 'index($1, quote) == 1 { print $2; exit }')
	[[ -n $file ]] || die "apt knows no $package"
	# shellcheck disable=SC2094 # a directory
	(
		flock 9 && cd "$dir" && apt_run "apt-get download $package" \
			apt-get -q -o APT::Sandbox::User=root -o Acquire::Retries=5 download "$package"
	) 9<"$dir" || exit 1
	[[ -s $dir/$file ]] || die "apt downloaded $package, but not as $dir/$file"
	echo "$dir/$file"
}

# deb_unpack FILE DIR: a package's files, below DIR
deb_unpack() { apt_run "dpkg -x $1" dpkg -x "$1" "$2" || exit 1; }

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
