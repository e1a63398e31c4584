#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One fresh machine, and what is done on it:
#
#   machine.sh OUT SUITE STEP...     STEP: setup, unit, demo, check or install
#
# Run by fresh.sh as the first process of a PID namespace, in a mount namespace. Writes the line "step, seconds, ok or
# failed, note" for each step into OUT/steps. Where one fails the others are not tried, and the root is kept until the next
# time.
#
# In the cache are, for each suite:
#   SUITE.tar.gz     what debootstrap makes; after a week it is made again
#   SUITE.archives   the packages that apt has downloaded. They spare time and hide nothing: apt takes one only when it
#                    has been told to install it, and its checksum is the one of the mirror's index, which is not kept.
#   SUITE.root       the machine
# Nothing else of the cache, and nothing of the system that this runs on, can be seen on the machine.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/common.sh"
here=$REPO/tools/testing/fresh
out=$1
suite=$2
shift 2
cache=$CACHE/fresh
base=$cache/$suite.tar.gz
archives=$cache/$suite.archives
root=$cache/$suite.root
# What README.md takes for granted
include=make,git,ca-certificates
tree=/root/vfio-mdev

# The address of suite $suite in the entries that setup.sh has made
mirror() {
	awk '$1 == "deb" {
		at = 2
		if ($2 ~ /^\[/) { while ($at !~ /\]$/) at++; at++ }
		print $at, $(at + 1)
	}' "$1/fresh.list"
	awk 'tolower($1) == "uris:" { uri = $2 } tolower($1) == "suites:" { suite = $2 } !NF { print uri, suite }' "$1/fresh.sources"
}

# How apt reaches the mirror is the affair of the machine that this runs on.
acquire() {
	apt-config dump Acquire::http Acquire::https Acquire::Check-Valid-Until Acquire::Check-Date | grep -vi 'auto-*detect'
}

# Files with keys that the entries name and a minimal system does not have
copy_keys() {
	local key
	for key in $(sed -n 's/^Signed-By: *\(\/.*\)/\1/Ip' "$1/fresh.sources"; sed -n 's/.*[[ ]signed-by=\([^] ]*\).*/\1/p' "$1/fresh.list"); do
		[[ -e $root$key ]] || install -D -m 644 "$key" "$root$key"
	done
}

make_base() {
	local sources tmp uri
	if [[ -e $base && -z $(find "$base" -mmin +10080) ]]; then return; fi
	tmp=$cache/$suite.tmp
	sources=$tmp/sources
	rm -rf --one-file-system "$tmp"
	mkdir -p "$sources"
	"$LAB_DIR/setup.sh" sources "$suite" "$sources"
	uri=$(mirror "$sources" | awk -v suite="$suite" '$2 == suite { print $1; exit }')
	[[ -n $uri ]] || { echo "no apt source names the suite $suite"; return 1; }
	eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
	export http_proxy https_proxy
	debootstrap --variant=minbase --include="$include" --cache-dir="$archives" "$suite" "$tmp/root" "$uri"
	rm -f "$tmp"/root/var/cache/apt/archives/*.deb
	tar -C "$tmp/root" --numeric-owner --one-file-system -cf - . | gzip -1 >"$tmp/tar.gz"
	mv "$tmp/tar.gz" "$base"
	rm -rf --one-file-system "$tmp"
}

make_root() {
	rm -rf --one-file-system "$root"
	mkdir "$root"
	tar -C "$root" --numeric-owner -xf "$base"
	rm -f "$root/etc/apt/sources.list"
	"$LAB_DIR/setup.sh" sources "$suite" "$root/etc/apt/sources.list.d"
	copy_keys "$root/etc/apt/sources.list.d"
	acquire >"$root/etc/apt/apt.conf.d/90mirror" || true
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
	git clone -q --no-hardlinks "$REPO" "$root$tree"
}

# enter NETWORK COMMAND: on the machine, with a network or without
enter() {
	local namespaces=(--mount --pid --fork --kill-child)
	[[ $1 == yes ]] || namespaces+=(--net)
	unshare "${namespaces[@]}" "$here/enter.sh" "$root" "$archives" "$tree" "$2"
}

# The lines of README.md's examples have to be the ones that are run here.
in_readme() { grep -qE "^ {4,}$1\$" "$REPO/README.md" || die "README.md has no line '$1' any more, so it is not to be tested"; }

# step NOUN NAME COMMAND...: NAME is how it is shown
step() {
	local log=$out/$1.log name=$2 result=ok note status=0 began=$SECONDS
	shift 2
	echo "# $suite: $name"
	# not with || behind it, which would let functions go on after a failure
	"$@" >"$log" 2>&1 &
	wait $! || status=$?
	note=$(grep -hE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1 || true)
	((status == 0)) || result=failed
	grep '# SKIP' "$log" | sed "s/^ok [0-9]*/# $suite: not tested:/" || true
	if [[ $result == ok ]]; then
		echo "ok - $suite: $name ($((SECONDS - began)) s)"
	else
		grep -E '^not ok' "$log" | sed 's/^/# /' || true
		tail -n 25 "$log" | sed "s/^/# $suite: /"
		echo "not ok - $suite: $name (status $status; log: $log; the machine is left in $root)"
	fi
	printf '%s\t%s\t%s\t%s\n' "$name" $((SECONDS - began)) "$result" "$note" >>"$out/steps"
	return "$status"
}

run() {
	case $1 in
	# Only what installs packages has a network.
	setup) step setup 'make setup' enter yes 'make setup' ;;
	# What a fuzzer finds has nothing to do with the machine, but that it builds and runs has
	unit) step unit 'make unit' enter no 'FUZZ_SECONDS=5 make unit' ;;
	demo)
		in_readme 'make demo'
		step demo 'make demo' enter "$network" 'make demo'
		;;
	check)
		in_readme 'make check'
		step check 'make check' enter yes 'make check'
		;;
	install)
		in_readme 'make && sudo make install'
		step install 'make && make install' enter "$network" 'make && make install && mdev-ctl list'
		;;
	esac
}

# All processes on the machine have the lock, too
exec 9>"$cache/$suite.lock"
flock -n 9 || die "another 'make fresh' has begun at the same time"
mkdir -p "$archives"
step base 'root file system' make_base
step clone 'unpack and clone' make_root
# The first of the steps installs what is missing
network=yes
for name; do
	run "$name"
	network=no
done
# forgets packages that the mirror has no more
enter no 'apt-get -q autoclean' >"$out/autoclean.log" 2>&1 || true
rm -rf --one-file-system "$root"
