/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: what differs between the supported kernels
 *
 * The files of vfio-vpci.ko are written for the newest of them. For each form of
 * an interface that the kernel has, drivers/vfio/probes defines a macro.
 */
#ifndef VPCI_COMPAT_H
#define VPCI_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#ifdef CONFIG_X86
#include <asm/memtype.h>
#endif

#include "vpci_private.h"

/*
 * Newer kernels handle VFIO_DEVICE_GET_REGION_INFO in VFIO itself and ask the
 * driver for the contents. In older ones it is one more ioctl of the driver, and
 * some have an op for just that ioctl.
 */
#ifdef VPCI_REGION_INFO_CAPS

#define VPCI_COMPAT_VFIO_OPS .get_region_info_caps = vpci_region_get_info,

static inline long vpci_compat_ioctl(struct vfio_device *vdev,
				     unsigned int cmd, void __user *arg)
{
	return -ENOTTY;
}

#else

static inline int vpci_compat_get_region_info(struct vfio_device *vdev,
					      struct vfio_region_info __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info;
	struct vfio_info_cap caps = {};
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	ret = vpci_region_get_info(vdev, &info, &caps);
	if (ret)
		return ret;

	if (caps.size) {
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		if (info.argsz < sizeof(info) + caps.size) {
			info.argsz = sizeof(info) + caps.size;
		} else {
			vfio_info_cap_shift(&caps, sizeof(info));
			if (copy_to_user(arg + 1, caps.buf, caps.size))
				ret = -EFAULT;
			info.cap_offset = sizeof(info);
		}
		kfree(caps.buf);
	}
	if (!ret && copy_to_user(arg, &info, minsz))
		ret = -EFAULT;
	return ret;
}

#ifdef VPCI_REGION_INFO_OP
#define VPCI_COMPAT_VFIO_OPS .get_region_info = vpci_compat_get_region_info,
#else
#define VPCI_COMPAT_VFIO_OPS
#endif

static inline long vpci_compat_ioctl(struct vfio_device *vdev,
				     unsigned int cmd, void __user *arg)
{
	if (cmd == VFIO_DEVICE_GET_REGION_INFO)
		return vpci_compat_get_region_info(vdev, arg);
	return -ENOTTY;
}

#endif

#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP

/* Older kernels wrap the frame number of a large leaf */
#ifdef VPCI_LEAF_PFN_T
#include <linux/pfn_t.h>
#define vpci_compat_leaf_pfn(pfn) __pfn_to_pfn_t(pfn, PFN_DEV)
#else
#define vpci_compat_leaf_pfn(pfn) (pfn)
#endif

static inline vm_fault_t vpci_compat_insert_leaf(struct vm_fault *vmf,
						 unsigned long pfn,
						 unsigned int order, bool write)
{
	if (order == PMD_ORDER)
		return vmf_insert_pfn_pmd(vmf, vpci_compat_leaf_pfn(pfn), write);
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	if (order == PUD_ORDER)
		return vmf_insert_pfn_pud(vmf, vpci_compat_leaf_pfn(pfn), write);
#endif
	return VM_FAULT_FALLBACK;
}

/*
 * Bits of a PMD's protection that vmf_insert_pfn_pmd() replaces by what the
 * frames need. vmf_insert_pfn_pud() does so in newer kernels only.
 */
static inline pgprotval_t vpci_compat_prot_by_memtype(void)
{
#ifdef CONFIG_X86
	if (pat_enabled())
		return _PAGE_CACHE_MASK;
#endif
	return 0;
}

#endif

/* Older kernels set the function by hand */
#ifndef VPCI_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif /* VPCI_COMPAT_H */
