#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What setup.sh does where apt cannot do what it is asked for: with this machine's apt and dpkg, but on a machine of the
# test's own ($m), a tree with their state and nothing installed, whose mirror has packages that hold no programs.

# The tests are called by name and hold code for programs.
# shellcheck disable=SC2317,SC2329,SC2016
# Whatever is started in the background by a shell without job control has SIGINT ignored, and no shell undoes that
if [[ -z ${SETUP_TEST_SIGNALS-} ]]; then SETUP_TEST_SIGNALS=default exec env --default-signal "$0" "$@"; fi

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
lab=$here
m=$work/m
KVER=6.12.987+deb12-amd64
export TMPDIR=$work/tmp VFIO_MDEV_CACHE=$work/cache APT_CONFIG=$work/apt.conf DPKG_ADMINDIR=$m/var/lib/dpkg
export LAB_APT_ETC=$m/etc/apt LAB_OS_RELEASE=$work/os-release LAB_KVER_GLOB='6.12.987*-amd64'
export PATH=$work/bin:$PATH:/usr/sbin:/sbin
unset QEMU http_proxy

# package SUITE NAME VERSION [FILES]: into the mirror
package() {
	local suite=$1 name=$2 version=$3 files=${4-} dir=$work/package deb=pool/$2_${3#*:}_amd64.deb
	local index=$work/mirror/dists/$suite/main/binary-amd64
	rm -rf "$dir"
	mkdir -p "$dir/DEBIAN" "$work/mirror/pool" "$index"
	if [ -n "$files" ]; then cp -r "$files/." "$dir"; fi
	printf '%s\n' "Package: $name" "Version: $version" 'Architecture: amd64' 'Maintainer: nobody <nobody@localhost>' \
		'Description: for a test' > "$dir/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone -b "$dir" "$work/mirror/$deb" > /dev/null
	{
		cat "$dir/DEBIAN/control"
		printf '%s\n' "Filename: $deb" "Size: $(stat -c %s "$work/mirror/$deb")" \
			"SHA256: $(sha256sum "$work/mirror/$deb" | cut -d ' ' -f 1)" ''
	} >> "$index/Packages"
}

# release SUITE: what a mirror says of it
release() {
	local dir=$work/mirror/dists/$1
	{
		printf '%s\n' "Suite: $1" "Codename: $1" 'Architectures: amd64' 'Components: main' \
			"Date: $(date -u -R)" 'SHA256:'
		(cd "$dir" && for file in main/binary-amd64/*; do
			echo " $(sha256sum "$file" | cut -d ' ' -f 1) $(stat -c %s "$file") $file"
		done)
	} > "$dir/Release"
}

make_mirror() {
	local name files=$work/files names
	names=$(sed -n '/^PACKAGES=(/,/)/ { s/^PACKAGES=(//; s/)//; p }' "$lab/setup.sh")
	for name in $names clang libclang-rt-dev "libclang-rt-$(clang -dumpversion 2>/dev/null | cut -d . -f 1)-dev"; do
		[ "$name" = qemu-system-x86 ] || [ "$name" = libclang-rt--dev ] || package bookworm "$name" 1
	done
	for name in qemu-system-x86 qemu-system-common qemu-system-data seabios; do
		package bookworm-backports "$name" 1:10.0
	done
	mkdir -p "$files/boot" "$files/lib/modules/$KVER"
	head -c 3000000 /dev/urandom > "$files/boot/vmlinuz-$KVER"
	touch "$files/lib/modules/$KVER/modules."{order,builtin}
	package bookworm "linux-image-$KVER" 1 "$files"
	package bookworm "linux-headers-$KVER" 1
	# Debian 13 has all of it in one suite
	mkdir -p "$work/mirror/dists/trixie/main/binary-amd64"
	cat "$work"/mirror/dists/bookworm*/main/binary-amd64/Packages > "$work/mirror/dists/trixie/main/binary-amd64/Packages"
	for name in bookworm bookworm-backports trixie; do release "$name"; done
}

# Nothing of the machine that this runs on is read or changed by apt
make_config() {
	cat > "$APT_CONFIG" <<-EOF
		Dir "$m/";
		Dir::State::status "$m/var/lib/dpkg/status";
		Dir::Log "$m/var/log";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::http::Timeout "10";
		Acquire::Retries::Delay "false";
		DPkg::Options { "--root=$m"; "--force-not-root"; "--force-unsafe-io"; "--log=$m/var/log/dpkg.log"; };
		DPkg::Use-Pty "false";
	EOF
}

# A new machine, with the mirror $1: a URI
make_machine() {
	rm -rf "$m"
	mkdir -p "$m"/etc/apt/{apt.conf.d,preferences.d,sources.list.d} "$m"/var/{log,lib/apt/lists/partial} "$TMPDIR" \
		"$m"/var/cache/apt/archives/partial "$m"/var/lib/dpkg/{info,updates,triggers} "$work/bin"
	touch "$m"/var/lib/dpkg/{status,available}
	printf '%s\n' 'ID=debian' 'VERSION_ID="12"' 'VERSION_CODENAME=bookworm' > "$LAB_OS_RELEASE"
	printf '%s\n' 'Types: deb' "URIs: $1" 'Suites: bookworm' 'Components: main' 'Trusted: yes' \
		> "$m/etc/apt/sources.list.d/debian.sources"
}

setup() {
	last=$name
	rm -rf "${work:?}"/{bin,cache,tmp,breaks,hangs,hanging,silent,requests}
	make_machine "file:$work/mirror"
	make_config
}

# A kernel that setup.sh finds
have_kernel() {
	mkdir -p "$VFIO_MDEV_CACHE/kernels/$KVER"/{boot,"lib/modules/$KVER/build"}
	touch "$VFIO_MDEV_CACHE/kernels/$KVER"/{"boot/vmlinuz-$KVER","lib/modules/$KVER/"{modules.dep,build/Makefile}}
}

# Sets $status; what it says is in $work/err
run_setup() {
	status=0
	"$lab/setup.sh" > "$work/out" 2> "$work/err" < /dev/null || status=$?
}

# with_apt COMMAND: of apt.sh
with_apt() {
	status=0
	bash -c 'set -euo pipefail; . "$1/common.sh"; . "$1/apt.sh"; eval "$2"' setup.sh "$lab" "$1" \
		> "$work/out" 2> "$work/err" < /dev/null || status=$?
}

expect_status() {
	[ "$status" = "$1" ] && return
	fail "$last: exit status $status instead of $1"
	show err: "$work/err"
}

# expect_refusal TEXT..: it failed; the last line, and the only one that says something failed, holds these texts
expect_refusal() {
	expect_status 1
	grep -v -e ': adding ' -e ': missing: .*; asking apt$' -e ': removing ' -e ': installing ' -e ': unpacking ' \
		"$work/err" > "$work/said"
	expect_equal 1 "$(wc -l < "$work/said")" 'lines that say why'
	for text; do expect_has said "$text"; done
}

# How often package $1 was unpacked on the machine
installed() { grep -c " install $1:amd64 " "$m/var/log/dpkg.log"; }

# What a run may leave behind: logs of what failed, which it names
expect_clean() {
	expect_equal "${1-}" "$(cd "$work" && find tmp cache/kernels cache/downloads -mindepth 1 -maxdepth 1 \
		-not -name 'lab-apt.*' 2>/dev/null | sort | xargs)" 'left behind'
	expect_equal debian.sources "$(find "$m/etc/apt/sources.list.d" -type f -printf '%f\n' | xargs)" 'sources'
}

# Starts a mirror that breaks off or hangs; sets $mirror
serve() {
	coproc MIRROR { exec python3 "$lab/mirror.py" "$work"; }
	# shellcheck disable=SC2153 # set by coproc
	mirror_pid=$MIRROR_PID
	trap 'kill $mirror_pid' EXIT
	read -r port <&"${MIRROR[0]}"
	mirror=http://127.0.0.1:$port
	make_machine "$mirror"
}

# hold FILE: a process has the lock that apt takes of it, until release_lock
hold() {
	coproc HOLDER { exec python3 -c '
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()' "$1"; }
	holder=$HOLDER_PID
	read -r -u "${HOLDER[0]}" || fail 'no lock'
}

release_lock() {
	local input=${HOLDER[1]}
	exec {input}>&-
	wait "$holder"
}

# await TEXT: until a line of what runs with its stderr in the FIFO $work/lines has it; then the rest is left unread
await() {
	local line
	while read -r -t 60 line <&"$lines"; do
		echo "$line" >> "$work/err"
		[[ $line != *"$1"* ]] || return 0
	done
	fail "$last: no line says '$1'"
	show err: "$work/err"
}

# start COMMAND..: in the background; sets $running
start() {
	rm -f "$work/lines" "$work/err"
	mkfifo "$work/lines"
	"$@" 2> "$work/lines" < /dev/null > "$work/out" &
	running=$!
	exec {lines}< "$work/lines"
}

finish() {
	cat <&"$lines" >> "$work/err"
	status=0
	wait "$running" || status=$?
}

test_second_run_asks_nothing() {
	have_kernel
	run_setup
	expect_status 0
	expect_equal 1 "$(installed gcc)" 'times that gcc was installed'
	expect_equal 1 "$(installed qemu-system-x86)" 'times that QEMU was installed'
	mkdir -p "$work/bin"
	for program in apt-get apt-cache sudo; do
		printf '#!/bin/sh\necho "$0 $*" >> %s/asked\n' "$work" > "$work/bin/$program"
		chmod +x "$work/bin/$program"
	done
	run_setup
	expect_status 0
	[ ! -e "$work/asked" ] || fail "apt was asked: $(cat "$work/asked")"
	[ ! -s "$work/err" ] || fail "it says: $(cat "$work/err")"
}

is_debian_13() {
	printf '%s\n' 'ID=debian' 'VERSION_ID="13"' 'VERSION_CODENAME=trixie' > "$LAB_OS_RELEASE"
	sed -i 's/bookworm/trixie/' "$m/etc/apt/sources.list.d/debian.sources"
}

test_debian_13() {
	have_kernel
	is_debian_13
	run_setup
	expect_status 0
	for program in qemu-system-x86 edid-decode; do
		expect_equal 1 "$(installed $program)" "times that $program was installed"
	done
	expect_clean "cache/kernels/$KVER"
}

test_both_at_once() {
	local first second turn
	have_kernel
	# Neither gets its turn before the other waits for one
	exec {turn}<"$LAB_APT_ETC"
	flock "$turn"
	"$lab/setup.sh" > "$work/first" 2>&1 < /dev/null {turn}<&- &
	first=$!
	VFIO_MDEV_CACHE=$work/cache "$lab/setup.sh" > "$work/second" 2>&1 < /dev/null {turn}<&- &
	second=$!
	until grep -qs 'another setup runs' "$work/first" && grep -qs 'another setup runs' "$work/second"; do
		if ! kill -0 "$first" || ! kill -0 "$second"; then break; fi
		read -rt 0.05 <> <(:) || true
	done
	exec {turn}<&-
	wait "$first" || fail "the first: $(cat "$work/first")"
	wait "$second" || fail "the second: $(cat "$work/second")"
	expect_equal 1 "$(installed gcc)" 'times that gcc was installed'
	cat "$work/first" "$work/second" > "$work/both"
	expect_equal 1 "$(grep -c 'asking apt' "$work/both")" 'that asked apt'
	expect_equal 2 "$(grep -c 'another setup runs; waiting' "$work/both")" 'that waited'
}

# wait_for LOCK COMMAND..: it says who has the lock, and goes on when that one has ended
wait_for() {
	local file=$m/$1
	shift
	hold "$file"
	start "$@"
	await "process $holder ($(cat "/proc/$holder/comm")) has $file; waiting for it"
	kill -0 "$running" || fail "it did not wait for $file"
	release_lock
	finish
	expect_status 0
}

test_lock_of_lists() {
	have_kernel
	wait_for var/lib/apt/lists/lock "$lab/setup.sh"
	expect_equal 1 "$(installed gcc)" 'times that gcc was installed'
}

test_locks_of_dpkg_and_cache() {
	local name
	with_apt 'apt_get update'
	for name in lib/dpkg/lock-frontend lib/dpkg/lock cache/apt/archives/lock; do
		wait_for "var/$name" bash -c '. "$1/common.sh"; . "$1/apt.sh"; apt_get install -y --reinstall gcc make' \
			setup.sh "$lab"
	done
}

# Image and modules of a kernel, as if there were none; that its headers are not where setup.sh looks, is the test's
kernel_is_whole() {
	cmp -s "$work/files/boot/vmlinuz-$KVER" "$VFIO_MDEV_CACHE/kernels/$KVER/boot/vmlinuz-$KVER" &&
		[ -e "$VFIO_MDEV_CACHE/kernels/$KVER/lib/modules/$KVER/modules.dep" ]
}

test_unpacks_a_kernel() {
	run_setup
	expect_status 0
	kernel_is_whole || fail 'no kernel'
	expect_equal 1 "$(installed "linux-headers-$KVER")" 'times that headers were installed'
	expect_equal 0 "$(installed "linux-image-$KVER")" 'times that an image was installed'
	rm "$m/etc/apt/sources.list.d/bookworm-backports.sources"
	expect_clean "cache/kernels/$KVER"
}

# What ends before a kernel is whole leaves none, and nothing else either
test_no_half_kernel() {
	local end
	for end in 'exit 1' 'kill -TERM $PPID' 'kill -INT $PPID; kill -INT $$'; do
		rm -rf "$VFIO_MDEV_CACHE"
		printf '#!/bin/sh\n%s\n' "$end" > "$work/bin/depmod"
		chmod +x "$work/bin/depmod"
		run_setup
		[ "$status" != 0 ] || fail "$end: it succeeded"
		expect_equal '' "$(ls -A "$VFIO_MDEV_CACHE/kernels")" "after $end"
	done
}

test_broken_download_goes_on() {
	local size
	serve
	with_apt 'apt_get update'
	size=$(stat -c %s "$work/mirror/pool/linux-image-${KVER}_1_amd64.deb")
	echo 99 > "$work/breaks"
	with_apt "apt_download linux-image-$KVER $work/cache/downloads"
	expect_refusal "setup.sh: apt-get download linux-image-$KVER: $mirror/pool/linux-image" 'was not to be had: ' \
		'run this again'
	expect_equal 6 "$(wc -l < "$work/requests")" 'requests'
	[ ! -s "$work/out" ] || fail 'it printed a path'
	rm "$work/breaks" "$work/requests"
	with_apt "apt_download linux-image-$KVER $work/cache/downloads"
	expect_status 0
	cmp "$(cat "$work/out")" "$work/mirror/pool/linux-image-${KVER}_1_amd64.deb" || fail 'another file'
	read -r _ start < "$work/requests"
	((start > size * 9 / 10)) || fail "it began at $start of $size"
	with_apt "apt_download linux-image-$KVER $work/cache/downloads"
	expect_status 0
	expect_equal 1 "$(wc -l < "$work/requests")" 'requests, with the whole file there'
}

# What is there under its name, but is something else, in part or as a whole
test_spoilt_download() {
	local deb=linux-image-${KVER}_1_amd64.deb size
	serve
	with_apt 'apt_get update'
	mkdir -p "$work/cache/downloads"
	for size in 100000 99999999; do
		tr '\0' '\1' < "$work/mirror/pool/$deb" | head -c "$size" > "$work/cache/downloads/$deb"
		with_apt "apt_download linux-image-$KVER=1 $work/cache/downloads"
		expect_status 0
		cmp "$(cat "$work/out")" "$work/mirror/pool/$deb" || fail "another file, after the first $size bytes"
	done
}

test_broken_install_goes_on() {
	serve
	echo 5 > "$work/breaks"
	with_apt 'apt_get update; apt_get install -y gcc'
	expect_status 0
	expect_equal 0 "$(cat "$work/breaks")" 'breaks left'
}

test_suite_is_not_there() {
	local uri
	mkdir -p "$work/mirror/old/dists"
	ln -sfn ../../dists/bookworm "$work/mirror/old/dists/bookworm"
	ln -sfn ../pool "$work/mirror/old/pool"
	serve
	for uri in "file:$work/mirror/old" "$mirror/old"; do
		make_machine "$uri"
		# apt says it in other words where it asks for signatures
		[[ $uri == file:* ]] || sed -i /Trusted/d "$m/etc/apt/sources.list.d/debian.sources"
		run_setup
		expect_refusal "apt-get update: the mirror $uri has no suite bookworm-backports; name one that has it under $m/etc/apt"
		expect_clean
	done
}

# Nor is it certain of what does not answer
test_suite_is_silent() {
	serve
	echo bookworm-backports > "$work/silent"
	run_setup
	expect_refusal "apt-get update: $mirror/dists/bookworm-backports/" ' was not to be had: ' 'run this again'
	expect_clean
}

# One of two is there, and they are added elsewhere; so too if nobody lives to see what becomes of them
test_two_suites() {
	local files="$m/etc/apt/sources.list.d"
	serve
	with_apt '(add_suite bookworm bookworm-backports); (add_suite bookworm nowhere); (apt_get update) || exit 5'
	expect_status 5
	expect_equal 'bookworm-backports.sources debian.sources' "$(cd "$files" && echo *)" 'sources'
	with_apt 'apt_get update; apt_candidate qemu-system-x86'
	expect_status 0
	! grep '^#' "$files/bookworm-backports.sources" || fail 'it has a mark'
	with_apt '(add_suite bookworm nowhere); kill -KILL $$' 2> /dev/null
	run_setup
	expect_refusal 'apt-get update: the mirror' 'has no suite nowhere'
	expect_equal 'bookworm-backports.sources debian.sources' "$(cd "$files" && echo *)" 'sources'
}

# Starts setup.sh, which asks for a suite and waits; sets $running, the leader of its processes
start_hanging() {
	serve
	echo bookworm-backports > "$work/hangs"
	mkfifo "$work/hanging"
	exec {hanging}<> "$work/hanging"
	set -m
	"$lab/setup.sh" > "$work/out" 2> "$work/err" < /dev/null &
	running=$!
	set +m
	read -r -t 60 <&"$hanging" || fail 'it asked for nothing'
}

test_interrupted_while_it_asks() {
	start_hanging
	kill -INT -- "-$running"
	status=0
	wait "$running" || status=$?
	expect_status 130
	expect_clean
	expect_equal '' "$(ls -A "$work/tmp")" 'logs'
}

# What has nothing to do and ends meanwhile leaves the entry alone that another one has just added
test_bystander() {
	local file=$m/etc/apt/sources.list.d/bookworm-backports.sources
	start_hanging
	"$lab/setup.sh" sources bookworm "$work/tmp" || fail 'no sources'
	[ -e "$file" ] || fail 'the entry is gone'
	kill -INT -- "-$running"
	wait "$running"
	[ ! -e "$file" ] || fail 'the entry is still there'
}

# A user's entry that is turned off is not ours to write, or to remove
test_suite_is_turned_off() {
	local file=$m/etc/apt/sources.list.d/bookworm-backports.sources
	sed 's/^Suites:.*/Suites: bookworm-backports\nEnabled: no/' "$m/etc/apt/sources.list.d/debian.sources" > "$file"
	cp "$file" "$work/before"
	run_setup
	expect_refusal "setup.sh: $file is there" 'enable it'
	cmp -s "$work/before" "$file" || fail 'it is changed'
}

test_no_network() {
	make_machine http://127.0.0.1:1/debian
	run_setup
	expect_refusal 'apt-get update: there is no way to 127.0.0.1:1; see to the network'
	expect_clean
	make_machine http://127.0.0.1:1/debian
	is_debian_13
	run_setup
	expect_refusal 'apt-get update: there is no way to 127.0.0.1:1; see to the network'
}

# as_user COMMAND..: neither root nor anybody who may write here
# Our scripts may be where no other user gets to, below /root for one: $lab is a copy of them then.
as_user() {
	chmod 755 "$work"
	if ((EUID)); then "$@"; else setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; fi
}

copy_scripts() {
	cp -r "$lab" "$work/lab"
	lab=$work/lab
}

test_no_root() {
	copy_scripts
	mkdir "$work/programs"
	ln -s /usr/bin/* "$work/programs"
	rm -f "$work/programs/sudo"
	status=0
	PATH=$work/programs as_user "$lab/setup.sh" > "$work/out" 2> "$work/err" < /dev/null || status=$?
	expect_refusal 'Installing needs root, and there is no sudo: run this as root'
	ln -s /bin/false "$work/programs/sudo"
	status=0
	PATH=$work/programs as_user "$lab/setup.sh" > "$work/out" 2> "$work/err" < /dev/null || status=$?
	expect_refusal 'Installing needs root: run this as root, or make sudo work without a password'
	expect_clean
}

# On a Debian, a user's PATH has no depmod
test_user_with_sudo() {
	copy_scripts
	printf '#!/bin/sh\n[ "$1" != -n ] || shift\necho "$*" >> %s/sudo\nexec "$@"\n' "$work" > "$work/bin/sudo"
	chmod +x "$work/bin/sudo"
	if ((EUID == 0)); then
		mkdir "$work/cache"
		touch "$work/sudo"
		chown -R 65534:65534 "$m" "$work/cache" "$work/tmp" "$work/sudo"
	fi
	status=0
	PATH=$work/bin:/usr/bin:/bin as_user "$lab/setup.sh" > "$work/out" 2> "$work/err" < /dev/null || status=$?
	expect_status 0
	kernel_is_whole || fail 'no kernel'
	expect_has sudo 'tee'
	expect_has sudo 'apt-get'
}

# run_with_room DIR SIZE [ARG..]: setup.sh, with DIR on a file system of that size
run_with_room() {
	mkdir -p "$1"
	status=0
	unshare -m sh -c 'mount -t tmpfs -o size=$2 tmpfs "$1" && exec "$0"' "$lab/setup.sh" "$1" "$2" \
		> "$work/out" 2> "$work/err" < /dev/null || status=$?
}

test_disk_is_full() {
	unshare -m mount -t tmpfs tmpfs "$work/bin" 2> /dev/null || skip 'no root to mount something small'
	serve
	run_with_room "$m/var/cache/apt/archives" 16k
	expect_refusal "apt-get install: no room for the packages in $m/var/cache/apt/archives; make room for " 'run this again'
	make_machine "$mirror"
	run_with_room "$VFIO_MDEV_CACHE" 1M
	expect_refusal "apt-get download linux-image-$KVER: the disk is full, " " MB are free on $VFIO_MDEV_CACHE; make room"
	run_with_room "$VFIO_MDEV_CACHE" 4M
	expect_refusal "dpkg -x " ": the disk is full, " " MB are free on $VFIO_MDEV_CACHE; make room"
}

test_dpkg_was_interrupted() {
	have_kernel
	cp "$m/var/lib/dpkg/status" "$m/var/lib/dpkg/updates/0001"
	echo 'Package: gcc' > "$m/var/lib/dpkg/updates/0001"
	run_setup
	expect_refusal "apt-get install: an earlier run of dpkg was interrupted; as root, run 'dpkg --configure -a'"
}

# What nobody foresaw: apt's own words, and the command
test_another_fault() {
	have_kernel
	printf '#!/bin/sh\necho "E: a fault of its own"\nexit 100\n' > "$work/bin/apt-get"
	chmod +x "$work/bin/apt-get"
	run_setup
	expect_status 1
	expect_has err 'E: a fault of its own'
	expect_has err 'setup.sh: apt-get update failed, see above; when that is mended, run this again (log: '
	expect_has err "removing $m/etc/apt/sources.list.d/bookworm-backports.sources again"
	expect_clean "cache/kernels/$KVER"
}

if ! python3 --version > /dev/null 2>&1; then
	echo 'Bail out! python3, which has locks and makes a mirror, is not installed; run tools/testing/lab/setup.sh'
	exit 1
fi
mkdir "$TMPDIR"
make_config
make_mirror
tap_main "$@"
