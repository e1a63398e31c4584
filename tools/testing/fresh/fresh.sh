#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs what README.md says on machines that have nothing yet:
#
#   fresh.sh [SUITE...]      bookworm and trixie, unless named
#
# A machine is a root file system of Debian's minimal set, with make, git and ca-certificates, and a clone of what is
# committed here; see machine.sh. In each of them this runs "make setup", "make unit" and "make && make install", and in
# one, by turns, "make demo". With FULL=1 it is "make demo" on the empty machine, "make check" and the installation, in
# all of them. At the end come the time of each step and "N passed, N failed". Logs are in build/fresh.
#
# Each machine lives in a mount and a PID namespace of its own. When this script ends, in whatever way, the kernel kills
# all that is in them, and the mounts are gone with them. It needs root, and of the network the package mirror.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/common.sh"
here=$REPO/tools/testing/fresh
# FRESH_OUT is for the tests of this
out=${FRESH_OUT:-$REPO/build/fresh}
known=(bookworm trixie)
full=${FULL:-}
machines=()

# The next of SUITES after the one that had its turn last. A machine whose cache knows nothing goes by the day.
turn() {
	local last i
	last=$(cat "$CACHE/fresh/demo" 2>/dev/null || true)
	for i in "${!suites[@]}"; do
		if [[ ${suites[i]} == "$last" ]]; then
			echo "${suites[(i + 1) % ${#suites[@]}]}"
			return
		fi
	done
	echo "${suites[$(date +%-j) % ${#suites[@]}]}"
}

# start SUITE STEP...
start() {
	mkdir -p "$out/$1"
	setpriv --pdeathsig KILL unshare --mount --mount-proc --pid --fork --kill-child "$here/machine.sh" "$out/$1" "$@" &
	machines+=($!)
}

# A machine is the first process of its namespace, which only this signal reaches.
stop() {
	if ((${#machines[@]})); then
		kill -KILL "${machines[@]}" 2>/dev/null || true
		wait "${machines[@]}" 2>/dev/null || true
	fi
}

# Room for two lab VMs with their guests and two builds
both_fit() {
	(($(nproc) >= 2 && $(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo) > 8 << 20))
}

report() {
	local suite step seconds result note passed=0 failed=0
	echo
	printf '%-10s %-26s %7s\n' machine step seconds
	for suite in "${suites[@]}"; do
		while IFS=$'\t' read -r step seconds result note; do
			printf '%-10s %-26s %7s  %s\n' "$suite" "$step" "$seconds" "$result${note:+, $note}"
			if [[ $result == ok ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
		done < <(cat "$out/$suite/steps" 2>/dev/null || printf 'nothing was begun\t0\tfailed\t\n')
	done
	echo "$passed passed, $failed failed"
	((failed == 0 && passed > 0))
}

suites=("$@")
((${#suites[@]})) || suites=("${known[@]}")
for suite in "${suites[@]}"; do
	[[ " ${known[*]} " == *" $suite "* ]] || die "SUITE=$suite: it is one or more of: ${known[*]}"
done
[[ -z $full || $full == 1 ]] || die "FULL=$full: it is 1, for 'make demo' and 'make check' on all machines, or empty"
((EUID == 0)) || die "making a root file system and entering it needs root: run 'sudo make fresh'"
"$LAB_DIR/setup.sh" fresh
need debootstrap git python3 setpriv unshare

changed=$(git -C "$REPO" status --porcelain | wc -l)
((changed == 0)) || say "$changed files here are not committed as they are; what is tested is $(git -C "$REPO" log -1 --format='%h, "%s"')"
mkdir -p "$out" "$CACHE/fresh"
for suite in "${suites[@]}"; do
	flock -n "$CACHE/fresh/$suite.lock" true || die "SUITE=$suite: another 'make fresh' is at work on it; wait for its end"
done
rm -rf "${suites[@]/#/$out/}"
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

demo=''
if [[ -z $full ]]; then
	demo=$(turn)
	say "make demo runs on $demo this time"
fi
for suite in "${suites[@]}"; do
	if [[ -n $full ]]; then
		steps=(demo check install)
	else
		steps=(setup unit)
		[[ $suite != "$demo" ]] || steps+=(demo)
		steps+=(install)
	fi
	start "$suite" "${steps[@]}"
	# "make check" takes the whole machine for itself
	if [[ -n $full ]] || ! both_fit; then wait "${machines[-1]}" || true; fi
done
for machine in "${machines[@]}"; do wait "$machine" || true; done
machines=()
if [[ -n $demo ]] && grep -q $'^make demo\t.*\tok' "$out/$demo/steps"; then echo "$demo" >"$CACHE/fresh/demo"; fi
report
