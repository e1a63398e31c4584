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

test_unsupported_kernel() {
	local release

	for release in 6.1.0-37-amd64 6.11.9 6.120.1 6.13.0 7.0.1 5.10.0; do
		mkdir -p "$work/$release/include/config"
		echo $release > "$work/$release/include/config/kernel.release"
		expect_refusal "$work/$release" "kernel $release is not supported, only 6.12"
	done
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

test_unknown_core() {
	make -s -C "$top" modules MDEV_CORE=other > /dev/null 2> "$work/err" && fail 'it succeeded'
	expect_has err 'MDEV_CORE=other: it is "kernel"'
}

test_unknown_qemu() {
	make -s -C "$top" setup QEMU=11 > /dev/null 2> "$work/err" && fail 'it succeeded'
	expect_has err "QEMU='11' is no choice"
}

test_kernel_without_core() {
	mkdir -p "$work/bare/include/config"
	echo 6.12.0-bare > "$work/bare/include/config/kernel.release"
	make -s -C "$top" modules KDIR="$work/bare" MDEV_CORE=kernel > /dev/null 2> "$work/err" && fail 'it succeeded'
	expect_has err "KDIR=$work/bare: this kernel has no mdev core of its own"
}

test_help_lists_the_targets() {
	local target

	make -s -C "$top" help > "$work/out"
	for target in all demo check fresh fuzz coverage bench-config lab-shell setup install clean; do
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
