#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What drivers/vfio/probes says of kernels, on fake ones.
#
# A fake kernel is a pile of directories of tools/testing/probes: 6.12 has prototypes of all that is asked for, and each later
# one only the headers in which something became different in that version. Of a header the newest one in the pile counts.

set -u
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
layers=$here/probes
probes=$here/../../drivers/vfio/probes
kdir=$work/kernel
last='probes'
# What all of these kernels have beside their headers
options=(-DCONFIG_IOMMUFD=1 -DCONFIG_ARCH_SUPPORTS_HUGE_PFNMAP=1 -DCONFIG_ARCH_SUPPORTS_PUD_PFNMAP=1)
compiler=(gcc -std=gnu11 -O2 -nostdinc -ffreestanding -fno-pic -fno-stack-protector)

setup() { rm -rf "$work/answers"; }

# kernel RELEASE LAYER...: makes a fake kernel, the oldest layer first
kernel() {
	rm -rf "$kdir"
	mkdir -p "$kdir/include/config"
	echo "$1" > "$kdir/include/config/kernel.release"
	shift
	for layer; do cp -r "$layers/$layer/linux" "$kdir/include/"; done
	# All functions that are declared
	find "$kdir/include" -name '*.h' -exec sed -n 's/^[a-z][^(]* \**\([a-z_]*\)(.*/\1/p' {} + |
		awk '{ printf "0x00000000\t%s\tvmlinux\tEXPORT_SYMBOL_GPL\t\n", $0 }' > "$kdir/Module.symvers"
}

# probe [GROUP...]: the exit code is that of probe.sh, its output in the files out and err
probe() {
	(($#)) || set -- mdev vpci
	"$probes/probe.sh" "$kdir" "$work/answers" "$@" -- "${compiler[@]}" -I "$kdir/include" "${options[@]}" \
		> "$work/out" 2> "$work/err"
}

# expect_forms FORM...: those and no others, in the order of the alphabet
expect_forms() {
	probe || fail "$last: $(cat "$work/err")"
	expect_equal "$(printf -- '-D%s ' "$@" | xargs)" "$(xargs < "$work/out")" "$last"
	[[ ! -s $work/err ]] || fail "$(cat "$work/err")"
}

# expect_refusal TEXT: nothing but one line, which names the kernel and holds TEXT
expect_refusal() {
	if probe; then fail "$last: it was taken: $(cat "$work/out")"; fi
	expect_equal '' "$(cat "$work/out")" "$last"
	expect_equal 1 "$(wc -l < "$work/err")" "$last: lines"
	expect_has err "KDIR=$kdir: "
	expect_has err "$1"
}

# expect_lacking FEATURE...: these and no others
expect_lacking() {
	local list=$*
	expect_refusal "no known form: ${list// /, }. Take one"
}

# change HEADER SED: a header of the fake kernel; that must make a difference
change() {
	cp "$kdir/include/linux/$1" "$work/before"
	sed -i "$2" "$kdir/include/linux/$1"
	! cmp -s "$work/before" "$kdir/include/linux/$1" || fail "$last: no change of $1"
}

test_6_12() {
	kernel 6.12.117 6.12
	expect_forms MDEV_CLASS_COMPAT_DEVICE_LINK VPCI_HRTIMER_INIT VPCI_LEAF_PFN_T VPCI_REGION_INFO_IOCTL
}

# Both ways of setting up a timer were there for a while
test_6_14() {
	kernel 6.14.11 6.12 6.13 6.14
	expect_forms MDEV_CLASS_COMPAT_LINK VPCI_HRTIMER_INIT VPCI_HRTIMER_SETUP VPCI_LEAF_PFN_T VPCI_REGION_INFO_IOCTL
}

test_6_17() {
	kernel 6.17.13 6.12 6.13 6.14 6.15 6.17
	expect_forms MDEV_CLASS_COMPAT_LINK VPCI_HRTIMER_SETUP VPCI_LEAF_PFN VPCI_REGION_INFO_IOCTL
}

test_6_18() {
	kernel 6.18.48 6.12 6.13 6.14 6.15 6.17 6.18
	expect_forms MDEV_CLASS_COMPAT_LINK VPCI_HRTIMER_SETUP VPCI_LEAF_PFN VPCI_REGION_INFO_IOCTL
}

test_7_0() {
	kernel 7.0.0-38-generic 6.12 6.13 6.14 6.15 6.17 6.18 7.0
	expect_forms MDEV_CLASS_COMPAT_LINK VPCI_HRTIMER_SETUP VPCI_LEAF_PFN VPCI_REGION_INFO_CAPS
}

test_7_2() {
	kernel 7.2.12 6.12 6.13 6.14 6.15 6.17 6.18 7.0 7.2
	expect_forms MDEV_CLASS_COMPAT_LINK VPCI_HRTIMER_SETUP VPCI_LEAF_PFN VPCI_REGION_INFO_CAPS
}

test_7_3() {
	kernel 7.3.4 6.12 6.13 6.14 6.15 6.17 6.18 7.0 7.2 7.3
	expect_forms MDEV_CLASS_COMPAT_LINK VPCI_HRTIMER_SETUP VPCI_LEAF_PFN VPCI_REGION_INFO_CAPS
}

# The number of one kernel, and VFIO of another
test_el_10_2() {
	local header

	kernel 6.12.0-211.22.1.el10_2.x86_64 6.12
	for header in 6.15/linux/fake_vfio_pasid.h 6.18/linux/fake_vfio_token.h; do
		cp "$layers/$header" "$kdir/include/linux/"
	done
	expect_forms MDEV_CLASS_COMPAT_DEVICE_LINK VPCI_HRTIMER_INIT VPCI_LEAF_PFN_T VPCI_REGION_INFO_IOCTL
	cp "$layers/7.0/linux/fake_vfio_region.h" "$kdir/include/linux/"
	expect_forms MDEV_CLASS_COMPAT_DEVICE_LINK VPCI_HRTIMER_INIT VPCI_LEAF_PFN_T VPCI_REGION_INFO_CAPS
}

# What no release has, but was there between two of them: a backport could stop there
test_half_way() {
	kernel 6.18.0-vendor 6.12 6.13 6.14 6.15 6.17 6.18 half-way-to-7.0
	expect_forms MDEV_CLASS_COMPAT_LINK VPCI_HRTIMER_SETUP VPCI_LEAF_PFN VPCI_REGION_INFO_OP
}

test_other_configurations() {
	kernel 6.12.117 6.12
	options=(-DCONFIG_ARCH_SUPPORTS_HUGE_PFNMAP=1)
	# With neither of the two, nobody has use for them
	sed -i '/vmf_insert_pfn_pud/d' "$kdir/Module.symvers"
	change vfio.h /iommufd_access/d
	expect_forms MDEV_CLASS_COMPAT_DEVICE_LINK VPCI_HRTIMER_INIT VPCI_LEAF_PFN_T VPCI_REGION_INFO_IOCTL
	options=()
	sed -i '/vmf_insert_pfn_pmd/d' "$kdir/Module.symvers"
	expect_forms MDEV_CLASS_COMPAT_DEVICE_LINK VPCI_HRTIMER_INIT VPCI_LEAF_NONE VPCI_REGION_INFO_IOCTL
	rm "$kdir/Module.symvers"
	probe vpci
	expect_equal '-DVPCI_HRTIMER_INIT -DVPCI_LEAF_NONE -DVPCI_LEAF_PFN_T -DVPCI_REGION_INFO_IOCTL' "$(xargs < "$work/out")"
}

# For each feature a form that nobody has seen yet; header and change of it follow the name
unseen() {
	cat <<-'END'
		mdev/bus_type device.h s/const struct device_driver \*drv);/struct device *parent, &/
		mdev/class_compat device/class.h s/struct device \*dev/const char *name/
		vpci/eventfd eventfd.h s/eventfd_signal(struct eventfd_ctx \*ctx/&, u64 n/
		vpci/hrtimer hrtimer.h s/enum hrtimer_mode mode/&, int cpu/
		vpci/insert_pfn mm.h s/pgprot_t prot);/u64 prot);/
		vpci/leaf huge_mm.h s/bool write/struct device *dev/
		vpci/region_info fake_vfio_region.h s/get_region_info_caps/region_info/
		vpci/vfio_device vfio.h s/void \*set_id/u64 set_id/
		vpci/vfio_dma vfio.h s/struct page \*\*pages/struct folio **folios/
		vpci/vfio_inode vfio.h s/struct inode \*inode/struct address_space *mapping/
		vpci/vfio_iommufd_access vfio.h s/struct iommufd_access \*iommufd_access/u64 iommufd_access/
		vpci/vfio_irqs vfio.h s/void \*opaque,/struct vfio_device *vdev,/
		vpci/vfio_ops vfio.h s/void (\*dma_unmap)(/&struct iommufd_ctx *ictx, /
		vpci/vfio_refcount vfio.h s/refcount_t refcount/long refcount/
		vpci/vhost_task sched/vhost_task.h s/void \*arg,/& u64 flags,/
		vpci/vm_ops mm.h s/unsigned int order/u64 *order/
		vpci/vma_lock mmap_lock.h s/void vma_start_write/int *vma_begin_write/
	END
}

test_unseen_forms() {
	local feature header expression

	unseen | cut -d' ' -f1 > "$work/features"
	(cd "$probes" && printf '%s\n' */*.c | sed 's/\..*//' | sort -u) > "$work/questions"
	differ 'features that have such a form here' "$work/questions" "$work/features"
	while read -r feature header expression; do
		last=$feature
		kernel 7.4.0 6.12 6.13 6.14 6.15 6.17 6.18 7.0 7.2 7.3
		change "$header" "$expression"
		if [[ $feature == vpci/vma_lock ]]; then change mm.h '/vma_start_write/d'; fi
		expect_lacking "$feature"
	done < <(unseen)
}

# What the compiler has said about it is at hand
test_log() {
	kernel 7.4.0 6.12 6.13
	change hrtimer.h 's/hrtimer_\(init\|setup\)/hrtimer_begin/'
	expect_lacking vpci/hrtimer
	cp "$(sed 's/.* is in //' "$work/err")" "$work/log"
	expect_has log '==> vpci/hrtimer.init.log <=='
	expect_has log '==> vpci/hrtimer.setup.log <=='
	expect_has log hrtimer_begin
}

# Neither of the two has an inode for each device, whatever else they have
test_before_6_12() {
	kernel 6.6.99 6.12
	change vfio.h '/struct inode \*inode/d'
	expect_lacking vpci/vfio_inode
	change device.h 's/const struct device_driver/struct device_driver/'
	change eventfd.h 's/ctx)/ctx, u64 n)/'
	expect_lacking mdev/bus_type vpci/eventfd vpci/vfio_inode
	last='without our core'
	probe vpci
	expect_has err 'known form: vpci/eventfd, vpci/vfio_inode. Take'
}

test_not_exported() {
	kernel 6.15.1 6.12 6.13 6.14 6.15
	sed -i '/__vma_start_write/d' "$kdir/Module.symvers"
	expect_refusal 'known form: vpci/vma_lock (not exported to modules: __vma_start_write). Take'
	# For some modules only
	kernel 6.15.1 6.12 6.13 6.14 6.15
	sed -i 's/\(\t__vma_start_write\t.*\t\)$/\1module:kvm/' "$kdir/Module.symvers"
	expect_refusal 'known form: vpci/vma_lock (not exported to modules: __vma_start_write). Take'
}

# A compiler that counts how often it is called
counted() {
	cat > "$work/counted" <<-EOF
		#!/bin/bash
		[[ \$* == *--version ]] || echo >> "$work/count"
		exec gcc "\$@"
	EOF
	chmod +x "$work/counted"
	compiler[0]=$work/counted
}

# expect_calls yes|no: whether it is called now
expect_calls() {
	rm -f "$work/count"
	probe || fail "$last: $(cat "$work/err")"
	expect_equal "$1" "$([[ -e $work/count ]] && echo yes || echo no)" "$last"
}

test_answers_are_kept() {
	local file

	counted
	kernel 6.12.117 6.12
	expect_calls yes
	last='nothing is new' expect_calls no
	for file in Module.symvers include/linux/vfio.h include/linux/fake_vfio_region.h; do
		touch "$kdir/$file"
		last="$file is new" expect_calls yes
		last="$file is known" expect_calls no
	done
	options+=(-DCONFIG_OTHER=1)
	last='another command' expect_calls yes
	cp "$layers/7.0/linux/fake_vfio_region.h" "$kdir/include/linux/"
	last='another answer'
	expect_forms MDEV_CLASS_COMPAT_DEVICE_LINK VPCI_HRTIMER_INIT VPCI_LEAF_PFN_T VPCI_REGION_INFO_CAPS
	probes=$work/copy
	cp -r "$here/../../drivers/vfio/probes" "$probes"
	last='other place' expect_calls no
	echo '/* more */' >> "$probes/vpci/eventfd.c"
	last='another question' expect_calls yes
}

# A refusal is not kept: who has mended something wants to know
test_refusals_are_not_kept() {
	kernel 6.12.117 6.12
	change vfio.h '/struct inode \*inode/d'
	expect_lacking vpci/vfio_inode
	cp "$layers/6.12/linux/vfio.h" "$kdir/include/linux/"
	expect_forms MDEV_CLASS_COMPAT_DEVICE_LINK VPCI_HRTIMER_INIT VPCI_LEAF_PFN_T VPCI_REGION_INFO_IOCTL
	expect_equal '' "$(find "$work/answers" -name '.tmp*' -o -name '*.log')" 'left behind'
}

# It is not the kernel's fault
test_compiler() {
	kernel 6.12.117 6.12
	compiler=("$work/no-compiler")
	expect_refusal "the compiler $work/no-compiler cannot build for this kernel: "
	compiler=(false)
	expect_refusal 'the compiler false cannot build for this kernel: it says nothing'
	compiler=(true)
	expect_refusal 'the compiler true cannot build for this kernel: it says nothing'
	compiler=(gcc -fno-such-option)
	expect_refusal "unrecognized command-line option"
	# It makes an object of anything
	cat > "$work/lenient" <<-'END'
		#!/bin/bash
		while (($#)) && [[ $1 != -o ]]; do shift; done
		((!$#)) || echo 'int probe;' | gcc -x c -c -o "$2" -
	END
	chmod +x "$work/lenient"
	compiler=("$work/lenient")
	expect_refusal "the compiler $work/lenient takes one type for another"
}

test_no_headers() {
	kernel 6.12.117 6.12
	rm "$kdir/include/linux/types.h"
	expect_refusal 'cannot build for this kernel: '
	rm -r "$kdir/include/config"
	expect_refusal 'no kernel headers there'
}

tap_main "$@"
