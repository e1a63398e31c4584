# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of the lab have apt do; to be sourced after common.sh.
#
#   apt_get COMMAND ARG...            apt-get as root; waits for a lock that another process has
#   apt_download PACKAGE[=VERSION] DIR   puts the package's file into DIR, prints its path
#   deb_unpack FILE DIR               unpacks a package's file below DIR
#   apt_candidate PACKAGE             the version that apt would take; fails when it knows none
#   add_suite KNOWN NEW               makes suite NEW known to apt, from the machine's own entry for KNOWN
#   settle                            keeps of what was added what an update found; for the traps of callers
#   apt_turn                          until the shell ends, no other one changes what apt knows and has installed
#
# What fails has said why and ends its shell. Apt's output is shown only then.

# The tests have their own
APT_ETC=${LAB_APT_ETC:-/etc/apt}
# A machine that is new upgrades itself for some minutes
APT_WAIT=1800
# The first line of an entry that add_suite made, until an update has found the suite. It stands there, and in no variable,
# for runs that are killed, and for callers that add in one shell and update in another.
UNPROVEN='# no update has found this suite yet'

as_root() {
	if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# One at a time, whosever it is and whatever its cache: two would find the same missing, and one might remove the suite
# that the other needs. What is open as 8 is the directory that both change.
has_turn=''
apt_turn() {
	if [[ -n $has_turn ]]; then return; fi
	exec 8<"$APT_ETC"
	if ! flock -n 8; then
		say 'another setup runs; waiting for it'
		flock 8
	fi
	has_turn=1
}

# Prints which lock apt did not get and who has it, from the output $1; fails when that was not the matter.
apt_lock_holder() {
	sed -n -e 's/^E: Could not get lock \([^ ]*\)\. It is held by process \([0-9]*\) (\(.*\))$/process \2 (\3) has \1/p' \
		-e 's/.* lock was locked by another process with pid \([0-9]*\)$/process \1 has the lock of dpkg/p' \
		-e 's/^E: Could not get lock \([^ ]*\) - open (11: .*/a process has \1/p' "$1" | grep -m 1 .
}

# The file system of those that apt and the lab write to that has least room
least_room() {
	df -P -k / /usr /var/lib/dpkg /var/lib/apt /var/cache/apt "$CACHE" "${TMPDIR:-/tmp}" 2>/dev/null |
		awk 'NR > 1 && (least == "" || $4 < least) { least = $4; where = $6 }
			END { printf "%d MB are free on %s", least / 1024, where }'
}

# said_in LOG PATTERN WHAT: sets $said to WHAT, from the first line that matches; fails when none does
said_in() { said=$(sed -n "s/$2/$3/p" "$1" | head -n 1) && [[ -n $said ]]; }

# Prints why apt failed and what to do, from its output $1; fails when that is not known. What may be a consequence of
# something else comes last.
apt_cause() {
	local log=$1 said
	if [[ ! -s $log ]] || grep -q -e 'No space left on device' -e 'tar: .* Wrote only' "$log"; then
		echo "the disk is full, $(least_room); make room"
	elif said_in "$log" ".*You don't have enough free space in \([^ ]*[^./]\)[./]*\$" '\1'; then
		echo "no room for the packages in $said;" \
			"$(sed -n 's/^Need to get \(.*\) of archives.*/make room for \1 there/p' "$log" | head -n 1)"
	elif grep -q 'dpkg was interrupted' "$log"; then
		echo "an earlier run of dpkg was interrupted; as root, run 'dpkg --configure -a'"
	elif grep -q -e 'apt --fix-broken install' -e 'apt-get -f install' "$log"; then
		echo "packages of this machine lack what they depend on; as root, run 'apt-get --fix-broken install'"
	elif grep -q -e '^sudo: .*required' -e 'is not in the sudoers file' "$log"; then
		echo "sudo does not make this user root; run it as root"
	elif said_in "$log" ".*The repository '\([^ ]*\) \([^ ]*\) [^']*' .* a Release file.*" 'the mirror \1 has no suite \2' ||
		said_in "$log" '.*Failed to fetch \(.*\)\/dists\/\([^ \/]*\)\/[^ ]* *\(404\|File not found\).*' \
			'the mirror \1 has no suite \2'; then
		echo "$said; name one that has it under $APT_ETC"
	elif said_in "$log" '.*Release file for \([^ ]*\) is not valid yet.*' '\1'; then
		echo "$said is of the future; set this machine's clock"
	elif said_in "$log" ".*\(Temporary failure resolving\|Could not resolve\) '\([^']*\)'.*" '\2' ||
		said_in "$log" '.*\(Could not connect to\|Cannot initiate the connection to\|Unable to connect to\) \([^ ]*\).*' '\2'; then
		echo "there is no way to ${said%:}; see to the network, or to apt's proxy"
	elif said_in "$log" '.*Failed to fetch \([^ ]*\) .*' '\1'; then
		echo "$said was not to be had: $(sed -n 's/.*Failed to fetch [^ ]* *//p' "$log" | head -n 1)"
	elif said_in "$log" '^E: Unable to locate package \(.*\)' '\1' ||
		said_in "$log" "^E: Package '\(.*\)' has no installation candidate" '\1' ||
		said_in "$log" "^E: \(Version\|Release\) '\(.*\)' for '\(.*\)' was not found" '\3 of \2'; then
		echo "apt knows no package $said; enable the suite that has it under $APT_ETC"
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
	# what packages start must not inherit the locks of the setup and of the download
	until "$@" </dev/null >"$log" 2>&1 8<&- 9<&-; do
		if ! holder=$(apt_lock_holder "$log"); then
			trap - EXIT
			if cause=$(apt_cause "$log"); then die "$name: $cause, and run this again (log: $log)"; fi
			tail -n 40 "$log" >&2
			die "$name failed, see above; when that is mended, run this again (log: $log)"
		fi
		((SECONDS - start < APT_WAIT)) ||
			die "$holder, for $((APT_WAIT / 60)) minutes now; when it has ended, run this again"
		if [[ $holder != "$said" ]]; then say "$holder; waiting for it"; fi
		said=$holder
		sleep 1
	done
)

# apt's messages are read above, in English
apt_get_root() {
	as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=0 -o Acquire::Retries=5 "$@"
}

# For apt, an update has succeeded even if no mirror answered. If none did, or if not the suite that was added, we fail.
update() {
	local file out status=0
	out=$(apt_get_root update 2>&1) || status=$?
	printf '%s\n' "$out"
	if ((status)); then return "$status"; fi
	if grep -q '^Err:' <<<"$out" && ! grep -q -e '^Hit:' -e '^Get:' <<<"$out"; then return 1; fi
	for file in $(unproven); do is_found "$file" || return 1; done
}

unproven() { grep -lsxF -e "$UNPROVEN" "$APT_ETC"/sources.list.d/*.{list,sources} || true; }

# Whether apt has a list of the suite that the entry $1 is named after
is_found() {
	local suite=${1##*/} lists
	# shellcheck disable=SC2016 # for apt
	lists=$(apt-get indextargets --format '$(FILENAME)' "Release: ${suite%.*}" 'Created-By: Packages') && [[ -n $lists ]]
}

# Whatever became of an update: entries of suites that it found stay, and others would break every update to come. Those
# of another one, who has the turn, are not settled yet.
settle() {
	local file
	if [[ -z $has_turn ]]; then return; fi
	for file in $(unproven); do
		if is_found "$file"; then
			as_root sed -i "/^$UNPROVEN\$/d" "$file"
		else
			say "removing $file again"
			as_root rm -f "$file"
		fi
	done
}

apt_get() {
	local status=0
	if [[ $1 == update ]]; then
		apt_turn
		apt_run 'apt-get update' update || status=$?
		settle
	else
		apt_run "apt-get $1" apt_get_root "$@" || status=$?
	fi
	((status == 0)) || exit "$status"
}

# The version of $1 that apt would take; fails when there is none.
apt_candidate() {
	local version
	version=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p')
	[[ -n $version && $version != '(none)' ]] || return 1
	echo "$version"
}

# Whether the file $1 has the hash $2, as apt writes it: "SHA256:..."
has_hash() {
	local tool=${2%%:*}
	[[ -f $1 ]] && "${tool,,}sum" -c --status - <<<"${2#*:}  $1"
}

# fetch URI FILE HASH: "apt-get download" would remove what an earlier run got, this goes on with it. If that was of
# something else, apt puts the whole aside; then once more from the beginning.
fetch() {
	for _ in 1 2; do
		rm -f "$2.FAILED"
		if env LC_ALL=C /usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::Retries=5 download-file "$@"; then
			return 0
		fi
		[[ -e $2.FAILED ]] || return 1
	done
	rm -f "$2.FAILED"
	return 1
}

# apt_download PACKAGE[=VERSION] DIR: no root is needed. Two at once take turns.
apt_download() {
	local package=$1 dir=$2 uri file hash
	mkdir -p "$dir" || exit 1
	dir=$(cd "$dir" && pwd) || exit 1
	# asked elsewhere: of a file that is there already nothing is printed
	read -r uri file _ hash < <(cd / && apt-get -q --print-uris -o APT::Sandbox::User=root download "$package" 2>/dev/null |
		grep -m 1 "^'") || die "apt knows no package $package; enable the suite that has it under $APT_ETC"
	file=$dir/$file
	uri=${uri#\'}
	# shellcheck disable=SC2094 # a directory
	(
		flock 9 || exit 1
		has_hash "$file" "$hash" || apt_run "apt-get download $package" fetch "${uri%\'}" "$file" "$hash"
	) 9<"$dir" || exit 1
	echo "$file"
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
	local suite=$1 new=$2 entry file kind=sources
	apt_turn
	if [[ -n $(one_line_sources "$new")$(deb822_sources "$new") ]]; then return; fi
	entry=$(deb822_sources "$suite" "$new" | awk 'NF { print; next } { exit }')
	if [[ -z $entry ]]; then
		entry=$(one_line_sources "$suite" "$new" | head -n 1)
		kind=list
	fi
	[[ -n $entry ]] || die "no apt source under $APT_ETC names the suite '$suite', so none for '$new' can be made from" \
		"it; add one, and run this again"
	file=$APT_ETC/sources.list.d/$new.$kind
	[[ ! -e $file ]] || die "$file is there, but names no suite '$new' that is enabled; enable it, and run this again"
	say "adding $file"
	printf '%s\n' "$UNPROVEN" "$entry" | as_root tee "$file" >/dev/null || die "$file cannot be written, $(least_room)"
}
