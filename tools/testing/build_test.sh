#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What "make" says when it is asked for something that it cannot do.

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
top=$here/../..
last='make'

# expect_refusal KDIR TEXT: one line, which names KDIR and holds TEXT
expect_refusal() {
	if make -s -C "$top" modules KDIR="$1" > "$work/out" 2> "$work/err"; then
		fail 'it succeeded'
	fi
	grep -v '^make' "$work/err" > "$work/said"
	expect_equal 1 "$(wc -l < "$work/said")" 'lines of the message'
	expect_has said "KDIR=$1: "
	expect_has said "$2"
}

test_no_headers() {
	expect_refusal "$work/nowhere" 'no kernel headers there'
}

# headers RELEASE: a directory that looks like headers as long as nothing is built with them
headers() {
	mkdir -p "$work/$1/include/config"
	echo "$1" > "$work/$1/include/config/kernel.release"
	: > "$work/$1/Makefile"
}

# It is what such a kernel lacks that decides; the number only makes a note
test_untested_kernel() {
	local release

	for release in 6.13.0 6.120.1 7.0.0-38-generic 7.30.1 6.1.0-57-amd64; do
		headers $release
		make -s -C "$top" check-kdir KDIR="$work/$release" > "$work/out" 2> "$work/err" || fail "$release: refused"
		expect_equal '' "$(cat "$work/out")" "$release"
		expect_equal 1 "$(wc -l < "$work/err")" "$release: lines"
		expect_has err "KDIR=$work/$release: kernel $release is not tested, 6.12."
	done
	while read -r release _; do
		headers "$release-distribution"
		make -s -C "$top" check-kdir KDIR="$work/$release-distribution" > "$work/out" 2>&1 || fail "$release: refused"
		expect_equal '' "$(cat "$work/out")" "$release"
	done < <(make -s -C "$top" supported)
}

# From the probes through Kbuild to whoever has typed "make": the headers that are here, but something is not exported.
# Nothing is compiled then, and the modules that are there stay.
test_unknown_kernel() {
	local kdir

	kdir=$(realpath "$(make -s -C "$top" help | sed -n 's/^KDIR=//p')")
	cp -as "$kdir" "$work/kdir"
	sed '/\tvmf_insert_pfn_prot\t/d' "$kdir/Module.symvers" > "$work/Module.symvers"
	mv "$work/Module.symvers" "$work/kdir/Module.symvers"
	if make -s -C "$top" modules KDIR="$work/kdir" > "$work/out" 2> "$work/err"; then fail 'it succeeded'; fi
	grep -v '^make' "$work/err" > "$work/said"
	expect_equal 1 "$(wc -l < "$work/said")" 'lines of the message'
	expect_has said "KDIR=$work/kdir: kernel"
	expect_has said 'known form: vpci/insert_pfn (not exported to modules: vmf_insert_pfn_prot). Take'
	rm -f "$(sed 's/.* is in \(.*\)\.  Stop\.$/\1/' "$work/said")"
}

# expect_kdir RUNNING CHOSEN INSTALLED...: which headers "make" takes where those are
expect_kdir() {
	local running=$1 chosen=$2
	shift 2
	rm -rf "$work/modules"
	for release; do
		headers "modules/$release/build"
		: > "$work/modules/$release/build/include/config/kernel.release"
	done
	# Of a kernel that was removed, some of this stays
	mkdir -p "$work/modules/7.9.9-gone"
	ln -s "$work/nowhere" "$work/modules/7.9.9-gone/build"
	# whatever this was called with
	expect_equal "KDIR=$work/modules/$chosen/build" "$(env -u KDIR -u MAKEFLAGS make -s -C "$top" help \
		LIB_MODULES="$work/modules" RUNNING="$work/modules/$running/build" | sed -n '/^KDIR=/p')" "running $running, with $*"
}

test_choice_of_headers() {
	# The running one, also one that is not tested
	expect_kdir 6.12.95-amd64 6.12.95-amd64 6.12.95-amd64 6.12.117-amd64 7.3.4-amd64
	expect_kdir 7.0.0-38-generic 7.0.0-38-generic 6.12.117-amd64 7.0.0-38-generic 7.3.4-amd64
	# Without its headers, or too old, the newest that is tested
	expect_kdir 6.18.1 7.3.4-amd64 6.12.117-amd64 7.3.4-amd64 7.4.1-amd64
	expect_kdir 6.1.0-57-amd64 6.12.117-amd64 6.1.0-57-amd64 6.12.95-amd64 6.12.117-amd64
	# or the newest
	expect_kdir 6.1.0-57-amd64 7.1.12-amd64 6.1.0-57-amd64 7.0.1-amd64 7.1.12-amd64
	# Those of other flavours only when they are asked for
	expect_kdir 7.3.4-rt-amd64 6.12.117-amd64 6.12.117-amd64 7.3.4-rt-amd64 7.3.4-cloud-amd64
	# Nothing to choose from
	expect_kdir 6.1.0-57-amd64 6.1.0-57-amd64 6.1.0-57-amd64
	expect_kdir 6.12.117-amd64 6.12.117-amd64
}

test_supported_is_what_readme_says() {
	local release month

	while read -r release month; do
		grep -q "^| $release .*| $(LC_ALL=C date -d "$month-01" '+%B %Y') |\$" "$top/README.md" ||
			fail "README.md does not say that $release was tested in $month"
	done < <(make -s -C "$top" supported)
	expect_equal "$(make -s -C "$top" supported | cut -d' ' -f1 | xargs)" \
		"$(sed -n 's/^| \([0-9.]*\) .* 20[0-9][0-9] |$/\1/p' "$top/README.md" | xargs)" 'tested kernels'
}

test_versions_agree() {
	local version module

	make -s -C "$top" all > "$work/out" 2>&1 || fail "$(cat "$work/out")"
	version=$(make -s -C "$top" version)
	[[ $version =~ ^$(sed 's/\./\\./g' "$top/VERSION")(-[0-9]+-g[0-9a-f]{12})?(-dirty)?$ ]] || fail "version $version"
	for module in drivers/vfio/mdev/mdev-core drivers/vfio/vpci/vfio-vpci samples/vfio-mdev/mgpu; do
		expect_equal "$version" "$(modinfo -F version "$top/$module.ko")" "$module"
	done
	expect_equal "mdev-ctl $version" "$("$top/tools/mdev-ctl/mdev-ctl" --version)" 'mdev-ctl'
	# It changes with each commit, and then not all is compiled again
	expect_equal 'drivers/vfio/mdev/.mdev_core.o.cmd drivers/vfio/vpci/.vpci_device.o.cmd samples/vfio-mdev/.mgpu.o.cmd' \
		"$(cd "$top" && grep -lF -- "_VERSION='\"$version\"'" drivers/vfio/*/.*.o.cmd samples/*/.*.o.cmd | xargs)" 'files that know it'
}

# An archive has no history, and that of somebody else's repository is none of its affair
test_version_without_history() {
	local tree=$work/theirs/tree

	mkdir -p "$tree/tools"
	cp -r "$top/Makefile" "$top/VERSION" "$tree/"
	cp -r "$top/tools/version.sh" "$top/tools/mdev-ctl" "$tree/tools/"
	git init -q "$work/theirs"
	git -C "$work/theirs" add .
	git -C "$work/theirs" -c user.name=x -c user.email=x commit -q -m x
	git -C "$work/theirs" -c user.name=x -c user.email=x commit -q --allow-empty -m y
	expect_equal "$(cat "$top/VERSION")" "$(make -s -C "$tree" version)" 'version'
	make -s -C "$tree" tools > "$work/out" 2>&1 || fail "$(cat "$work/out")"
	expect_equal "mdev-ctl $(cat "$top/VERSION")" "$("$tree/tools/mdev-ctl/mdev-ctl" --version)" 'mdev-ctl'
}

test_version_counts_commits() {
	local tree=$work/tree git

	mkdir -p "$tree/tools"
	cp "$top/tools/version.sh" "$tree/tools/"
	git=(git -C "$tree" -c user.name=x -c user.email=x)
	echo 1.2.3 > "$tree/VERSION"
	"${git[@]}" init -q
	expect_equal 1.2.3 "$("$tree/tools/version.sh")" 'no commit'
	"${git[@]}" add .
	"${git[@]}" commit -q -m one
	expect_equal 1.2.3 "$("$tree/tools/version.sh")" 'the commit that sets it'
	"${git[@]}" commit -q --allow-empty -m two
	"${git[@]}" commit -q --allow-empty -m three
	expect_equal "1.2.3-2-g$("${git[@]}" rev-parse --short=12 HEAD)" "$("$tree/tools/version.sh")" 'later'
	echo >> "$tree/tools/version.sh"
	expect_equal "1.2.3-2-g$("${git[@]}" rev-parse --short=12 HEAD)-dirty" "$("$tree/tools/version.sh")" 'changed'
	: > "$tree/other"
	echo 1.2.4 > "$tree/VERSION"
	"${git[@]}" commit -q -a -m four
	expect_equal 1.2.4 "$("$tree/tools/version.sh")" 'the next one'
}

# The kernel's core instead of ours: built elsewhere, and without a sight of ours
test_kernel_core() {
	local kdir dir

	kdir=$(make -s -C "$top" help | sed -n 's/^KDIR=//p')
	make -s -C "$top" modules KDIR="$kdir" MDEV_CORE=kernel > "$work/out" 2>&1 || fail "$(cat "$work/out")"
	dir=$top/build/lanes/$(cat "$kdir/include/config/kernel.release")-kernel-mdev
	expect_equal "drivers/vfio/vpci/vfio-vpci.ko samples/vfio-mdev/mgpu.ko" \
		"$(cd "$dir" && find . -name '*.ko' | sed 's|^./||' | sort | xargs)" 'modules'
	expect_equal "$(awk '$2 == "mdev_register_parent" { print $1 }' "$kdir/Module.symvers")" \
		"$(modprobe --dump-modversions "$dir/samples/vfio-mdev/mgpu.ko" |
			awk '$2 == "mdev_register_parent" { print $1 }')" 'core that mgpu wants'
}

# out_of_tree KBUILD-LINE SYMVERS HEADER: a parent driver of somebody else's, $work/parent/parent.ko
out_of_tree() {
	local kdir
	kdir=$(make -s -C "$top" help | sed -n 's/^KDIR=//p')
	rm -rf "$work/parent"
	mkdir "$work/parent"
	cat > "$work/parent/parent.c" <<-EOF
		#include <linux/module.h>
		#include <linux/mdev.h>
		#include <$3>
		static struct mdev_driver parent = { .device_api = "vfio-pci", .driver.name = "parent" };
		static int __init parent_init(void) { return mdev_register_driver(&parent); }
		static void __exit parent_exit(void) { mdev_unregister_driver(&parent); }
		module_init(parent_init);
		module_exit(parent_exit);
		MODULE_LICENSE("GPL");
		MODULE_DESCRIPTION("parent");
	EOF
	printf '%s\nobj-m := parent.o\n' "$1" > "$work/parent/Kbuild"
	make -s -C "$kdir" M="$work/parent" KBUILD_EXTRA_SYMBOLS="$2" modules > "$work/out" 2>&1
}

# Whose core a driver gets is what its header says, or it does not build. $(LINUXINCLUDE) is for make
# shellcheck disable=SC2016
test_header_of_the_other_core() {
	local include symbols first
	include=$(realpath "$top")/include
	symbols=$(realpath "$top")/Module.symvers
	first="LINUXINCLUDE := -I$include "'$(LINUXINCLUDE)'
	make -s -C "$top" modules > "$work/out" 2>&1 || fail "$(cat "$work/out")"

	last='our header first'
	out_of_tree "$first" "$symbols" linux/vpci_mdev.h || fail "$(cat "$work/out")"
	nm -u "$work/parent/parent.ko" > "$work/symbols"
	expect_has symbols ' vfio_mdev_register_driver'
	last="the kernel's header first, which is what everybody tries"
	out_of_tree "ccflags-y += -I$include" "$symbols" linux/vpci_mdev.h && fail 'it builds'
	expect_has out "<linux/mdev.h> is the kernel's: LINUXINCLUDE := -I.../include "
	expect_has out 'define VPCI_MDEV_CORE_KERNEL'
	last="the kernel's header first, without vpci"
	out_of_tree "ccflags-y += -I$include" "$symbols" linux/init.h || fail "$(cat "$work/out")"
	nm -u "$work/parent/parent.ko" > "$work/symbols"
	expect_has symbols ' mdev_register_driver'
	last="our header, the kernel's symbols"
	out_of_tree "$first" '' linux/init.h && fail 'it builds'
	expect_has out '"vfio_mdev_register_driver" ['
	last='on purpose'
	out_of_tree "ccflags-y += -I$include -DVPCI_MDEV_CORE_KERNEL" "$symbols" linux/vpci_mdev.h || fail "$(cat "$work/out")"
}

test_unknown_core() {
	make -s -C "$top" modules MDEV_CORE=other > /dev/null 2> "$work/err" && fail 'it succeeded'
	expect_has err 'MDEV_CORE=other: it is "kernel"'
}

test_unknown_qemu() {
	make -s -C "$top" setup QEMU=11 > /dev/null 2> "$work/err" && fail 'it succeeded'
	expect_has err "QEMU='11' is no choice"
}

test_kernel_without_core() {
	headers bare
	echo 6.12.0-bare > "$work/bare/include/config/kernel.release"
	make -s -C "$top" modules KDIR="$work/bare" MDEV_CORE=kernel > /dev/null 2> "$work/err" && fail 'it succeeded'
	expect_has err "KDIR=$work/bare: this kernel has no mdev core of its own"
}

test_help_lists_the_targets() {
	local target

	make -s -C "$top" help > "$work/out"
	for target in all demo check fresh fuzz coverage bench-config lab-shell setup install supported version clean; do
		expect_has out "make $target "
	done
}

# The example of the guide, as a module of its own
test_guide_example_builds() {
	local kdir=/lib/modules/${KVER-}/build
	[[ -n ${KVER-} ]] || skip 'for no kernel in particular'
	awk '/^   :name: example$/ { inside = 1; next } inside && /^[^ ]/ { exit } inside { sub(/^   /, ""); print }' \
		"$top/Documentation/driver-api/vpci.rst" > "$work/example.c"
	cat > "$work/Kbuild" <<-EOF
		LINUXINCLUDE := -I$(realpath "$top")/include \$(LINUXINCLUDE)
		obj-m := example.o
	EOF
	make -s -C "$kdir" M="$work" W=1 KBUILD_EXTRA_SYMBOLS="$(realpath "$top")/Module.symvers" \
		modules > "$work/out" 2>&1 || fail "it does not build: $(cat "$work/out")"
	! grep -i 'warning' "$work/out" || fail "$(cat "$work/out")"
	[[ -e $work/example.ko ]] || fail 'there is no module'
}

tap_main "$@"
